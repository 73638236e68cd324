//! A pipelined plan: what is said of it, and its rehearsal.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use restow_planner::file;
use restow_planner::plan::Pacing;

use crate::Room;

/// The plan of the story, pipelined.
fn room() -> Room {
    let room = Room::with_plan();
    pipeline(&room);
    room
}

/// Makes plan.json pipelined.
fn pipeline(room: &Room) {
    let path = room.dir.join("plan.json");
    let (mut plan, _) = file::plan::read(&*fs::read(&path).expect("the plan"), "plan.json").expect("a plan");
    plan.pacing = Pacing::Pipelined;
    let mut bytes = Vec::new();
    file::plan::write(&plan, &mut bytes).expect("written");
    fs::write(path, bytes).expect("written");
}

#[test]
fn apply_does_not_begin_without_its_approval() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_restow"))
        .args(["demo", "--serve", "--format", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("restow");
    let mut line = String::new();
    BufReader::new(demo.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let server = told["bootstrap_server"].as_str().expect("an address");
    let room = Room::new();
    let taken = room.restow(&["snapshot", "--bootstrap-server", server, "-o", "cluster.json"]);
    let planned = room.plan(&[]);
    pipeline(&room);
    let apply = |more: &[&str]| {
        let mut args = vec!["apply", "plan.json", "--bootstrap-server", server, "--throttle", "none"];
        args.extend(more);
        room.restow(&args)
    };
    let ran = [apply(&["--yes"]), apply(&["--yes", "--approve", "swap"]), apply(&["--approve", "shrink"])];
    let after = room.restow(&["snapshot", "--bootstrap-server", server, "-o", "after.json"]);
    demo.kill().expect("it runs");
    demo.wait().expect("it ended");
    for ran in [taken, planned, after] {
        ran.exits(0);
    }
    let [bare, swap, asked] = ran;
    bare.exits(3).fails_once().says("--approve shrink").says("nothing was changed");
    swap.exits(3).fails_once().says("--approve shrink");
    // With it a person is asked, and told what it means; there is no terminal here.
    asked.exits(2).says("there is no cheap way back").says("without a gate");
    let journal = room.read("plan.json.journal");
    assert_eq!(journal, "", "nothing was begun");
}

#[test]
fn it_has_no_gates_and_says_so() {
    let room = room();
    room.restow(&["check", "plan.json", "--cluster", "cluster.json"]).exits(0).says("Accepted");
    let shown = room.restow(&["show", "plan.json"]).exits(0).says("needs --approve shrink").says("no gate");
    assert!(!shown.out.contains("gate: waits"), "{}", shown.out);
    let told = room
        .restow(&["forecast", "plan.json", "--cluster", "cluster.json", "--throttle", "20MB/s"])
        .exits(0)
        .says("Time at");
    assert!(!told.out.contains("gate"), "{}", told.out);
    room.restow(&["export", "plan.json", "--dir", "files"]).exits(0);
    let runbook = room.read("files/runbook.md");
    assert!(runbook.contains("**The plan is pipelined**"), "{runbook}");
    assert!(runbook.contains("at the peak in stages"), "{runbook}");
}

#[test]
fn it_is_rehearsed_without_stages() {
    let room = room();
    let ran = room
        .restow(&["rehearse", "plan.json", "--cluster", "cluster.json", "--throttle", "50MB/s"])
        .exits(0)
        .says("done: nothing is left to do");
    assert!(!ran.err.contains("stage "), "{}", ran.err);
    assert!(!ran.out.contains("expand"), "{}", ran.out);
}
