//! The verbs of an incident, where no run is under way and no cluster is needed.

use crate::Room;

#[test]
fn a_plan_is_paused_by_a_file_and_resumed_by_its_absence() {
    let room = Room::with_plan();
    let before = room.files();
    room.restow(&["pause", "plan.json", "--reason", "lunch"]).exits(0).says("restow resume plan.json");
    assert_eq!(room.read("plan.json.pause"), "lunch\n");
    room.restow(&["resume", "plan.json"]).exits(0).says("goes on");
    assert_eq!(room.files(), before);
    room.restow(&["resume", "plan.json"]).exits(0).says("was not paused");
    room.unchanged_by(|| room.restow(&["pause", "cluster.json"])).exits(2).fails_once();
    room.unchanged_by(|| room.restow(&["resume", "missing.json"])).exits(2).fails_once();
}

#[test]
fn there_is_no_throttle_to_change_where_nothing_runs() {
    let room = Room::with_plan();
    room.restow(&["throttle", "plan.json", "20MB/s"]).exits(3).fails_once().says("no restow works");
    assert!(!room.files().keys().any(|path| path.ends_with("plan.json.throttle")));
    room.restow(&["throttle", "plan.json", "20"]).exits(2).says("did you mean 20MB/s");
}

#[test]
fn what_cannot_be_meant_is_said_before_the_cluster_is_asked() {
    let room = Room::with_plan();
    let apply = |more: &[&str]| {
        let mut args = vec!["apply", "plan.json", "--bootstrap-server", "localhost:1", "--throttle", "none"];
        args.extend(more);
        room.unchanged_by(|| room.restow(&args)).exits(2)
    };
    apply(&["--ignore-hold", "guard"]).says("offline-broker");
    apply(&["--set-aside", "orders"]).says("as in orders-3");
    apply(&["--until", "noon"]).says("06:00");
    apply(&["--give-up", "x"]).says("not a broker id");
    let sweep = ["sweep", "--bootstrap-server", "localhost:1", "--remove", "broker:5:log.retention.ms"];
    room.unchanged_by(|| room.restow(&sweep)).exits(2).says("broker:ID:KEY");
}
