//! The stages over the zones: which copies there are where, who leads, where a person is asked, and the way back.

use std::collections::BTreeMap;

use maud::{Markup, html};
use restow_planner::model::BrokerId;
use restow_planner::plan::{Move, Pacing, Plan, Step};

use super::super::{plan as show, units};
use super::figure;
use super::rollback::Back;
use super::{Section, Subject};

/// Zones that are drawn; of more, these and the rest in one.
const ZONES: usize = 12;

/// Replicas of the moved partitions in a zone, in one state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Copies {
    /// On brokers that keep them.
    stay: u64,
    /// On brokers that lose them.
    leave: u64,
    /// On brokers that get them.
    arrive: u64,
}

impl Copies {
    fn all(&self) -> u64 {
        self.stay + self.leave + self.arrive
    }

    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Stays => self.stay += 1,
            Kind::Leaves => self.leave += 1,
            Kind::Arrives => self.arrive += 1,
        }
    }

    fn join(&mut self, other: &Copies) {
        self.stay += other.stay;
        self.leave += other.leave;
        self.arrive += other.arrive;
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Stays,
    Leaves,
    Arrives,
}

/// Replicas and leaders of a zone at the start and after each step.
#[derive(Debug, Clone, Copy, Default)]
struct Zone {
    copies: [Copies; 4],
    leaders: [Copies; 4],
}

/// The section.
pub fn section(subject: &Subject<'_>) -> Section {
    let plan = subject.plan;
    let is_staged = plan.pacing == Pacing::Staged;
    let heading = if is_staged { "Stages" } else { "Steps" };
    let body = html! {
        @if plan.moves.is_empty() {
            p { "Nothing moves." }
        } @else {
            p.note {
                "Replicas of the partitions that move, zone by zone. The lower, thin bar shows on which of them the leaders are. "
                @if !is_staged { "Each partition goes through these steps on its own; none waits for another." }
            }
            (figure::legend(&[("keep", "stay"), ("old", "leave"), ("new", "arrive")]))
            (states(subject))
        }
    };
    Section { id: "stages".into(), heading: heading.into(), body }
}

fn states(subject: &Subject<'_>) -> Markup {
    let plan = subject.plan;
    let zones = zones(plan);
    let scale = zones.iter().flat_map(|(_, zone)| zone.copies.iter().map(Copies::all)).max().unwrap_or(0);
    let back = Back::of(plan);
    let with = Step::ALL.map(|step| show::with_step(plan, step) as u64);
    let steps = Step::ALL.into_iter().zip(with).filter(|(_, moves)| *moves > 0);
    html! {
        ol.stages {
            li {
                h3 { "Start" }
                p.does { "As it stands: " (units::of(plan.moves.len() as u64, "partition")) " that will move." }
                @for (name, zone) in &zones { (self::zone(name, zone, 0, scale)) }
            }
            @for (number, (step, moves)) in steps.enumerate() {
                (gate(plan.pacing, step))
                li {
                    h3 { (number + 1) ". " (capital(step)) }
                    p.does { (units::of(moves, "partition")) ": " (does(plan, step, &back)) }
                    @for (name, zone) in &zones { (self::zone(name, zone, step as usize + 1, scale)) }
                    p.back { strong { "Back: " } (way_back(step, &back)) }
                }
            }
        }
    }
}

/// The name of a step, as a heading.
fn capital(step: Step) -> &'static str {
    match step {
        Step::Expand => "Expand",
        Step::Swap => "Swap",
        Step::Shrink => "Shrink",
    }
}

fn does(plan: &Plan, step: Step, back: &Back) -> String {
    match step {
        Step::Expand => {
            format!(
                "new replicas are added and filled, {}. Leaders stay.",
                units::bytes(plan.certificate.moved_bytes)
            )
        }
        Step::Swap => {
            "the list is put in its new order and its first replica leads. Nothing is copied.".into()
        }
        Step::Shrink => format!("old replicas are dropped, {}.", units::of(back.copies + back.lost, "copy")),
    }
}

fn way_back(step: Step, back: &Back) -> String {
    match step {
        Step::Expand => "free; cancel, or drop the new copies.".into(),
        Step::Swap => "free; reorder and elect.".into(),
        Step::Shrink if back.copies == 0 => "nothing to copy.".into(),
        Step::Shrink => format!("copies {} again.", units::bytes(back.bytes)),
    }
}

/// What stands before a step.
fn gate(pacing: Pacing, step: Step) -> Markup {
    let (sign, what, mind) = match (pacing, step) {
        (_, Step::Expand) | (Pacing::Pipelined, Step::Swap) => ("", "", ""),
        (Pacing::Staged, Step::Swap) => ("◇", "gate: a person approves swap", ""),
        (Pacing::Staged, Step::Shrink) => ("◆", "gate: a person approves shrink", "the point of no return"),
        (Pacing::Pipelined, Step::Shrink) => ("◆", "no gate", "each partition's point of no return"),
    };
    html! {
        li.gate {
            span.sign.next[sign.is_empty()] aria-hidden="true" { (sign) }
            @if !what.is_empty() {
                span.what { span { (what) } @if !mind.is_empty() { " " strong { (mind) } } }
            }
        }
    }
}

fn zone(name: &str, zone: &Zone, state: usize, scale: u64) -> Markup {
    let (copies, leaders) = (zone.copies[state], zone.leaders[state]);
    let counts = |copies: &Copies| {
        let kinds = [(copies.stay, "stay"), (copies.leave, "leave"), (copies.arrive, "arrive")];
        let parts =
            kinds.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", units::count(*n)));
        parts.collect::<Vec<_>>().join(", ")
    };
    let told = format!("replicas: {}; leaders: {}", counts(&copies), counts(&leaders));
    let marks = html! {
        (stack(&copies, scale, "1", "11"))
        (stack(&leaders, scale, "15", "4"))
        line.axis x1="0" x2="0" y1="0" y2="20" {}
    };
    html! {
        div.zone {
            p { strong { (name) } span { (units::of(copies.all(), "copy")) ", " (units::count(leaders.all())) " lead" } }
            (figure::figure("glyph", "20", &format!("Zone {name}"), &told, &marks))
        }
    }
}

fn stack(copies: &Copies, scale: u64, y: &str, height: &str) -> Markup {
    html! {
        (figure::span("keep", 0, copies.stay, scale, y, height))
        (figure::span("old", copies.stay, copies.leave, scale, y, height))
        (figure::span("new", copies.stay + copies.leave, copies.arrive, scale, y, height))
    }
}

/// Replicas and leaders of every zone that has some at any time, by name; of very many the largest, and the rest.
fn zones(plan: &Plan) -> Vec<(String, Zone)> {
    let mut by: BTreeMap<&str, Zone> = BTreeMap::new();
    for m in plan.moves.iter() {
        tally(plan, &m, &mut by);
    }
    let mut zones: Vec<(String, Zone)> = by.into_iter().map(|(name, zone)| (name.to_owned(), zone)).collect();
    if zones.len() > ZONES + 1 {
        zones.sort_by_key(|(_, zone)| std::cmp::Reverse(zone.copies[1].all()));
        let rest = zones.split_off(ZONES);
        zones.sort_by(|a, b| a.0.cmp(&b.0));
        let mut sum = Zone::default();
        for state in 0..4 {
            rest.iter().for_each(|(_, zone)| sum.copies[state].join(&zone.copies[state]));
            rest.iter().for_each(|(_, zone)| sum.leaders[state].join(&zone.leaders[state]));
        }
        zones.push((units::of(rest.len() as u64, "more zone"), sum));
    }
    zones
}

fn tally<'a>(plan: &'a Plan, m: &Move<'_>, by: &mut BTreeMap<&'a str, Zone>) {
    let kind = |id: &BrokerId| match (m.from.contains(id), m.to.contains(id)) {
        (true, true) => Kind::Stays,
        (true, false) => Kind::Leaves,
        _ => Kind::Arrives,
    };
    let name = |id: BrokerId| plan.zone(id).unwrap_or("-");
    for id in m.from.iter().chain(m.to.iter().filter(|id| !m.from.contains(id))) {
        let zone = by.entry(name(*id)).or_default();
        let (kind, was, is) = (kind(id), m.from.contains(id), m.to.contains(id));
        let is_between = !plan.given_up.contains(id) || is;
        for (state, stands) in [was, is_between, is_between, is].into_iter().enumerate() {
            if stands {
                zone.copies[state].add(kind);
            }
        }
    }
    let old = m.leader.unwrap_or(m.from[0]);
    let kept = || m.from.iter().find(|id| !plan.given_up.contains(id)).copied();
    let expanded = if plan.given_up.contains(&old) { kept().unwrap_or(m.to[0]) } else { old };
    for (state, leader) in [old, expanded, m.to[0], m.to[0]].into_iter().enumerate() {
        by.entry(name(leader)).or_default().leaders[state].add(kind(&leader));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::tests::plan_of;
    use super::*;

    #[test]
    fn copies_and_leaders_are_counted_in_every_state() {
        // 1, 2, 4, 5 are in az-a, 3 and 6 in az-b.
        let plan = plan_of(&[(&[1, 3], &[4, 6]), (&[3, 2], &[3, 5])]);
        let zones = zones(&plan);
        assert_eq!(zones.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["az-a", "az-b"]);
        let copies = |zone: usize, state: usize| {
            let Copies { stay, leave, arrive } = zones[zone].1.copies[state];
            (stay, leave, arrive)
        };
        assert_eq!([0, 1, 2, 3].map(|state| copies(0, state)), [(0, 2, 0), (0, 2, 2), (0, 2, 2), (0, 0, 2)]);
        assert_eq!([0, 1, 2, 3].map(|state| copies(1, state)), [(1, 1, 0), (1, 1, 1), (1, 1, 1), (1, 0, 1)]);
        let lead = |zone: usize| zones[zone].1.leaders.map(|leaders| leaders.all());
        assert_eq!((lead(0), lead(1)), ([1, 1, 1, 1], [1, 1, 1, 1]));
        assert_eq!((zones[0].1.leaders[1].leave, zones[0].1.leaders[2].arrive), (1, 1));
    }

    #[test]
    fn a_broker_that_is_given_up_has_no_copy_while_expanded() {
        let mut plan = plan_of(&[(&[1, 3], &[4, 6])]);
        plan.given_up = vec![BrokerId(1)];
        let zones = zones(&plan);
        assert_eq!((zones[0].1.copies[0].leave, zones[0].1.copies[1].leave), (1, 0));
        assert_eq!(zones[1].1.leaders[1].leave, 1, "broker 3 is the first that is left");
    }

    #[test]
    fn very_many_zones_are_summed_up() {
        let mut plan = plan_of(&(0..20).map(|_| (&[1][..], &[4][..])).collect::<Vec<_>>());
        let brokers: Vec<_> = (1..=40)
            .map(|id| restow_planner::plan::PlanBroker {
                id: BrokerId(id),
                zone: Some(format!("z{:02}", id % 20)),
                ..plan.brokers[0].clone()
            })
            .collect();
        let mut moves = restow_planner::plan::Moves::default();
        for id in 1..=20 {
            let (from, to) = ([BrokerId(id)], [BrokerId(id + 20)]);
            moves.push(Move { topic: 0, partition: id, from: &from, to: &to, bytes: Some(1), leader: None });
        }
        (plan.brokers, plan.moves) = (brokers, moves);
        let zones = zones(&plan);
        assert_eq!((zones.len(), zones[12].0.as_str()), (13, "8 more zones"));
        assert_eq!(zones.iter().map(|(_, zone)| zone.copies[1].all()).sum::<u64>(), 40);
    }
}
