//! Plans of a what-if: each is made by the planner, passes check, and is carried out on the cluster at hand.

use super::WhatifError;
use super::answer::{Cost, Time};
use super::rebuild::carried_out;
use crate::check::{self, At};
use crate::forecast::{self, Pace};
use crate::model::watch::Watch;
use crate::model::{BrokerId, Cluster, Rate};
use crate::place::{self, Options, Refusal};
use crate::plan::{Bands, Intent, Measure, Pacing, Plan, moves};
use crate::schedule::{Disks, Limits, Load};

/// How far from their fair share brokers may be, in 1/10,000: as `restow plan rebalance` has it.
const TOLERANCE: u32 = 500;
/// Copies in flight a broker, as `restow forecast` has it.
const IN_FLIGHT: usize = 5;

/// Makes plans and keeps what they cost.
#[derive(Debug)]
pub(super) struct Planner {
    /// Bytes/s per broker and direction.
    throttle: Option<u64>,
    /// What was planned so far.
    pub costs: Vec<Cost>,
    /// What the last plan left out.
    pub refusals: Vec<Refusal>,
}

impl Planner {
    pub fn new(throttle: Option<u64>) -> Self {
        Planner { throttle, costs: Vec::new(), refusals: Vec::new() }
    }

    /// The cluster after the plan for an intent. What is refused stays as it is, and is noted; where all of it is, there is
    /// no answer.
    pub fn carry_out(
        &mut self,
        cluster: &Cluster,
        intent: &Intent,
        notes: &mut Vec<String>,
        watch: &mut dyn Watch,
    ) -> Result<Cluster, WhatifError> {
        let options = Options { leave_out_refused: true, hold_min_isr: true, ..Options::default() };
        let placed = place::plan(cluster, intent, &options, watch)?;
        let plan = &placed.plan;
        let verdict = check::judge(plan, cluster, At::Start);
        if let Some(finding) = verdict.findings.first() {
            return Err(WhatifError::Check { what: in_words(intent), finding: finding.to_string() });
        }
        let (what, left_out) = (in_words(intent), plan.left_out.len() as u64);
        if left_out > 0 && plan.moves.is_empty() {
            return Err(WhatifError::Nothing { what, partitions: left_out, refusals: placed.refusals });
        }
        if let Some(first) = placed.refusals.first() {
            let reason = &first.reason;
            notes.push(format!(
                "{what}: {left_out} partitions are refused and stay as they are, the first since {reason}"
            ));
        }
        self.costs.push(self.cost(plan, cluster));
        self.refusals = placed.refusals;
        Ok(carried_out(cluster, plan)?)
    }

    fn cost(&self, plan: &Plan, cluster: &Cluster) -> Cost {
        let mut cost = Cost {
            what: in_words(&plan.intent),
            partitions: plan.moves.len() as u64,
            copies: 0,
            bytes: plan.certificate.moved_bytes,
            bound_bytes: plan.certificate.bound_bytes,
            unknown_sizes: 0,
            bytes_across: 0,
            leader_changes: 0,
            left_out: plan.left_out.len() as u64,
            time: None,
        };
        for m in plan.moves.iter() {
            let leader = plan.zone(m.leader.unwrap_or(m.from[0]));
            cost.leader_changes += u64::from(m.from[0] != m.to[0]);
            for id in moves::added(m.from, m.to) {
                cost.copies += 1;
                cost.unknown_sizes += u64::from(m.bytes.is_none());
                let is_across = plan.zone(id) != leader;
                cost.bytes_across += m.bytes.filter(|_| is_across).unwrap_or(0);
            }
        }
        if let Some(throttle) = self.throttle {
            let mut pace = Pace::new(Limits::per_broker(IN_FLIGHT, Some(throttle)));
            pace.disks = (plan.pacing == Pacing::Pipelined).then(|| Disks::of(cluster));
            let told = forecast::forecast(plan, &Load::of(plan, cluster), &pace);
            cost.time = Some(told.total.map_or(Time::Never, Time::Ends));
        }
        cost
    }
}

/// What a rebalance evens out: all that is known.
pub(super) fn bands(cluster: &Cluster, across_zones: bool) -> Bands {
    let mut measures = vec![Measure::Replicas, Measure::Bytes, Measure::Leaders];
    if cluster.known_rates(Rate::Write) > 0 {
        measures.push(Measure::WriteRate);
    }
    measures.sort_unstable();
    Bands { across_zones, ..Bands::on(&measures, TOLERANCE) }
}

/// Brokers that go hold nothing any more, or it is said what could not be placed elsewhere.
pub(super) fn must_be_empty(
    cluster: &Cluster,
    leaving: &[BrokerId],
    plans: &Planner,
) -> Result<(), WhatifError> {
    let indexes: Vec<u16> = leaving.iter().filter_map(|id| cluster.broker_index(*id)).collect();
    let held = cluster.partitions().filter(|(_, p)| p.replicas.iter().any(|at| indexes.contains(at))).count();
    if held == 0 {
        return Ok(());
    }
    let brokers = crate::model::replicas::show(leaving);
    Err(WhatifError::Stay { brokers, partitions: held as u64, refusals: plans.refusals.clone() })
}

/// What a plan is for.
fn in_words(intent: &Intent) -> String {
    match intent {
        Intent::Drain { brokers, .. } => format!("drain {}", crate::model::replicas::show(brokers)),
        Intent::SetFactor { factor, topics, .. } => format!("set-rf {} to {factor}", topics.join(", ")),
        Intent::Repair { .. } => "repair".into(),
        Intent::Rebalance { .. } => "rebalance".into(),
        _ => "plan".into(),
    }
}
