//! The way back and what it costs, at each point of a run.

use maud::{Markup, html};
use restow_planner::plan::{Pacing, Plan, Step};

use super::super::{price, units};
use super::figure;
use super::{Section, Subject};

/// What it takes to go back when all is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Back {
    /// Replicas that have to be copied again.
    pub copies: u64,
    /// Their bytes, of known sizes.
    pub bytes: u64,
    /// Of these, bytes that come from another zone.
    pub across: u64,
    /// Of the copies, those whose size is unknown.
    pub unknown: u64,
    /// Dropped replicas on brokers that were given up: they do not come back.
    pub lost: u64,
}

impl Back {
    /// The way back of a plan. Copies come from the leader at the end.
    pub fn of(plan: &Plan) -> Back {
        let mut back = Back::default();
        for m in plan.moves.iter() {
            for id in m.from.iter().filter(|id| !m.to.contains(id)) {
                if plan.given_up.contains(id) {
                    back.lost += 1;
                    continue;
                }
                back.copies += 1;
                back.unknown += u64::from(m.bytes.is_none());
                let bytes = m.bytes.unwrap_or(0);
                back.bytes = back.bytes.saturating_add(bytes);
                let is_across = plan.zone(*id) != plan.zone(m.to[0]);
                back.across = back.across.saturating_add(if is_across { bytes } else { 0 });
            }
        }
        back
    }
}

/// The section.
pub fn section(subject: &Subject<'_>) -> Section {
    let plan = subject.plan;
    let back = Back::of(plan);
    let body = html! {
        @if plan.moves.is_empty() {
            p { "Nothing moves, so there is nothing to take back." }
        } @else {
            p {
                "The way back from any point is one command; nothing rolls back by itself. "
                "Every replica list comes back in its order, with its leaders and configs."
            }
            pre { code { "restow rollback " (subject.file) " --bootstrap-server HOST:PORT" } }
            (points(subject, &back))
            @if plan.pacing == Pacing::Pipelined && plan.has(Step::Shrink) {
                p.note { "Partitions go through their steps on their own: what is copied again is that of the partitions which are already shrunk." }
            }
            @if back.lost > 0 {
                p.note { (units::of(back.lost, "copy")) " on brokers that were given up do not come back." }
            }
            @if back.unknown > 0 {
                p.note { "The size of " (units::of(back.unknown, "copy")) " is unknown: in no figure." }
            }
        }
    };
    Section { id: "back".into(), heading: "The way back".into(), body }
}

/// A point of a run from which one may go back.
struct Point {
    at: &'static str,
    way: &'static str,
    /// The part of the whole cost that it may come to: nothing, up to all, all.
    cost: Cost,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cost {
    Nothing,
    UpToAll,
    All,
}

fn points(subject: &Subject<'_>, back: &Back) -> Markup {
    let points = list(subject.plan);
    html! {
        div.box tabindex="0" role="region" aria-label="The way back at each point" {
            table {
                thead { tr {
                    th scope="col" { "When" }
                    th scope="col" { "How" }
                    th.n scope="col" { "Copied again" }
                    th scope="col" { "In proportion" }
                    @if subject.is_zoned() { th.n scope="col" { "From zone to zone" } }
                    @if subject.price.is_some() { th.n scope="col" { "Costs" } }
                } }
                tbody { @for point in &points { (row(subject, back, point)) } }
            }
        }
    }
}

fn row(subject: &Subject<'_>, back: &Back, point: &Point) -> Markup {
    let amount = |all: String| match point.cost {
        Cost::Nothing => "nothing".to_owned(),
        Cost::UpToAll => format!("up to {all}"),
        Cost::All => all,
    };
    let money = |each: u64| {
        let all = units::decimal(price::micros(back.across, each), 1_000_000, 2);
        if point.cost == Cost::Nothing { "0".to_owned() } else { amount(all) }
    };
    let told = amount(units::bytes(back.bytes));
    let marks = html! {
        line.axis x1="0" x2="0" y1="0" y2="14" {}
        @if point.cost == Cost::UpToAll { (figure::bar("peak", back.bytes, back.bytes, "2", "10")) }
        @if point.cost == Cost::All { (figure::bar("old", back.bytes, back.bytes, "2", "10")) }
    };
    html! {
        tr {
            th.prose scope="row" { (point.at) }
            td.prose { (point.way) }
            td.n { (told) }
            td.bars { (figure::figure("glyph", "14", point.at, &told, &marks)) }
            @if subject.is_zoned() { td.n { (amount(units::bytes(back.across))) } }
            @if let Some(each) = subject.price { td.n { (money(each)) } }
        }
    }
}

fn list(plan: &Plan) -> Vec<Point> {
    let is_staged = plan.pacing == Pacing::Staged;
    let mut points = Vec::new();
    if plan.has(Step::Expand) {
        let at = match (is_staged, plan.has(Step::Swap)) {
            (true, true) => "While expanding, and at the gate before swap",
            (true, false) => "While expanding, and once expanded",
            (false, _) => "A partition that is expanding",
        };
        let way = "copies in flight are cancelled, new ones are dropped";
        points.push(Point { at, way, cost: Cost::Nothing });
    }
    if plan.has(Step::Swap) {
        let at = match (is_staged, plan.has(Step::Shrink)) {
            (true, true) => "Once swapped, and at the gate before shrink",
            (true, false) => "Once swapped",
            (false, _) => "A partition that is swapped",
        };
        let way = "the old order is set and the old leaders are elected; new copies are dropped";
        points.push(Point { at, way, cost: Cost::Nothing });
    }
    if plan.has(Step::Shrink) {
        let at = if is_staged { "While shrinking" } else { "While some partitions are shrunk" };
        let way = "what is not shrunk goes back at once; for the rest a plan is written that copies it again";
        points.push(Point { at, way, cost: Cost::UpToAll });
        let way = "a plan is written that copies the old replicas again, in steps as this one";
        points.push(Point { at: "When all is done", way, cost: Cost::All });
    }
    points
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::tests::plan_of;
    use super::*;
    use restow_planner::model::BrokerId;

    #[test]
    fn what_was_dropped_has_to_be_copied_again() {
        // The last one leads from az-b in the end, and 2 is in az-a.
        let mut plan = plan_of(&[(&[1, 3], &[4, 6]), (&[3, 2], &[6, 5]), (&[1, 3], &[3, 1])]);
        let whole = Back { copies: 4, bytes: 4_000_000, across: 2_000_000, unknown: 0, lost: 0 };
        assert_eq!(Back::of(&plan), whole);
        plan.given_up = vec![BrokerId(1)];
        let less = Back { copies: 3, bytes: 3_000_000, lost: 1, ..whole };
        assert_eq!(Back::of(&plan), less);
    }

    #[test]
    fn only_steps_that_are_taken_are_points() {
        let names = |plan: &Plan| list(plan).iter().map(|point| point.at).collect::<Vec<_>>();
        let swap = plan_of(&[(&[1, 3], &[3, 1])]);
        assert_eq!(names(&swap), ["Once swapped"]);
        let grow = plan_of(&[(&[1], &[1, 3])]);
        assert_eq!(names(&grow), ["While expanding, and once expanded"]);
    }
}
