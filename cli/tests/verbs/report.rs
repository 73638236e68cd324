//! `restow report`: the page is written, and what is no plan and no journal is said to be none.

use std::fs;

use crate::Room;

#[test]
fn a_plan_gets_a_page() {
    let room = Room::with_plan();
    room.restow(&["report", "plan.json", "-o", "page.html"]).exits(0).says("Written page.html");
    let page = room.read("page.html");
    for told in [
        "Migrate from brokers 1-3 to brokers 4-6",
        "31 partitions of 5 topics",
        "single_replica",
        "Broker 2 will not be empty",
        "gate: a person approves shrink",
        "restow report plan.json --cluster cluster.json --throttle 50MB/s",
    ] {
        assert!(page.contains(told), "{told}");
    }
    room.restow(&["report", "plan.json", "-o", "again.html"]).exits(0);
    assert_eq!(room.read("again.html"), page, "the same input gives the same bytes");
}

#[test]
fn with_a_snapshot_and_a_throttle_it_tells_the_time() {
    let room = Room::with_plan();
    let more = ["--cluster", "cluster.json", "--throttle", "1MB/s", "--price-per-gb", "0.02"];
    room.restow(&[&["report", "plan.json", "-o", "page.html"][..], &more].concat()).exits(0);
    let page = room.read("page.html");
    for told in
        ["1,000,000 bytes/s (1 MB/s)", "Copied bytes over time", "expand ends; gate before swap", "per GB"]
    {
        assert!(page.contains(told), "{told}");
    }
    assert!(!page.contains("How long it takes is not on this page"));
}

#[test]
fn a_result_for_programs_names_the_page() {
    let room = Room::with_plan();
    let ran = room.restow(&["report", "plan.json", "-o", "page.html", "--format", "json"]).exits(0);
    let told: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let length = fs::metadata(room.dir.join("page.html")).expect("the page").len();
    assert_eq!((&told["about"], &told["report"]), (&"plan".into(), &"page.html".into()));
    assert_eq!((told["bytes"].as_u64(), told["exit"].as_u64()), (Some(length), Some(0)));
}

#[test]
fn what_is_no_plan_gets_no_page() {
    let room = Room::with_plan();
    let good = room.read("plan.json");
    room.write("empty", "");
    room.write("cut.json", &good[..good.len() / 2]);
    room.write("edited.json", &good.replacen("\"seed\":0", "\"seed\":1", 1));
    room.write("other.json", "{\"format\":\"restow-other\",\"version\":1}");
    fs::write(room.dir.join("binary"), [0xff, 0xfe, 0, 1, 2]).expect("written");
    for (file, says) in [
        ("cluster.json", "is a snapshot (restow-cluster)"),
        ("empty", "empty: is empty"),
        ("cut.json", "cut.json"),
        ("edited.json", "the file was edited or cut"),
        ("other.json", "\"restow-other\""),
        ("binary", "is none of that"),
        ("missing.json", "cannot read"),
        (".", "directory"),
    ] {
        let ran = room.unchanged_by(|| room.restow(&["report", file, "-o", "page.html"]));
        ran.exits(2).fails_once().says(says);
    }
}

#[test]
fn flags_that_do_not_fit_are_refused() {
    let room = Room::with_plan();
    let other = room.read("cluster.json").replace("two-az-cluster-of-files", "another");
    room.write("other.json", &other);
    for (more, says) in [
        (&["--cluster", "cluster.json"][..], "without --throttle"),
        (&["--cluster", "other.json", "--throttle", "1MB/s"], "is of cluster another"),
        (&["--cluster", "plan.json", "--throttle", "1MB/s"], "restow-cluster"),
        (&["--plan", "plan.json"], "names the plan of a journal"),
    ] {
        let ran =
            room.unchanged_by(|| room.restow(&[&["report", "plan.json", "-o", "p.html"], more].concat()));
        ran.exits(2).fails_once().says(says);
    }
    let nowhere = ["report", "plan.json", "-o", "no/such/folder.html"];
    room.unchanged_by(|| room.restow(&nowhere)).exits(2).fails_once().says("cannot write");
}

#[test]
fn a_journal_needs_its_plan() {
    let room = Room::with_plan();
    room.write("torn.journal", "0a1b2c3d {\"record\":\"open");
    let torn = room.unchanged_by(|| room.restow(&["report", "torn.journal", "-o", "page.html"]));
    torn.exits(2).fails_once().says("it holds no whole record");
    room.write("bad.journal", "0a1b2c3d {\"record\":\"opened\"}\n0a1b2c3d {}\n");
    let bad = room.unchanged_by(|| room.restow(&["report", "bad.journal", "-o", "page.html"]));
    bad.exits(2).fails_once().says("line 1");
}

#[test]
fn a_whatif_gets_a_page() {
    let room = Room::new();
    let asked =
        ["whatif", "--cluster", "cluster.json", "--then", "rebalance", "--lose-any-zone", "-o", "one.json"];
    room.restow(&asked).exits(0);
    room.restow(&["report", "one.json", "-o", "one.html", "--price-per-gb", "0.02"]).exits(0);
    let page = room.read("one.html");
    for told in [
        "The worst case is the loss of",
        "Brokers, now → then",
        "What it costs",
        "Each case, the worst first",
    ] {
        assert!(page.contains(told), "{told}");
    }
    room.write(
        "s.toml",
        "[\"<b>lose</b>\"]\nlose-zone = \"az-b\"\n\n[less]\nremove = [2]\nthen = \"rebalance\"\n",
    );
    room.restow(&["whatif", "--cluster", "cluster.json", "-f", "s.toml", "-o", "two.json"]);
    room.restow(&["report", "two.json", "-o", "two.html", "--format", "json"]).exits(0).says("\"whatif\"");
    let page = room.read("two.html");
    assert!(
        page.contains("2 what-ifs side by side") && page.contains("&lt;b&gt;lose") && !page.contains("<b>")
    );
}

#[test]
fn a_whatif_that_cannot_be_read_gets_no_page() {
    let room = Room::new();
    room.restow(&["whatif", "--cluster", "cluster.json", "--lose-zone", "az-b", "-o", "good.json"]).exits(0);
    let good = room.read("good.json");
    room.write("cut.json", &good[..good.len() / 2]);
    room.write("newer.json", &good.replacen("\"version\":1", "\"version\":2", 1));
    for (line, says) in [
        ("report cut.json -o p.html", "cut.json: EOF"),
        ("report newer.json -o p.html", "version 2 of restow-whatif"),
        ("report good.json -o p.html --plan good.json", "is a what-if"),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        room.unchanged_by(|| room.restow(&args)).exits(2).fails_once().says(says);
    }
}
