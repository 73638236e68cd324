//! Brokers that nothing comes to and nothing leaves.

use restow_planner::check::{At, judge};
use restow_planner::generate::{self, Class};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{BrokerId, Cluster};
use restow_planner::place::{self, Options, PlaceError, Placed, RefusalKind};
use restow_planner::plan::{Bands, Budget, Intent, Measure};

fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

fn plan(cluster: &Cluster, intent: &Intent, pinned: &[i32]) -> Result<Placed, PlaceError> {
    let options = Options { pinned: ids(pinned), ..Options::default() };
    let placed = place::plan(cluster, intent, &options, &mut Unwatched)?;
    let verdict = judge(&placed.plan, cluster, At::Start);
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
    Ok(placed)
}

/// Moves after which a broker holds a partition that it did not, or the other way round.
fn touching(placed: &Placed, broker: i32) -> usize {
    let id = BrokerId(broker);
    placed.plan.moves.iter().filter(|m| m.from.contains(&id) != m.to.contains(&id)).count()
}

fn rebalance() -> Intent {
    let bands = Bands::on(&[Measure::Replicas, Measure::Bytes], 500);
    Intent::Rebalance { bands, budget: Budget::default(), topics: vec![], exclude: vec![] }
}

fn factor(factor: u32) -> Intent {
    Intent::SetFactor { factor, topics: vec![], exclude: vec![] }
}

#[test]
fn a_rebalance_leaves_them_alone() {
    let cluster = generate::cluster(&Class::M, 1);
    let free = plan(&cluster, &rebalance(), &[]).unwrap();
    assert!(touching(&free, 1) > 0 && touching(&free, 28) > 0);
    let placed = plan(&cluster, &rebalance(), &[1, 28]).unwrap();
    assert_eq!((touching(&placed, 1), touching(&placed, 28)), (0, 0));
    assert!(placed.plan.moves.len() > 1000, "the others are evened out");
    let told: Vec<i32> = placed.plan.brokers.iter().filter(|b| b.pinned).map(|b| b.id.0).collect();
    assert_eq!(told, [1, 28]);

    let mut lie = free.plan;
    lie.brokers.iter_mut().for_each(|broker| broker.pinned = broker.id == BrokerId(1));
    let findings = judge(&lie, &cluster, At::Start).findings;
    assert!(findings.iter().any(|f| f.broker == Some(BrokerId(1)) && f.message.starts_with("is pinned")));
}

#[test]
fn other_replicas_go_and_what_would_have_to_leave_them_is_refused() {
    let class = Class { factor: 3, zones: 3, ..Class::migrate(300, 6, 0) };
    let cluster = generate::cluster(&class, 1);
    let placed = plan(&cluster, &factor(2), &[1]).unwrap();
    assert_eq!((placed.plan.moves.len(), touching(&placed, 1)), (300, 0));
    // Every list has one of 1 and 4, one of 2 and 5, one of 3 and 6.
    let refused = plan(&cluster, &factor(1), &[1, 4, 2, 5]).unwrap_err();
    let PlaceError::Refused { refusals } = refused else { panic!("{refused}") };
    assert!(refusals.iter().all(|refusal| refusal.kind == RefusalKind::Pinned) && refusals.len() == 300);
    assert!(refusals[0].reason.contains("which is pinned, would have to leave"), "{:?}", refusals[0]);
}

#[test]
fn a_drain_gives_them_nothing_and_is_not_about_them() {
    let class = Class { factor: 2, zones: 2, ..Class::migrate(600, 12, 0) };
    let cluster = generate::cluster(&class, 1);
    let drain = Intent::Drain { brokers: ids(&[1]), replace_with: None, topics: vec![], exclude: vec![] };
    let placed = plan(&cluster, &drain, &[3, 5]).unwrap();
    assert!(touching(&placed, 7) > 0);
    assert_eq!((touching(&placed, 3), touching(&placed, 5)), (0, 0));
    let error = plan(&cluster, &drain, &[1]).unwrap_err().to_string();
    assert!(error.starts_with("--pin-brokers: broker 1 is one that is to be emptied"), "{error}");
    let error = plan(&cluster, &drain, &[99]).unwrap_err().to_string();
    assert!(error.starts_with("--pin-brokers: broker 99 is not in the snapshot"), "{error}");
}
