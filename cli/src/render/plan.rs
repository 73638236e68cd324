//! A plan as a person reads it (`restow show`).

use std::collections::BTreeMap;
use std::fmt::Write;

use restow_planner::model::{BrokerId, replicas};
use restow_planner::plan::{Certificate, Move, Pacing, Plan, Step, moves};

use super::table::Table;
use super::{asked, bars, left_out, list, price, units};

/// Rows of a table of topics before the rest is summed up.
const TOPICS: usize = 20;

/// The whole plan.
pub fn show(plan: &Plan, hash: &str, every_move: bool) -> String {
    let mut text = String::new();
    let mut section = |heading: &str, body: &str| {
        if !body.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = write!(text, "{gap}{heading}\n{body}");
        }
    };
    section("Plan", &head(plan, hash));
    section("Zones", &zones(plan));
    section("What moves", &topics(plan));
    section("Brokers (all their replicas, moved or not)", &brokers(plan));
    section("Before and after", &bars::of(plan));
    section("Copies", &copies(plan));
    match plan.pacing {
        Pacing::Staged => section("Stages", &stages(plan)),
        Pacing::Pipelined => section("Steps (pipelined: each partition on its own, no gate)", &stages(plan)),
    }
    section("Leaders", &leaders(plan));
    section("Left out", &left_out(plan));
    section("Zone rule", &no_worse(plan));
    section("Accepted config differences", &accepted(plan));
    section("Certificate", &certificate(&plan.certificate));
    if every_move {
        section("Moves", &every(plan));
    }
    text
}

fn head(plan: &Plan, hash: &str) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "  cluster  {}", plan.cluster_id);
    let _ = writeln!(text, "  intent   {}", asked::intent(&plan.intent));
    let _ = writeln!(text, "  moves    {}", totals(plan));
    let _ = writeln!(text, "  hash     {hash}");
    text
}

/// Partitions, copies and bytes, in words.
pub fn totals(plan: &Plan) -> String {
    let copies: usize = plan.moves.iter().map(|m| moves::added(m.from, m.to).len()).sum();
    let mut text = format!(
        "{} of {}; {} to copy, {}",
        units::of(plan.moves.len() as u64, "partition"),
        units::of(plan.topics.len() as u64, "topic"),
        units::of(copies as u64, "new replica"),
        units::bytes_exact(plan.certificate.moved_bytes),
    );
    if plan.certificate.unknown_sizes > 0 {
        let _ = write!(text, " and {} of unknown size", units::count(plan.certificate.unknown_sizes));
    }
    text
}

fn zones(plan: &Plan) -> String {
    let mut by_zone: BTreeMap<Option<&str>, Vec<BrokerId>> = BTreeMap::new();
    for broker in &plan.brokers {
        by_zone.entry(broker.zone.as_deref()).or_default().push(broker.id);
    }
    if by_zone.keys().all(Option::is_none) {
        return "  No broker has a rack: all are one zone, and zone rules are off.\n".into();
    }
    let (leave, enter) = (plan.intent.sources(), plan.intent.destinations());
    let among = |brokers: &[BrokerId], set: &[BrokerId]| {
        list::commas(brokers.iter().filter(|broker| set.contains(broker)))
    };
    let mut table = Table::new(&["zone", "brokers", "to leave", "to go to"]);
    for (zone, brokers) in by_zone {
        table.row([
            zone.unwrap_or("-").to_owned(),
            list::commas(&brokers),
            among(&brokers, leave),
            among(&brokers, enter),
        ]);
    }
    table.render(2)
}

#[derive(Default)]
struct TopicSum {
    partitions: u64,
    copies: u64,
    bytes: u64,
    unknown: u64,
}

impl TopicSum {
    fn add(&mut self, m: &Move<'_>) {
        let copies = moves::added(m.from, m.to).len() as u64;
        self.partitions += 1;
        self.copies += copies;
        match m.bytes {
            Some(bytes) => self.bytes += bytes * copies,
            None => self.unknown += copies,
        }
    }

    fn cells(&self, name: String) -> [String; 5] {
        let unknown = if self.unknown > 0 { units::count(self.unknown) } else { String::new() };
        [name, units::count(self.partitions), units::count(self.copies), units::bytes(self.bytes), unknown]
    }
}

fn topics(plan: &Plan) -> String {
    let mut sums: Vec<TopicSum> = plan.topics.iter().map(|_| TopicSum::default()).collect();
    for m in plan.moves.iter() {
        sums[m.topic as usize].add(&m);
    }
    let mut order: Vec<usize> = (0..sums.len()).filter(|at| sums[*at].partitions > 0).collect();
    order.sort_by_key(|at| std::cmp::Reverse(sums[*at].bytes));
    let shown = if order.len() > TOPICS + 1 { TOPICS } else { order.len() };
    let mut table =
        Table::new(&["topic", ">partitions", ">new replicas", ">bytes to copy", ">unknown sizes"]);
    for at in &order[..shown] {
        let topic = &plan.topics[*at];
        let internal = if topic.internal { " (internal, last in each stage)" } else { "" };
        table.row(sums[*at].cells(format!("{}{internal}", topic.name)));
    }
    let mut rest = TopicSum::default();
    for at in &order[shown..] {
        rest.partitions += sums[*at].partitions;
        rest.copies += sums[*at].copies;
        rest.bytes += sums[*at].bytes;
        rest.unknown += sums[*at].unknown;
    }
    if rest.partitions > 0 {
        table.row(rest.cells(format!("{} more topics", order.len() - shown)));
    }
    if table.is_empty() { "  Nothing: the cluster is already as asked.\n".into() } else { table.render(2) }
}

fn brokers(plan: &Plan) -> String {
    let mut table = Table::new(&[
        "broker",
        "zone",
        ">before",
        ">peak",
        ">after",
        ">limit",
        ">replicas",
        ">after",
        "",
        ">leaders",
        ">after",
        "",
        ">unknown sizes",
    ]);
    for row in &plan.impact {
        let broker = plan.brokers.iter().find(|b| b.id == row.broker);
        let zone = broker.and_then(|b| b.zone.as_deref()).unwrap_or("-");
        let limit = broker.and_then(|b| b.limit_bytes).map_or_else(|| "unknown".into(), units::bytes);
        let number = |n: u32| units::count(u64::from(n));
        table.row([
            row.broker.to_string(),
            zone.to_owned(),
            units::bytes(row.before),
            units::bytes(row.peak),
            units::bytes(row.after),
            limit,
            number(row.replicas_before),
            number(row.replicas_after),
            units::difference(row.replicas_before.into(), row.replicas_after.into()),
            number(row.leaders_before),
            number(row.leaders_after),
            units::difference(row.leaders_before.into(), row.leaders_after.into()),
            if row.unknown > 0 { number(row.unknown) } else { String::new() },
        ]);
    }
    if table.is_empty() { String::new() } else { table.render(2) }
}

fn copies(plan: &Plan) -> String {
    let impact = plan.price();
    let mut text = format!("  {}\n", price::sentence(plan, &impact));
    if !impact.brokers.is_empty() {
        text.push('\n');
        text.push_str(&price::pairs(&impact.brokers, "broker"));
    }
    if plan.brokers.iter().any(|b| b.zone.is_some()) && !impact.zones.is_empty() {
        text.push('\n');
        text.push_str(&price::pairs(&impact.zones, "zone"));
    }
    text
}

/// Number of moves with a step of this kind.
pub fn with_step(plan: &Plan, step: Step) -> usize {
    plan.moves.iter().filter(|m| m.has(step)).count()
}

fn stages(plan: &Plan) -> String {
    let mut text = String::new();
    let mut number = 0;
    for step in Step::ALL {
        let partitions = with_step(plan, step);
        if partitions == 0 {
            continue;
        }
        match (plan.pacing, step) {
            (Pacing::Staged, Step::Swap) => text.push_str("     gate: waits for --approve swap\n"),
            (Pacing::Staged, Step::Shrink) => {
                text.push_str("     gate: waits for --approve shrink. The point of no return\n");
            }
            (Pacing::Pipelined, Step::Shrink) => {
                text.push_str("     the point of no return of each partition: apply needs --approve shrink from the start\n");
            }
            _ => {}
        }
        number += 1;
        let what = match step {
            Step::Expand => {
                "new replicas are added and filled; the old ones stay, leaders too. Back: cancel, free"
            }
            Step::Swap => "the new replicas come first and lead; nothing is copied. Back: reorder, free",
            Step::Shrink => "the old replicas are dropped. Back: all is copied again",
        };
        let partitions = units::of(partitions as u64, "partition");
        let _ = writeln!(text, "  {number}  {:<6}  {partitions}: {what}", step.to_string());
    }
    text
}

fn leaders(plan: &Plan) -> String {
    if plan.moves.is_empty() {
        return String::new();
    }
    let changed = plan.moves.iter().filter(|m| m.from[0] != m.to[0]).count();
    let across = plan.moves.iter().filter(|m| plan.zone(m.from[0]) != plan.zone(m.to[0])).count();
    let mut text = format!(
        "  The preferred leader changes for {}, {} of them into another zone.\n",
        units::of(changed as u64, "partition"),
        units::count(across as u64),
    );
    let elsewhere = plan.moves.iter().filter(|m| m.leader.is_some()).count();
    if elsewhere > 0 {
        let were = if elsewhere == 1 { "partition was" } else { "partitions were" };
        let _ = writeln!(
            text,
            "  {} {were} led by another than the preferred leader; a rollback gives the preferred one the lead.",
            units::count(elsewhere as u64),
        );
    }
    text
}

fn left_out(plan: &Plan) -> String {
    let mut text = String::new();
    for kept in left_out::groups(plan) {
        let (numbers, on) = (kept.numbers(), list::and(&kept.on));
        let _ = writeln!(text, "  {} {numbers} (stays on {on}): {}", kept.topic, kept.reason);
    }
    for (broker, replicas) in left_out::per_broker(plan) {
        let _ = writeln!(
            text,
            "  Broker {broker} will not be empty: it keeps {}.",
            units::of(replicas, "replica")
        );
    }
    text
}

fn no_worse(plan: &Plan) -> String {
    let mut by: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in &plan.no_worse {
        by.entry(&partition.topic).or_default().push(partition.partition);
    }
    let mut text = String::new();
    for (topic, partitions) in by {
        let partitions = list::ranges(&partitions);
        let _ = writeln!(
            text,
            "  {topic} {partitions}: unevenly spread at the start; the plan never makes it worse"
        );
    }
    text
}

fn accepted(plan: &Plan) -> String {
    let mut text = String::new();
    for difference in &plan.accepted_differences {
        let values = difference.values.iter();
        let values = values.map(|(value, brokers)| format!("{value} on {}", list::commas(brokers)));
        let values: Vec<String> = values.collect();
        let _ = writeln!(text, "  {} {}: {}", difference.topic, difference.key, values.join("; "));
    }
    text
}

/// The certificate and its gap, in words.
pub fn certificate(certificate: &Certificate) -> String {
    let Certificate { bound_bytes, moved_bytes, unknown_sizes, prices, leaders } = certificate;
    let gap = match moved_bytes.saturating_sub(*bound_bytes) {
        0 => "nothing more than it must".to_owned(),
        gap if *bound_bytes > 0 => {
            let percent = units::decimal(u128::from(gap) * 100, u128::from(*bound_bytes), 2);
            format!("{} more than it must, {percent} %", units::bytes_exact(gap))
        }
        gap => format!("{} more than it must", units::bytes_exact(gap)),
    };
    let mut text = format!(
        "  No plan for this intent copies less than {}.\n  This one copies {}: {gap}.\n",
        units::bytes_exact(*bound_bytes),
        units::bytes_exact(*moved_bytes),
    );
    if !prices.is_empty() {
        text.push_str("  Prices of brokers in the plan file prove it: restow check weighs them again.\n");
    }
    if let Some(proof) = leaders {
        let _ = writeln!(
            text,
            "  {} change their preferred leader, and no fewer than {} can.",
            units::of(proof.changes, "partition"),
            units::count(proof.bound)
        );
    }
    if *unknown_sizes > 0 {
        let replicas = units::of(*unknown_sizes, "replica");
        let _ = writeln!(text, "  {replicas} of unknown size to copy count in neither figure.");
    }
    text
}

fn every(plan: &Plan) -> String {
    let mut table = Table::new(&["partition", "start", "expand", "swap", "shrink", ">bytes each"]);
    for m in plan.moves.iter() {
        let steps = moves::steps(&plan.kept(&m), m.to);
        let after = |step: Step| {
            steps.iter().find(|(s, _)| *s == step).map_or_else(String::new, |(_, list)| replicas::show(list))
        };
        table.row([
            plan.partition_of(&m).to_string(),
            replicas::show(m.from),
            after(Step::Expand),
            after(Step::Swap),
            after(Step::Shrink),
            m.bytes.map_or_else(|| "unknown".into(), units::bytes),
        ]);
    }
    if table.is_empty() { String::new() } else { table.render(2) }
}

#[cfg(test)]
pub(crate) mod tests;
