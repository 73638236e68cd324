//! Whole pages: what is on them, and that nothing of a user breaks out of its place.

use restow_executor::journal::Record;
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::{LeftOut, Pacing, Plan};

use super::super::plan::tests::plan_of;
use super::*;

/// A name that would be markup, end a script, and end an attribute.
const NASTY: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&lt;";

fn plan() -> Plan {
    plan_of(&[(&[1, 3], &[4, 6]), (&[3, 2], &[6, 5])])
}

fn page(plan: &Plan) -> String {
    of_plan(&Subject::new(plan, "sha256:abc", "plan.json"))
}

fn nasty() -> Plan {
    let mut plan = plan();
    plan.topics[0].name = NASTY.into();
    plan.cluster_id = NASTY.into();
    plan.brokers.iter_mut().for_each(|broker| broker.zone = Some(format!("{NASTY}{}", broker.id.0 % 2)));
    let partition = TopicPartition::new(NASTY, 1);
    plan.left_out =
        vec![LeftOut { partition: partition.clone(), keeps: vec![BrokerId(1)], reason: NASTY.into() }];
    plan.no_worse = vec![partition];
    plan.accepted_differences = vec![restow_planner::plan::AcceptedDifference {
        key: NASTY.into(),
        topic: NASTY.into(),
        values: vec![(NASTY.into(), vec![BrokerId(1)])],
    }];
    if let restow_planner::plan::Intent::Migrate { topics, .. } = &mut plan.intent {
        *topics = vec![NASTY.into()];
    }
    plan
}

#[test]
fn every_section_is_there_and_linked() {
    let text = page(&plan());
    for id in ["summary", "brokers", "stages", "traffic", "time", "rules", "back", "moves"] {
        assert_eq!(text.matches(&format!("<section id=\"{id}\"")).count(), 1, "{id}");
        assert!(text.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert!(text.starts_with("<!DOCTYPE html><html lang=\"en\">") && text.ends_with("</html>"));
    assert!(text.contains(
        "<title>Migrate from brokers 1-3 to brokers 4-6 · Plan of cluster cluster-of-the-story</title>"
    ));
    assert!(text.contains("default-src 'none'") && text.contains("sha256:abc"));
}

#[test]
fn no_name_breaks_out_of_its_place() {
    let plan = nasty();
    let subject = Subject { price: Some(20_000), ..Subject::new(&plan, NASTY, NASTY) };
    let history = History::of(&plan, &journal());
    for text in [of_plan(&subject), of_run(&subject, &history)] {
        assert!(text.contains("alert(1)"), "the names are on the page");
        assert!(!text.contains("<img") && !text.contains("<script>alert"));
        assert_eq!((text.matches("<script>").count(), text.matches("</script>").count()), (1, 1));
        // A quote of a name is a quote of an attribute nowhere.
        assert!(!text.contains("alert(2)>\"") && !text.contains("alert(2)&gt;\""));
    }
}

fn journal() -> Vec<Record> {
    let opened = restow_executor::journal::Opened {
        format: restow_executor::journal::FORMAT,
        plan_hash: NASTY.into(),
        plan_path: NASTY.into(),
        cluster: NASTY.into(),
        goal: restow_executor::journal::Goal::Forward,
        pace: NASTY.into(),
        throttle: None,
        host: NASTY.into(),
        pid: 1,
        principal: Some(NASTY.into()),
        time: 1_795_264_805_000,
    };
    let partitions = vec![TopicPartition::new(NASTY, 0)];
    vec![
        Record::Opened(opened),
        Record::SetAside { moves: vec![0], partitions },
        Record::Ignored { hold: NASTY.into() },
        Record::Closed { outcome: restow_executor::journal::Outcome::Left, left: vec![NASTY.into()] },
    ]
}

#[test]
fn a_run_is_told_before_its_plan() {
    let plan = plan();
    let history = History::of(&plan, &journal());
    let text = of_run(&Subject::new(&plan, "sha256:abc", "plan.json"), &history);
    let at = |id: &str| text.find(&format!("<section id=\"{id}\"")).expect(id);
    assert!(at("summary") < at("run") && at("run") < at("brokers"));
    assert!(!text.contains("<section id=\"time\""), "without a forecast there is no time line");
    assert!(text.contains("2026-11-21T12:40:05Z") && text.contains("something of ours is left"));
    assert!(text.contains("The cluster was asked for nothing."));
}

#[test]
fn every_figure_has_a_name_and_a_description() {
    let text = page(&plan());
    let figures = text.matches("role=\"img\"").count();
    assert!(figures > 20, "{figures}");
    let named = text.matches("role=\"img\"><title>").count();
    assert_eq!((named, text.matches("</title><desc>").count()), (figures, figures));
    let hidden = text.matches("<svg").count() - figures;
    assert_eq!(
        text.matches("aria-hidden=\"true\"").count() - text.matches("<span class=\"sign").count(),
        hidden
    );
}

#[test]
fn a_plan_of_nothing_has_a_page() {
    let text = page(&Plan::empty("c"));
    assert!(text.contains("Nothing moves") && text.contains("<section id=\"moves\""));
}

#[test]
fn a_pipelined_plan_has_steps_and_no_gate() {
    let mut plan = plan();
    let staged = page(&plan);
    assert!(staged.contains("gate: a person approves swap") && staged.contains(">Stages</h2>"));
    plan.pacing = Pacing::Pipelined;
    let text = page(&plan);
    assert!(!text.contains("a person approves") && text.contains(">Steps</h2>"));
    assert!(text.contains("there is no gate, and what is done is taken back by copying again"));
}

#[test]
fn numbers_at_their_limits_are_no_reason_to_fall() {
    let mut plan = plan();
    plan.impact.iter_mut().for_each(|row| (row.before, row.peak, row.after) = (u64::MAX, u64::MAX, u64::MAX));
    plan.brokers.iter_mut().for_each(|broker| broker.limit_bytes = Some(u64::MAX));
    plan.certificate.moved_bytes = u64::MAX;
    let subject = Subject { price: Some(u64::MAX), ..Subject::new(&plan, "h", "p") };
    assert!(of_plan(&subject).contains("18.4 EB"));
}

#[test]
fn the_same_plan_gives_the_same_page() {
    assert_eq!(page(&plan()), page(&plan()));
}
