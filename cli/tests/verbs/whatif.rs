//! What-ifs on files.

use serde_json::Value;

use crate::Room;

/// Asks and reads the result for programs.
fn asked(room: &Room, edits: &[&str]) -> Value {
    let mut args = vec!["--format", "json", "whatif", "--cluster", "cluster.json"];
    args.extend(edits);
    serde_json::from_str(&room.restow(&args).exits(0).out).expect("a JSON object")
}

#[test]
fn edits_are_applied_in_the_order_in_which_they_are_typed() {
    let room = Room::new();
    let serving = |told: &Value| {
        let brokers = told["scenarios"][0]["answer"]["after"]["brokers"].as_array().unwrap();
        brokers.iter().filter(|broker| broker["serves"] == true).count()
    };
    // Planned after the loss what was lost is made again; before it there is nothing to do.
    let then_lost = asked(&room, &["--then", "drain", "--lose-broker", "1"]);
    let lost_then = asked(&room, &["--lose-broker", "1", "--then", "drain"]);
    let costs = |told: &Value| told["scenarios"][0]["answer"]["costs"].as_array().unwrap().len();
    assert_eq!((costs(&then_lost), costs(&lost_then)), (0, 1));
    assert_eq!((serving(&then_lost), serving(&lost_then)), (5, 5));
    let edits = &lost_then["scenarios"][0]["edits"];
    assert_eq!(edits.to_string(), r#"["--lose-broker 1","--then drain"]"#);
}

#[test]
fn an_answer_reads_well_and_fits_80_columns() {
    let room = Room::new();
    room.write("nodes.toml", "[node_types.big]\ndisk_bytes = 500_000_000_000\nprice_per_month = 92.40\n");
    let edits = ["--add", "1@az-b:big", "--then", "rebalance", "--lose-any-zone", "--peak", "2"];
    let mut args =
        vec!["whatif", "--cluster", "cluster.json", "--node-types", "nodes.toml", "--throttle", "50MB/s"];
    args.extend(edits);
    args.extend(["-o", "whatif.json"]);
    let ran = room.restow(&args).exits(0).says("The worst case is the loss of zone").says("What it costs");
    assert!(ran.out.contains("restow report whatif.json"), "{}", ran.out);
    // Paths and ids of a person's may be longer.
    let wide: Vec<&str> = ran.out.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    let written: Value = serde_json::from_str(&room.read("whatif.json")).unwrap();
    assert_eq!((written["format"].as_str(), written["version"].as_u64()), (Some("restow-whatif"), Some(1)));
}

#[test]
fn scenarios_stand_side_by_side() {
    let room = Room::new();
    room.write(
        "s.toml",
        "[lose-b]\nlose-zone = \"az-b\"\n\n[\"one broker less\"]\nremove = [2]\nthen = \"rebalance\"\n",
    );
    let args = ["whatif", "--cluster", "cluster.json", "-f", "s.toml"];
    room.restow(&args)
        .exits(0)
        .says("A lose-b: lose-zone az-b")
        .says("B one broker less: remove 2, then rebalance");
    let csv = room.restow(&[&["--format", "csv"][..], &args].concat()).exits(0).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0]
            .starts_with("scenario,when,day,broker,zone,node,serves,leaders,disk,disk_unknown,disk_limit,")
    );
    let fields = lines[0].split(',').count();
    assert!(
        lines.len() == 1 + 6 + 6 + 6 + 5 && lines.iter().all(|line| line.split(',').count() == fields),
        "{csv}"
    );
    room.restow(&["--format", "csv", "show", "plan.json"]).exits(2).says("this verb has no table");
}

#[test]
fn a_directory_of_clusters_gives_a_row_for_each() {
    let room = Room::new();
    std::fs::create_dir(room.dir.join("fleet")).unwrap();
    for name in ["one", "two"] {
        let text = room.read("cluster.json").replace("two-az-cluster-of-files", name);
        room.write(&format!("fleet/{name}.json"), &text);
    }
    let args = ["whatif", "--cluster", "fleet", "--lose-any-zone"];
    room.restow(&args).exits(0).says("2 clusters under: --lose-any-zone").says("\none").says("\ntwo");
    let csv = room.restow(&[&["--format", "csv"][..], &args].concat()).exits(0).out;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let removed = ["whatif", "--cluster", "fleet", "--remove", "3,6"];
    room.restow(&removed).exits(3).says("2 clusters have no answer").says("one: drain [3,6]: all of");
    room.restow(&["whatif", "--cluster", "state", "--lose-any-zone"]).exits(2).fails_once();
}

#[test]
fn a_scenario_that_does_not_fit_is_named_with_its_line() {
    let room = Room::new();
    for (text, says) in [
        ("[a]\nlose-zon = \"az-a\"\n", "s.toml, line 2, a.lose-zon: is not an edit: did you mean lose-zone?"),
        (
            "[a]\npeak = 2\n\n[b]\nlose-broker = 77\n",
            "s.toml, line 5, b.lose-broker 77: broker 77 is not in the cluster",
        ),
        (
            "[a]\ngrow-all = \"40%/year\"\n",
            "s.toml, line 2, a.grow-all 40%/year: growth over time without a horizon",
        ),
        (
            "[a]\ngrow-all = \"fitted\"\nhorizon = \"1y\"\n",
            "s.toml, line 2, a.grow-all fitted: growth that is fitted, without",
        ),
        ("[a]\nretention = { 'orders.*' = \"1h\" }\n", "retention has no base"),
        ("[a]\nzones = -3\n", "s.toml, line 2, a.zones: \"-3\": expected a whole number, 1 or more"),
        ("[a]\npartitions = { clicks = -256 }\n", "s.toml, line 2, a.partitions: \"clicks=-256\": expected"),
        ("[a]\nset-rf = { nosuch = 3 }\n", "s.toml, line 2, a.set-rf nosuch=3: \"nosuch\" matches no topic"),
        ("[a\n", "s.toml, line 1"),
    ] {
        room.write("s.toml", text);
        let args = ["whatif", "--cluster", "cluster.json", "-f", "s.toml", "-o", "never.json"];
        room.unchanged_by(|| room.restow(&args)).exits(2).fails_once().says(says);
    }
    let ask = |edits: &[&str]| room.restow(&[&["whatif", "--cluster", "cluster.json"][..], edits].concat());
    ask(&[]).exits(2).says("nothing is asked");
    ask(&["-f", "s.toml", "--zones", "3"]).exits(2).says("-f goes with no edit beside it");
    ask(&["--peak", "-2"]).exits(2).says("--peak <FACTOR>");
    ask(&["--add", "1@az-a:huge"]).exits(2).says("node type \"huge\" is not known");
}
