//! Files that are cut, edited, of another kind or of another cluster.

use std::fs;

use restow_planner::file;
use restow_planner::model::BrokerId;
use restow_planner::plan::{Move, Moves, Plan};

use crate::Room;

/// Every verb that reads a plan and touches no cluster.
const READERS: [&[&str]; 3] = [
    &["show", "bad.json"],
    &["check", "bad.json", "--cluster", "cluster.json"],
    &["export", "bad.json", "--dir", "change"],
];

#[test]
fn a_cut_plan_is_no_plan() {
    let room = Room::with_plan();
    let good = room.read("plan.json");
    let lines: Vec<&str> = good.lines().collect();
    let cut = [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good[..good.len() - 3].to_owned(),
        lines[..lines.len() - 1].join("\n"),
        lines[..lines.len() - 10].join("\n"),
    ];
    for text in cut {
        room.write("bad.json", &text);
        for verb in READERS {
            room.unchanged_by(|| room.restow(verb)).exits(2).fails_once().says("bad.json");
        }
    }
}

#[test]
fn an_edited_plan_is_no_plan() {
    let room = Room::with_plan();
    let good = room.read("plan.json");
    let edits = [
        ("\"partition\":3", "\"partition\":4"),
        ("\"seed\":0", "\"seed\":1"),
        ("\"seed\":0", "\"seed\": 0"),
        ("\"moved_bytes\":4", "\"moved_bytes\":3"),
        ("sha256:", "sha256:0"),
        ("sha256:", "md5:"),
        ("\"version\":1", "\"version\":2"),
        ("restow-plan", "restow-plot"),
        ("two-az-cluster-of-files", "another"),
    ];
    for (old, new) in edits {
        assert!(good.contains(old), "{old} is not in the plan");
        room.write("bad.json", &good.replacen(old, new, 1));
        for verb in READERS {
            room.unchanged_by(|| room.restow(verb)).exits(2).fails_once().says("bad.json");
        }
    }
    room.write("bad.json", &good.replacen("\"from\":[1,3]", "\"from\":[1,\"x\"]", 1));
    room.restow(&["show", "bad.json"]).exits(2).fails_once().says("line ").says("partition ");
}

#[test]
fn what_is_no_plan_is_said_to_be_none() {
    let room = Room::with_plan();
    room.unchanged_by(|| room.restow(&["show", "missing.json"]))
        .exits(2)
        .fails_once()
        .says("missing.json: cannot read");
    room.unchanged_by(|| room.restow(&["show", "."])).exits(2).fails_once().says("directory");
    room.unchanged_by(|| room.restow(&["show", "cluster.json"])).exits(2).fails_once().says("restow-plan");
    let other = ["check", "plan.json", "--cluster", "plan.json"];
    room.unchanged_by(|| room.restow(&other)).exits(2).fails_once().says("restow-cluster");
    fs::write(room.dir.join("binary"), [0xff, 0xfe, 0, 1, 2]).expect("written");
    room.unchanged_by(|| room.restow(&["show", "binary"])).exits(2).fails_once().says("binary");
}

#[test]
fn a_bad_snapshot_names_line_and_partition() {
    let room = Room::new();
    let good = room.read("cluster.json");
    let cases = [
        (good.replacen("\"replicas\":[3,2]", "\"replicas\":[3,3]", 1), "broker 3 stands twice"),
        (good.replacen("\"replicas\":[3,2]", "\"replicas\":[3,77]", 1), "broker 2 leads or is in sync"),
        (good.replacen("\"replicas\":[3,2]", "\"replicas\":[]", 1), "empty"),
        (good.replacen("\"replicas\":[3,2]", "\"replicas\":\"all\"", 1), "expected a list of broker ids"),
    ];
    for (text, says) in cases {
        room.write("cluster.json", &text);
        room.unchanged_by(|| room.plan(&[]))
            .exits(2)
            .fails_once()
            .says("cluster.json, line ")
            .says("__consumer_offsets-1")
            .says(says);
    }
    room.write("cluster.json", &good[..good.len() / 2]);
    room.unchanged_by(|| room.plan(&[])).exits(2).fails_once().says("cluster.json");
}

/// Every verb that reads a snapshot and touches no cluster.
#[test]
fn a_bad_snapshot_is_refused_by_every_verb_and_writes_nothing() {
    let room = Room::with_plan();
    let good = room.read("cluster.json");
    let line = |text: &str, starts: &str| 1 + text.lines().position(|l| l.starts_with(starts)).expect(starts);
    let edit = |found: &str, instead: &str| {
        assert!(good.contains(found), "{found} is not in the snapshot");
        good.replacen(found, instead, 1)
    };
    let first = good.lines().find(|line| line.starts_with("{\"name\":")).expect("a topic");
    let twice = edit(first, &format!("{first}\n{first}"));
    let unknown =
        edit("\"replicas\":[3,2],\"leader\":3,\"isr\":[3,2]", "\"replicas\":[3,77],\"leader\":3,\"isr\":[3]");
    let cases = [
        (good[..good.len() * 2 / 3].to_owned(), "the file ends in the middle: it was cut".to_owned()),
        (
            edit("{\"id\":2,", "{\"id\":1,"),
            format!("bad.json, line {}, brokers[1]: broker 1 stands twice", line(&good, "{\"id\":2,")),
        ),
        (unknown, "partition __consumer_offsets-1: broker 77 is not among the cluster's brokers".to_owned()),
        (edit("\"sizes\":[", "\"sizes\":[-"), "partition __consumer_offsets-0: -".to_owned()),
        (
            edit("\"total_bytes\":1", "\"total_bytes\":-1"),
            "bad.json, line 4, brokers[0]: invalid value: integer `-1".to_owned(),
        ),
        (twice.clone(), format!("bad.json, line {}, topics[1]: topic", line(&twice, first) + 1)),
    ];
    let verbs: [&[&str]; 6] = [
        &["plan", "migrate", "--cluster", "bad.json", "--from", "1,2,3", "--to", "4,5,6", "-o", "new.json"],
        &["check", "plan.json", "--cluster", "bad.json"],
        &["forecast", "plan.json", "--cluster", "bad.json", "--throttle", "50MB/s"],
        &["rehearse", "plan.json", "--cluster", "bad.json", "--throttle", "50MB/s"],
        &["snapshot", "merge", "bad.json", "cluster.json", "-o", "new.json"],
        &["snapshot", "merge", "cluster.json", "bad.json", "-o", "new.json"],
    ];
    for (text, says) in cases {
        room.write("bad.json", &text);
        for verb in verbs {
            room.unchanged_by(|| room.restow(verb)).exits(2).fails_once().says("bad.json, line ").says(&says);
        }
    }
}

#[test]
fn a_plan_of_another_cluster_is_refused() {
    let room = Room::with_plan();
    let other = room.read("cluster.json").replacen("two-az-cluster-of-files", "some-other-cluster", 1);
    room.write("other.json", &other);
    room.unchanged_by(|| room.restow(&["check", "plan.json", "--cluster", "other.json"]))
        .exits(3)
        .says("two-az-cluster-of-files")
        .says("some-other-cluster");
}

#[test]
fn a_later_snapshot_needs_the_flag() {
    let room = Room::with_plan();
    let later = room
        .read("cluster.json")
        .replace("\"sizes\":[1500000000,1500000000]", "\"sizes\":[1600000000,1600000000]");
    assert_ne!(later, room.read("cluster.json"));
    room.write("later.json", &later);
    room.restow(&["check", "plan.json", "--cluster", "later.json"]).exits(3).says("--later");
    room.restow(&["check", "plan.json", "--cluster", "later.json", "--later"]).exits(0);
}

/// The hash is right, the plan is wrong: check finds it, whoever wrote it.
#[test]
fn a_wrong_plan_with_a_right_hash_is_refused() {
    let room = Room::with_plan();
    let (plan, _) = file::plan::read(room.read("plan.json").as_bytes(), "plan.json").expect("a plan");
    let wrong = Plan { moves: with_both_replicas_in_one_zone(&plan), ..plan };
    let mut bytes = Vec::new();
    file::plan::write(&wrong, &mut bytes).expect("written");
    fs::write(room.dir.join("wrong.json"), bytes).expect("written");
    room.restow(&["show", "wrong.json"]).exits(0);
    room.unchanged_by(|| room.restow(&["check", "wrong.json", "--cluster", "cluster.json"]))
        .exits(3)
        .says("P3 events.by-default-0")
        .says("Refused: ");
}

fn with_both_replicas_in_one_zone(plan: &Plan) -> Moves {
    let mut moves = Moves::default();
    for (at, m) in plan.moves.iter().enumerate() {
        let bad = [BrokerId(4), BrokerId(5)];
        moves.push(Move { to: if at == 0 { &bad } else { m.to }, ..m });
    }
    moves
}
