//! The exported files and the stock tools (row 5): they agree with us, and we with them.

use restow_testing::{Spec, ToolOutput, available_or_skip};

use crate::world::{NEW, OLD, World, files};

#[test]
fn stock_tools_verify_our_stages_and_we_understand_theirs() {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(Spec::two_az("4.3.1"));
    world.topic("t.a-b_c", 8, &[]);
    world.fill("t.a-b_c", 2_000, 500);
    world.settle();
    let start = world.state();
    world.plan("plan", OLD, NEW, &[]).exits(0);
    world.restow(&["export", "plan.json", "--dir", "change", "--max-partitions-per-wave", "5"]).exits(0);
    let verify = |stage: &str| {
        for file in own(&world, stage) {
            let said = tool(&world, &file, &["--verify", "--preserve-throttles"]).expect_success();
            assert_eq!(
                said.matches("is completed").count(),
                said.matches("Reassignment of").count(),
                "{said}"
            );
            assert!(said.contains("is completed") && !said.contains("rather than"), "{said}");
        }
    };
    // Ours runs, theirs verifies.
    world.apply("plan.json", &[]).exits(4);
    verify("expand");
    world.apply("plan.json", &["--approve", "swap"]).exits(4);
    verify("swap");
    world.rollback("plan.json").exits(0);
    world.is_as(&start);

    // Theirs runs, ours understands.
    for file in own(&world, "expand") {
        let _ = tool(&world, &file, &["--execute"]).expect_success();
        assert!(world.kafka.admin().wait_until_settled(std::time::Duration::from_secs(60)));
    }
    world.on_cluster("status", &["plan.json"]).exits(4).says("gate before swap");
    for file in own(&world, "swap") {
        let _ = tool(&world, &file, &["--execute"]).expect_success();
        let election = file.replace(".json", ".election.json");
        let args = ["--election-type", "preferred", "--path-to-json-file", &election];
        let _ = world.kafka.elect(&args).expect_success();
    }
    world.on_cluster("status", &["plan.json"]).exits(4).says("gate before shrink");
    for file in own(&world, "shrink") {
        let _ = tool(&world, &file, &["--execute"]).expect_success();
        assert!(world.kafka.admin().wait_until_settled(std::time::Duration::from_secs(60)));
    }
    world.on_cluster("status", &["plan.json"]).exits(0).says("at its target");
    verify("shrink");
}

/// Undoing a running expansion with the stock tool of 3.9.2, as the runbook says.
#[test]
fn the_runbook_undoes_a_running_expansion_on_3_9_2() {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(Spec::two_az("3.9.2"));
    world.topic("slow", 4, &[]);
    world.fill("slow", 40_000, 1_000);
    world.settle();
    let start = world.state();
    world.plan("plan", OLD, NEW, &[]).exits(0);
    world.restow(&["export", "plan.json", "--dir", "change"]).exits(0);
    let file = own(&world, "expand").remove(0);
    let twin = file.replace(".json", ".rollback.json");
    let _ = tool(&world, &file, &["--execute", "--throttle", "1000000"]).expect_success();
    assert!(!world.kafka.admin().reassignments().unwrap().is_empty());
    // The one sequence that is right on 3.7.2, 3.9.2, 4.0.2 and 4.3.1: the twin goes in, and is cancelled where it
    // hangs; where it does not, the cancel finds nothing. --verify clears the throttles.
    let _ = tool(&world, &twin, &["--execute", "--additional"]).expect_success();
    let _ = tool(&world, &twin, &["--cancel", "--preserve-throttles"]).expect_success();
    assert!(world.kafka.admin().wait_until_settled(std::time::Duration::from_secs(20)), "still in flight");
    let _ = tool(&world, &twin, &["--verify"]).expect_success();
    assert_eq!(world.state().lists, start.lists);
}

/// The files of a stage itself, without twins and elections.
fn own(world: &World, stage: &str) -> Vec<String> {
    let all = files(&world.dir.join("change"), &format!("-{stage}-"));
    let all = all.into_iter().map(|path| path.display().to_string());
    let own: Vec<String> =
        all.filter(|name| !name.contains("rollback") && !name.contains("election")).collect();
    assert!(!own.is_empty(), "no file of stage {stage}");
    own
}

fn tool(world: &World, file: &str, how: &[&str]) -> ToolOutput {
    let mut args = vec!["--reassignment-json-file", file];
    args.extend(how);
    world.kafka.reassign(&args)
}
