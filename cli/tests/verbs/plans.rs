//! Every verb under `restow plan`, from a snapshot to a plan that check accepts and a person can ask about.

use crate::Room;

/// A made-up cluster of thirty brokers, six of them empty.
fn room() -> Room {
    let room = Room::new();
    room.restow(&["generate", "--class", "M", "--seed", "3", "-o", "m.json"]).exits(0);
    room
}

fn plan<'a>(verb: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["plan", verb, "--cluster", "m.json", "-o", "p.json"];
    args.extend(more);
    args
}

#[test]
fn every_verb_gives_a_plan_that_is_accepted_shown_and_exported() {
    let room = room();
    let cases = [
        (
            "rebalance",
            &["--measures", "replicas,bytes", "--tolerance", "10%"][..],
            "even out replicas and bytes",
        ),
        ("add", &["--brokers", "25,26,27,28,29,30", "--measures", "bytes"], "bring new brokers 25"),
        ("drain", &["--brokers", "5", "--pacing", "staged"], "drain brokers 5"),
        ("drain", &["--brokers", "4", "--replace-with", "25"], "replace brokers 4 with broker 25"),
        ("set-rf", &["--replication-factor", "2", "--topics", "topic-00000."], "replication factor to 2"),
        ("repair", &[], "spread replicas over zones"),
        ("leaders", &["--minimal"], "no fewer than"),
        ("leaders", &["--demote", "3"], "take leadership off brokers 3"),
    ];
    for (number, (verb, more, says)) in cases.into_iter().enumerate() {
        room.restow(&plan(verb, more)).exits(0).says("Certificate");
        room.restow(&["check", "p.json", "--cluster", "m.json"]).exits(0);
        room.restow(&["show", "p.json"]).exits(0).says(says);
        room.restow(&["forecast", "p.json", "--cluster", "m.json", "--throttle", "100MB/s"]).exits(0);
        if verb != "repair" {
            room.restow(&["export", "p.json", "--dir", &format!("change-{number}")]).exits(0);
        }
    }
}

#[test]
fn a_plan_is_explained() {
    let room = room();
    room.restow(&plan("drain", &["--brokers", "5"])).exits(0);
    room.restow(&["explain", "p.json", "--broker", "5"]).exits(0).says("it is to be empty");
    let shown = room.restow(&["show", "p.json", "--moves"]).exits(0);
    let last = shown.out.lines().last().and_then(|line| line.split_whitespace().next()).expect("a move");
    room.restow(&["explain", "p.json", "--partition", last]).exits(0).says("Broker 5 loses its replica");
    room.restow(&["explain", "p.json", "--partition", "nothing-0"]).exits(0).says("does not move");
    room.unchanged_by(|| room.restow(&["explain", "p.json", "--broker", "99"])).exits(2).says("broker 99");
}

#[test]
fn somebody_elses_assignment_is_staged() {
    let room = room();
    room.restow(&plan("drain", &["--brokers", "5", "--pacing", "staged"])).exits(0);
    room.restow(&["export", "p.json", "--dir", "d", "--max-partitions-per-wave", "10000"]).exits(0);
    let file = room.files().into_keys().find(|path| {
        let path = path.to_string_lossy();
        path.contains("shrink") && path.ends_with(".json") && !path.contains("rollback")
    });
    let file = file.expect("a shrink file").to_string_lossy().into_owned();
    room.restow(&plan("follow", &["--reassignment-json-file", &file])).exits(0);
    room.restow(&["show", "p.json"]).exits(0).says("follow an assignment");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let room = room();
    for (args, says) in [
        (plan("drain", &["--brokers", "99"]), "broker 99 is not in the snapshot"),
        (
            plan("drain", &["--brokers", "5", "--replace-with", "5"]),
            "stands in --brokers and in --replace-with",
        ),
        (plan("rebalance", &["--measures", "read-rate"]), "knows no read rate"),
        (plan("set-rf", &["--replication-factor", "3", "--topics", "nope"]), "matches none of"),
    ] {
        room.unchanged_by(|| room.restow(&args)).exits(2).says(says);
    }
    let refused = room.unchanged_by(|| room.restow(&plan("set-rf", &["--replication-factor", "31"])));
    refused.exits(3).says("fewer usable brokers");
}
