//! The pages of `restow report` in a real browser: Chromium without a screen, driven through ChromeDriver.
//!
//! Pictures of them are kept in the target directory, under `report/`.

mod driver;
mod room;
mod run;

use std::path::{Path, PathBuf};

use driver::Browser;
use room::Room;
use serde_json::{Value, json};

/// Enter, as WebDriver types it.
const ENTER: &str = "\u{e007}";

/// Where pictures are kept.
fn picture(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    target.join("report").join(name)
}

/// Opens a page and holds what holds for all of them: it asks for nothing but itself, and nothing is wrong with it.
#[track_caller]
fn open(browser: &Browser, page: &Path) {
    browser.open(page);
    let address = format!("file://{}", std::fs::canonicalize(page).expect("the page").display());
    let mut requests = browser.requests();
    requests.retain(|request| !request.starts_with("data:"));
    assert_eq!(requests, [address], "only the page itself is asked for");
    assert_eq!(browser.run("return performance.getEntriesByType('resource').length"), 0);
    assert_eq!(browser.log("browser"), Vec::<Value>::new(), "nothing is wrong on the console");
}

/// Whether everything fits a screen of this width, without a second look to the side.
#[track_caller]
fn fits(browser: &Browser, width: u32) {
    browser.screen(width, 800);
    let found = browser.run("return document.documentElement.scrollWidth");
    assert!(found.as_u64().is_some_and(|found| found <= u64::from(width)), "{found} on {width}");
}

/// Contrast of text against its ground, times 100, at its least over the whole page.
const CONTRAST: &str = "
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
        const part = (n) => (n / 255 <= 0.04045 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color.length === 3 || color[3] > 0) return color;
        }
        return [255, 255, 255];
    };
    let least = [Infinity, ''];
    for (const element of document.querySelectorAll('body *')) {
        const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!hasText || element.closest('script, svg, [hidden]')) continue;
        const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < least[0]) least = [contrast, element.outerHTML.slice(0, 200)];
    }
    return [Math.floor(least[0] * 100), least[1]];
";

/// Pictures of a page as people may have it, and that it reads in each.
fn look(browser: &Browser, name: &str) {
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        browser.screen(1280, 900);
        browser.prefers(scheme);
        grounds.push(browser.text("return getComputedStyle(document.body).backgroundColor"));
        let least = browser.run(CONTRAST);
        assert!(least[0].as_u64().is_some_and(|contrast| contrast >= 450), "{scheme}: {least}");
        browser.picture(&picture(&format!("{name}-1280-{scheme}.png")));
    }
    assert_ne!(grounds[0], grounds[1], "dark and light differ");
    browser.prefers("light");
    browser.devtools("Emulation.setEmulatedVisionDeficiency", &json!({"type": "achromatopsia"}));
    browser.picture(&picture(&format!("{name}-1280-grey.png")));
    browser.devtools("Emulation.setEmulatedVisionDeficiency", &json!({"type": "none"}));
    fits(browser, 360);
    browser.picture(&picture(&format!("{name}-360.png")));
    browser.screen(1280, 900);
}

/// The numbers of a column of the rows that are shown.
fn column(browser: &Browser, at: usize) -> Vec<u64> {
    let script = format!(
        "return [...document.querySelectorAll('#every-move tbody tr')].filter((row) => !row.hidden)
            .map((row) => row.cells[{at}].dataset.v)"
    );
    let rows = browser.run(&script);
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row.as_str().expect("a number").parse().expect("a number")).collect()
}

/// The first cells of the rows that are shown.
fn names(browser: &Browser) -> Vec<String> {
    let rows = browser.run(
        "return [...document.querySelectorAll('#every-move tbody tr')].filter((row) => row.offsetHeight > 0)
            .map((row) => row.cells[0].textContent)",
    );
    rows.as_array().expect("rows").iter().map(|row| row.as_str().expect("a name").to_owned()).collect()
}

#[test]
fn the_story_reads_on_every_screen() {
    let Some(browser) = Browser::start_or_skip() else { return };
    let room = Room::new();
    room.take("two-az.json");
    room.restow(
        "plan migrate --cluster two-az.json --from 1,2,3 --to 4,5,6 -o plan.json --leave-out-refused",
    );
    room.restow("report plan.json -o page.html --cluster two-az.json --throttle 50MB/s --price-per-gb 0.02");
    browser.screen(1280, 900);
    open(&browser, &room.file("page.html"));
    assert_eq!(
        browser.text("return document.querySelector('h1').textContent"),
        "Migrate from brokers 1-3 to brokers 4-6"
    );
    let levels =
        browser.run("return [...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))");
    let levels: Vec<u64> = levels.as_array().expect("headings").iter().filter_map(Value::as_u64).collect();
    assert!(
        levels[0] == 1 && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1 && pair[1] > 1),
        "{levels:?}"
    );
    look(&browser, "story");
    room.restow("report plan.json -o bare.html");
    open(&browser, &room.file("bare.html"));
    fits(&browser, 360);
}

#[test]
fn moves_are_sorted_and_filtered_from_the_keyboard() {
    let Some(browser) = Browser::start_or_skip() else { return };
    let room = Room::new();
    room.restow("generate --class M --seed 3 -o m.json");
    room.restow("plan rebalance --cluster m.json -o plan.json --measures replicas,bytes --tolerance 10%");
    room.restow("report plan.json -o page.html");
    browser.screen(1280, 900);
    open(&browser, &room.file("page.html"));
    look(&browser, "m");

    let sorted = |down: bool| {
        let bytes = column(&browser, 6);
        let is_sorted =
            bytes.windows(2).all(|pair| if down { pair[0] >= pair[1] } else { pair[0] <= pair[1] });
        assert!(bytes.len() > 100 && bytes[0] != bytes[bytes.len() - 1] && is_sorted, "{down}: {bytes:?}");
        let told = browser.text("return document.querySelector('#every-move th:nth-child(7)').ariaSort");
        assert_eq!(told, if down { "descending" } else { "ascending" });
    };
    sorted(true);
    let all = names(&browser);
    browser.keys("#every-move th:nth-child(7) button", ENTER);
    sorted(false);
    browser.keys("#every-move th:nth-child(7) button", ENTER);
    sorted(true);
    browser.keys("#every-move th:nth-child(1) button", ENTER);
    let told = browser
        .run("return [...document.querySelectorAll('#every-move th[aria-sort]')].map((h) => h.cellIndex)");
    assert_eq!(told, json!([0]));

    let topic = all[0].rsplit_once('-').expect("a partition").0.to_owned();
    browser.keys("#filter-name", &topic);
    let mut wanted: Vec<String> = all.iter().filter(|name| name.contains(&topic)).cloned().collect();
    let mut shown = names(&browser);
    assert!(!wanted.is_empty() && wanted.len() < all.len());
    wanted.sort();
    shown.sort();
    assert_eq!(shown, wanted);
    let told = browser.text("return document.getElementById('told').textContent");
    assert!(told.starts_with(&format!("{} of ", wanted.len())), "{told}");
    browser.run("document.getElementById('filter-name').value = ''");
    browser.keys("#filter-broker", "7");
    let touched = browser.run(
        "return [...document.querySelectorAll('#every-move tbody tr')].every((row) =>
            row.hidden !== (row.cells[1].textContent + row.cells[2].textContent).match(/\\d+/g).includes('7'))",
    );
    assert_eq!(touched, true);
    assert!(names(&browser).len() < all.len());
}

#[test]
fn on_paper_everything_is_there() {
    let Some(browser) = Browser::start_or_skip() else { return };
    let room = Room::new();
    room.take("two-az.json");
    room.restow(
        "plan migrate --cluster two-az.json --from 1,2,3 --to 4,5,6 -o plan.json --leave-out-refused",
    );
    room.restow("report plan.json -o page.html --cluster two-az.json --throttle 50MB/s");
    browser.prefers("dark");
    open(&browser, &room.file("page.html"));
    browser.devtools("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    // What is left of A4 between the margins.
    browser.screen(688, 1000);
    let sections = browser.run(
        "return [...document.querySelectorAll('main > section')].map((s) => [s.id, s.offsetHeight > 60])",
    );
    let ids = ["summary", "brokers", "stages", "traffic", "time", "rules", "back", "moves"];
    assert_eq!(sections, json!(ids.map(|id| (id, true))));
    let cut = browser.run(
        "return [...document.querySelectorAll('.box')]
            .filter((box) => box.clientHeight + 2 < box.scrollHeight || box.clientWidth + 2 < box.scrollWidth)
            .map((box) => [box.ariaLabel, box.clientWidth, box.scrollWidth])",
    );
    assert_eq!(cut, json!([]), "no box hides anything on paper");
    let shown =
        |what: &str| browser.run(&format!("return document.querySelector('{what}').offsetHeight > 0"));
    assert_eq!(
        (shown(".sign-off"), shown("nav"), shown("#tools")),
        (true.into(), false.into(), false.into())
    );
    assert_eq!(browser.text("return getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    browser.picture(&picture("story-print.png"));
    let paper = browser.print(&picture("story.pdf"));
    assert!(paper.starts_with(b"%PDF-"));
}

#[test]
fn a_run_is_told() {
    let Some(browser) = Browser::start_or_skip() else { return };
    let room = Room::new();
    room.take("demo.json");
    room.restow("plan migrate --cluster demo.json --from 1,2,3 --to 4,5,6 -o plan.json");
    run::journal(&room.file("demo.json"), &room.file("plan.json"), &room.file("plan.json.journal"));
    room.restow("report plan.json.journal -o page.html");
    browser.screen(1280, 900);
    open(&browser, &room.file("page.html"));
    let told = browser.text("return document.getElementById('run').textContent");
    for what in [
        "This run has ended: done",
        "process 4711 on ops-1",
        "2026-11-21T12:40:05Z",
        "approved swap",
        "Copying took",
        "were expected",
    ] {
        assert!(told.contains(what), "{what}: {told}");
    }
    let lines = browser
        .run("return [...document.querySelectorAll('#run polyline')].map((l) => l.points.numberOfItems)");
    assert!(
        lines.as_array().is_some_and(|lines| lines.len() == 3 && lines.iter().all(|n| n.as_u64() > Some(1))),
        "{lines}"
    );
    look(&browser, "run");
}

#[test]
fn whatifs_are_told() {
    let Some(browser) = Browser::start_or_skip() else { return };
    let room = Room::new();
    room.take("demo.json");
    let file = "[\"a zone lost\"]\nlose-zone = \"az-b\"\n\n[\"one broker less\"]\nremove = [2]\nthen = \"rebalance\"\n";
    std::fs::write(room.file("s.toml"), file).expect("written");
    room.restow("whatif --cluster demo.json -f s.toml -o whatif.json --throttle 50MB/s");
    room.restow("report whatif.json -o page.html");
    browser.screen(1280, 900);
    open(&browser, &room.file("page.html"));
    let headings = browser.run("return [...document.querySelectorAll('h2')].map((h) => h.textContent)");
    assert_eq!(headings, json!(["Side by side", "a zone lost", "one broker less"]));
    look(&browser, "whatif");
}

/// What the other tests rely on: a page that does ask for something is found out, and is kept from it.
#[test]
fn a_page_that_asks_for_more_is_found_out() {
    let Some(browser) = Browser::start_or_skip() else { return };
    let room = Room::new();
    room.take("two-az.json");
    room.restow(
        "plan migrate --cluster two-az.json --from 1,2,3 --to 4,5,6 -o plan.json --leave-out-refused",
    );
    room.restow("report plan.json -o page.html");
    let page = std::fs::read_to_string(room.file("page.html")).expect("the page");
    let image = "<img src=\"other.png\" alt=\"\"></main>";
    std::fs::write(room.file("bad.html"), page.replacen("</main>", image, 1)).expect("written");
    std::fs::write(room.file("other.png"), "").expect("written");
    browser.open(&room.file("bad.html"));
    let log = browser.log("browser");
    assert!(log.iter().any(|entry| entry.to_string().contains("Content Security Policy")), "{log:?}");
    std::fs::write(room.file("loose.html"), "<title>x</title><img src=\"other.png\" alt=\"\">")
        .expect("written");
    browser.open(&room.file("loose.html"));
    assert!(browser.requests().iter().any(|request| request.ends_with("/other.png")));
}
