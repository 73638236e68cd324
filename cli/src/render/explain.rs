//! Why a replica moves, or stays, in words.

use restow_planner::model::{BrokerId, replicas};
use restow_planner::plan::{BrokerImpact, Intent, Move, Plan, moves};

use super::asked;
use super::units;

/// A partition that moves.
pub fn moved(plan: &Plan, m: &Move<'_>) -> Vec<String> {
    let mut told = vec![
        format!("{} goes from {} to {}.", plan.partition_of(m), replicas::show(m.from), replicas::show(m.to)),
        format!("Asked: {}.", asked::intent(&plan.intent)),
    ];
    let (added, removed) = (moves::added(m.from, m.to), moves::removed(m.from, m.to));
    told.extend(removed.iter().map(|id| format!("Broker {id} loses its replica: {}.", leaves(plan, *id))));
    let size = m.bytes.map_or_else(|| "an unknown number of bytes".to_owned(), units::bytes);
    for id in &added {
        let zone = plan.zone(*id).map_or_else(String::new, |zone| format!(" in zone {zone}"));
        told.push(format!("Broker {id}{zone} gets a copy of {size}: {}.", gets(plan, *id)));
    }
    if m.from[0] != m.to[0] {
        let why = if removed.contains(&m.from[0]) { "the old one leaves" } else { "leaders are evened out" };
        told.push(format!("Its preferred leader changes from {} to {}: {why}.", m.from[0], m.to[0]));
    }
    for (step, list) in moves::steps(&plan.kept(m), m.to) {
        told.push(format!("  {step}: {}", replicas::show(&list)));
    }
    if plan.no_worse.contains(&plan.partition_of(m)) {
        told.push("Its start breaks the zone rule; the plan does not make it worse.".into());
    }
    told
}

/// Why whatever the plan does not name stays.
pub fn stays(plan: &Plan) -> String {
    let what = match &plan.intent {
        Intent::Migrate { .. } | Intent::Drain { .. } => "none of its replicas is on a broker to be left",
        Intent::Add { .. } | Intent::Rebalance { .. } => {
            "the bands are met without it, for fewer bytes than with it"
        }
        Intent::SetFactor { .. } => "it has as many replicas as asked",
        Intent::Repair { .. } => "it is spread over its zones, and its brokers are in service",
        Intent::Leaders { .. } => "its preferred leader suits what is asked",
        Intent::Follow { .. } => "the assignment does not name it, or it stands there already",
        Intent::Return { .. } => "it is not beyond a return without copying",
    };
    format!(
        "{what}, or the patterns of topics leave it out, or the cluster did not have it when the plan was made"
    )
}

/// One broker.
pub fn broker(plan: &Plan, id: BrokerId) -> Vec<String> {
    let mut told = vec![format!("Asked: {}.", asked::intent(&plan.intent))];
    if let Some(row) = row(plan, id) {
        told.push(format!(
            "Broker {id}: {} before, {} after; replicas {} and {}; preferred leaders {} and {}.",
            units::bytes_exact(row.before),
            units::bytes_exact(row.after),
            units::count(row.replicas_before.into()),
            units::count(row.replicas_after.into()),
            units::count(row.leaders_before.into()),
            units::count(row.leaders_after.into()),
        ));
    }
    let (mut gets, mut loses, mut leads, mut leaves) = (0u64, 0u64, 0u64, 0u64);
    for m in plan.moves.iter() {
        gets += u64::from(moves::added(m.from, m.to).contains(&id));
        loses += u64::from(moves::removed(m.from, m.to).contains(&id));
        leads += u64::from(m.to[0] == id && m.from[0] != id);
        leaves += u64::from(m.from[0] == id && m.to[0] != id);
    }
    told.push(format!("It gets {} and loses {}.", units::of(gets, "replica"), units::of(loses, "replica")));
    told.push(format!(
        "It begins to lead {} and ends leading {}.",
        units::of(leads, "partition"),
        units::count(leaves)
    ));
    if loses > 0 {
        told.push(format!("It loses them because {}.", self::leaves(plan, id)));
    }
    if gets > 0 {
        told.push(format!("It gets them because {}.", self::gets(plan, id)));
    }
    told
}

fn row(plan: &Plan, id: BrokerId) -> Option<&BrokerImpact> {
    plan.impact.iter().find(|row| row.broker == id)
}

fn leaves(plan: &Plan, id: BrokerId) -> String {
    if plan.given_up.contains(&id) {
        return "it is out of service and given up".into();
    }
    match &plan.intent {
        Intent::Migrate { .. } | Intent::Drain { .. } => "it is to be empty".into(),
        Intent::Add { .. } => format!("the new brokers need their share; {}", share(plan, id)),
        Intent::Rebalance { .. } => share(plan, id),
        Intent::SetFactor { .. } => "fewer replicas are asked for, and this one is missed least".into(),
        Intent::Repair { .. } => "its zone has more replicas of a partition than its part".into(),
        Intent::Follow { .. } => "the assignment says so".into(),
        Intent::Leaders { .. } | Intent::Return { .. } => "the plan is taken back".into(),
    }
}

fn gets(plan: &Plan, id: BrokerId) -> String {
    match &plan.intent {
        Intent::Migrate { .. } | Intent::Drain { .. } => {
            format!("it stands in the zone of the replica that leaves; {}", share(plan, id))
        }
        Intent::Add { .. } => format!("it is new; {}", share(plan, id)),
        Intent::Rebalance { .. } => share(plan, id),
        Intent::SetFactor { .. } | Intent::Repair { .. } => {
            format!("its zone has the fewest replicas of the partition; {}", share(plan, id))
        }
        Intent::Follow { .. } => "the assignment says so".into(),
        Intent::Leaders { .. } | Intent::Return { .. } => "the plan is taken back".into(),
    }
}

/// What a broker has beside the mean of its zone, before and after.
fn share(plan: &Plan, id: BrokerId) -> String {
    let Some(own) = row(plan, id) else { return "nothing is known of its bytes".into() };
    let zone: Vec<&BrokerImpact> =
        plan.impact.iter().filter(|row| plan.zone(row.broker) == plan.zone(id)).collect();
    let part = |of: fn(&BrokerImpact) -> u64| {
        let sum: u128 = zone.iter().map(|row| u128::from(of(row))).sum();
        units::decimal(u128::from(of(own)) * zone.len() as u128 * 100, sum.max(1), 1)
    };
    format!(
        "it holds {} % of its zone's mean of bytes before the plan and {} % after, {} % and {} % of replicas",
        part(|row| row.before),
        part(|row| row.after),
        part(|row| row.replicas_before.into()),
        part(|row| row.replicas_after.into())
    )
}
