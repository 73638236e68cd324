//! Flags that do not fit: refused before anything is read or written, or against the snapshot.

use crate::Room;

#[test]
fn brokers_that_the_snapshot_lacks_are_named() {
    let room = Room::new();
    room.unchanged_by(|| room.plan(&["--from", "1,2,9", "--to", "4,5,6"]))
        .exits(2)
        .fails_once()
        .says("--from: broker 9")
        .says("1, 2, 3, 4, 5, 6");
    room.unchanged_by(|| room.plan(&["--from", "1,2,3", "--to", "4,5,7"]))
        .exits(2)
        .fails_once()
        .says("--to: broker 7");
    room.unchanged_by(|| room.plan(&["--from", "1,2,3", "--to", "3,4,6"])).exits(2).fails_once().says("3");
    room.unchanged_by(|| room.plan(&["--from", "1,one", "--to", "4"])).exits(2).fails_once().says("one");
}

#[test]
fn patterns_have_to_match() {
    let room = Room::new();
    room.unchanged_by(|| room.plan(&["--topics", "nothing.*"])).exits(2).fails_once().says("nothing.*");
    room.unchanged_by(|| room.plan(&["--exclude", "nothing.*"])).exits(2).fails_once().says("nothing.*");
    room.unchanged_by(|| room.plan(&["--topics", "("])).exits(2).fails_once().says("regular expression");
}

#[test]
fn throttles_are_typed_with_care() {
    let room = Room::with_plan();
    let apply = |throttle: &str| {
        room.unchanged_by(|| {
            room.restow(&[
                "apply",
                "plan.json",
                "--bootstrap-server",
                "127.0.0.1:1",
                "--throttle",
                throttle,
                "--yes",
            ])
        })
    };
    apply("50").exits(2).fails_once().says("did you mean 50MB/s?");
    apply("50MB").exits(2).fails_once().says("did you mean 50MB/s?");
    apply("fast").exits(2).fails_once().says("expected 50MB/s");
    apply("0").exits(2).fails_once();
    let args = ["apply", "plan.json", "--bootstrap-server", "127.0.0.1:1", "--yes"];
    room.unchanged_by(|| room.restow(&args)).exits(2).fails_once().says("--throttle");
}

#[test]
fn what_is_missing_or_unknown_is_usage() {
    let room = Room::with_plan();
    let lines: [&[&str]; 8] = [
        &["migrate"],
        &["plan"],
        &["plan", "migrate", "--cluster", "cluster.json", "--from", "1", "--to", "4"],
        &["check", "plan.json"],
        &["check", "--cluster", "cluster.json"],
        &["export", "plan.json"],
        &["status", "plan.json", "--bootstrap-server", "no-port"],
        &["show", "plan.json", "--format", "xml"],
    ];
    for line in lines {
        let ran = room.unchanged_by(|| room.restow(line)).exits(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{line:?}: {ran:?}");
    }
    room.restow(&["--help"]).exits(0).says("Exit codes:");
    room.restow(&["--version"]).exits(0).says("restow 0.");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let room = Room::with_plan();
    let out = [
        "plan",
        "migrate",
        "--cluster",
        "cluster.json",
        "--from",
        "1,2,3",
        "--to",
        "4,5,6",
        "--leave-out-refused",
        "-o",
    ];
    for (place, says) in [("no/such/plan.json", "no/such/plan.json: cannot write"), (".", "directory")] {
        room.unchanged_by(|| room.restow(&[out.as_slice(), &[place]].concat()))
            .exits(2)
            .fails_once()
            .says(says);
    }
    room.unchanged_by(|| room.restow(&["export", "plan.json", "--dir", "plan.json"]))
        .exits(2)
        .fails_once()
        .says("plan.json");
}
