//! From a snapshot to a plan to the files of the stock tools.

use std::collections::BTreeMap;
use std::fs;

use restow_planner::file::reassignment;

use crate::Room;

type Lists = BTreeMap<String, Vec<i32>>;

#[test]
fn what_is_refused_is_named_with_its_way_past() {
    let room = Room::new();
    room.unchanged_by(|| room.plan(&[]))
        .exits(3)
        .says("single_replica 0: min.insync.replicas is 2")
        .says("--exclude 'single_replica'")
        .says("--leave-out-refused");
    room.plan(&["--exclude", "single_replica"]).exits(0).says("Matched 5 topics").says("Written plan.json");
}

#[test]
fn the_rest_is_planned_and_what_stays_is_named() {
    let room = Room::new();
    room.plan(&["--leave-out-refused"])
        .exits(0)
        .says("Moves 31 partitions of 5 topics; 62 new replicas")
        .says("Broker 2 will not be empty: it keeps 1 replica.")
        .says("No plan for this intent copies less than");
    room.restow(&["show", "plan.json", "--moves"])
        .exits(0)
        .says("each produced byte is copied 3 times, 2 across zones; before: 1 and 1")
        .says("single_replica 0 (stays on 2)")
        .says("sha256:")
        .says("[1,3,");
    room.restow(&["check", "plan.json", "--cluster", "cluster.json"])
        .exits(0)
        .says("Accepted: nothing is wrong with 124 replica lists of 31 partitions.");
    room.restow(&["check", "plan.json", "--cluster", "cluster.json", "--later"]).exits(0);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let room = Room::with_plan();
    let first = room.read("plan.json");
    room.plan(&["--leave-out-refused", "--from", "3,1,2", "--to", "6,5,4"]).exits(0);
    assert_eq!(room.read("plan.json"), first);
}

#[test]
fn a_plan_for_some_topics() {
    let room = Room::new();
    room.plan(&["--topics", "orders.*", "--topics", "payments-safe"]).exits(0).says("Matched 2 topics");
    room.plan(&["--topics", "orders", "--preserve-leaders"]).exits(2).says("orders");
    room.plan(&["--topics", "orders.v1", "--preserve-leaders"]).exits(0);
    room.restow(&["show", "plan.json"]).exits(0).says("leaders stay in their places");
}

#[test]
fn zones_can_be_corrected() {
    let room = Room::new();
    let bare = room.read("cluster.json").replacen(
        r#""rack":"az-a","zone":"az-a","#,
        r#""rack":null,"zone":null,"#,
        1,
    );
    room.write("cluster.json", &bare);
    room.unchanged_by(|| room.plan(&["--leave-out-refused"]))
        .exits(3)
        .says("broker 1 has no broker.rack")
        .says("--zone 1=");
    room.plan(&["--leave-out-refused", "--zone", "1=az-a"]).exits(0);
    room.restow(&["check", "plan.json", "--cluster", "cluster.json", "--zone", "1=az-a"]).exits(0);
    room.plan(&["--leave-out-refused", "--zone", "1=east", "--map-zone", "az-a=east"]).exits(0);
    room.restow(&["show", "plan.json"]).exits(0).says("east  1, 2, 4, 5");
    room.unchanged_by(|| room.plan(&["--zone", "9=az-a"])).exits(2).says("broker 9").fails_once();
    room.unchanged_by(|| room.plan(&["--map-zone", "az-z=az-a"])).exits(2).says("az-a, az-b").fails_once();
}

#[test]
fn no_racks_at_all_is_said_loudly() {
    let room = Room::new();
    let mut bare = room.read("cluster.json");
    for zone in ["az-a", "az-b"] {
        bare = bare.replace(&format!(r#""rack":"{zone}","zone":"{zone}","#), r#""rack":null,"zone":null,"#);
    }
    room.write("cluster.json", &bare);
    room.plan(&["--leave-out-refused"]).exits(0).says("zone rules are OFF");
    room.restow(&["show", "plan.json"]).exits(0).says("zone rules are off");
}

#[test]
fn exported_files_form_a_chain_and_every_twin_is_the_step_before() {
    let room = Room::with_plan();
    room.restow(&["export", "plan.json", "--dir", "change", "--max-partitions-per-wave", "20"])
        .exits(0)
        .says("2 expand files, 2 swap files, 2 shrink files");
    let lists = |name: &str| -> Lists {
        let text = room.read(&format!("change/{name}"));
        let all = reassignment::read(text.as_bytes(), name).expect(name);
        all.into_iter().map(|a| (a.partition.to_string(), a.replicas.iter().map(|b| b.0).collect())).collect()
    };
    let stage = |step: &str, ending: &str| -> Lists {
        (1..=2).flat_map(|wave| lists(&format!("{step}-0{wave}{ending}"))).collect()
    };
    let [expand, swap, shrink] = ["01-expand", "02-swap", "03-shrink"].map(|step| stage(step, ".json"));
    let [start, expanded, swapped] =
        ["01-expand", "02-swap", "03-shrink"].map(|step| stage(step, ".rollback.json"));
    assert_eq!((&expanded, &swapped), (&expand, &swap));
    assert_eq!(start.len(), 31);
    for (partition, list) in &start {
        let (wide, narrow) = (&expand[partition], &shrink[partition]);
        assert!(list.len() == 2 && list.iter().all(|id| (1..=3).contains(id)), "{partition}: {list:?}");
        assert!(narrow.len() == 2 && narrow.iter().all(|id| (4..=6).contains(id)), "{partition}: {narrow:?}");
        assert_eq!(wide[..], [list.as_slice(), narrow].concat(), "{partition}");
        assert_eq!(swap[partition][..], [narrow.as_slice(), list].concat(), "{partition}");
    }
    let election: serde_json::Value =
        serde_json::from_str(&room.read("change/02-swap-01.election.json")).expect("JSON");
    assert_eq!(election["partitions"].as_array().map(Vec::len), Some(20));
    assert_eq!(fs::read_dir(room.dir.join("change")).expect("change").count(), 15);
}

#[test]
fn the_runbook_has_what_was_given() {
    let room = Room::with_plan();
    let args = [
        "export",
        "plan.json",
        "--dir",
        "change",
        "--throttle",
        "50MB/s",
        "--bootstrap-server",
        "b1:9092,b2:9092",
    ];
    room.restow(&args).exits(0);
    let text = room.read("change/runbook.md");
    assert!(text.contains(
        "kafka-reassign-partitions.sh --bootstrap-server b1:9092,b2:9092 --execute --reassignment-json-file \
         01-expand-01.json --throttle 50000000\n"
    ));
    assert!(!text.contains("$THROTTLE") && !text.contains("$BOOTSTRAP"));
    room.unchanged_by(|| room.restow(&args)).exits(2).says("change: exists and is not empty").fails_once();
}

#[test]
fn files_of_other_tools_are_judged() {
    let room = Room::with_plan();
    room.restow(&["export", "plan.json", "--dir", "change"]).exits(0);
    let check =
        |file: &str| room.restow(&["check", "--reassignment-json-file", file, "--cluster", "cluster.json"]);
    check("change/01-expand-01.json").exits(0).says("Accepted");
    room.write(
        "stock.json",
        r#"{"version":1,"partitions":[{"topic":"orders.v1","partition":0,"replicas":[4,5]}]}"#,
    );
    check("stock.json").exits(3).says("orders.v1-0").says("P3");
    room.write(
        "stock.json",
        r#"{"version":1,"partitions":[{"topic":"orders.v1","partition":0,"replicas":[4,4]}]}"#,
    );
    check("stock.json").exits(2).says("stock.json").says("broker 4 stands twice").fails_once();
    room.write(
        "stock.json",
        r#"{"version":1,"partitions":[{"topic":"nope","partition":0,"replicas":[4,6]}]}"#,
    );
    check("stock.json").exits(3).says("nope-0");
}

#[test]
fn results_are_json_where_asked() {
    let room = Room::new();
    let json = |args: &[&str], code: i32| -> serde_json::Value {
        let ran = room.restow(&[args, &["--format", "json"]].concat()).exits(code);
        assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
        serde_json::from_str(&ran.out).expect("JSON")
    };
    let plan = [
        "plan",
        "migrate",
        "--cluster",
        "cluster.json",
        "--from",
        "1,2,3",
        "--to",
        "4,5,6",
        "-o",
        "plan.json",
    ];
    let refused = json(&plan, 3);
    assert_eq!(refused["outcome"], "refused");
    assert_eq!(refused["refusals"][0]["partition"]["topic"], "single_replica");
    let done = json(&[plan.as_slice(), &["--leave-out-refused"]].concat(), 0);
    assert_eq!((done["moves"].as_u64(), done["not_empty"][0]["broker"].as_i64()), (Some(31), Some(2)));
    assert_eq!(
        json(&["check", "plan.json", "--cluster", "cluster.json"], 0)["findings"],
        serde_json::json!([])
    );
    let shown = json(&["show", "plan.json"], 0);
    assert_eq!(shown["hash"], done["hash"]);
    assert_eq!(json(&["export", "plan.json", "--dir", "d"], 0)["waves"][0], "01-expand-01");
    let failed = json(&["show", "missing.json"], 2);
    assert_eq!((failed["exit"].as_i64(), failed["outcome"].as_str()), (Some(2), Some("usage")));
}
