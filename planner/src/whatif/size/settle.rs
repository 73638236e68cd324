//! The real partitions on a mix. Where they do not fit though the sums do, the sums are raised by what is too much, and
//! the program is solved again.

use serde::Serialize;

use super::SizeError;
use super::bear::Peak;
use super::mix::{Chosen, Part, Raised};
use super::ways::{Gone, NewBroker, Site, Stuck, Way};
use crate::model::watch::Watch;
use crate::model::{BrokerId, Cluster};
use crate::place::{Refusal, RefusalKind};
use crate::plan::Plan;
use crate::whatif::load::Resource;

/// What became of the real partitions on a mix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Placing {
    /// They are placed, check accepts the plan, and no broker is too full.
    Settled(Box<Settled>),
    /// The planner refuses: more brokers would not help.
    Refused {
        /// All of it.
        refusals: Vec<Refusal>,
    },
    /// Whatever was added, some broker was too full.
    Full {
        /// Those of the last attempt.
        peaks: Vec<Peak>,
    },
    /// Check does not accept the plan: a defect of the planner.
    Unsound {
        /// What it finds.
        findings: Vec<String>,
    },
    /// Too many brokers, with those of today, for one cluster.
    TooMany {
        /// How many.
        brokers: u64,
    },
}

/// The real partitions on their brokers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// How many of which type in which zone: what the program said, or more.
    pub mix: Vec<Part>,
    /// Brokers in all.
    pub brokers: u64,
    /// What they cost a month, in hundredths.
    pub price: u64,
    /// Why it is more than the program said; empty if it is not.
    pub more: Vec<More>,
    /// How the plan gets there.
    pub way: Way,
    /// Whether the plan had to place partitions by their bytes and rates one by one; it then follows lists.
    pub evened: bool,
    /// Brokers to start.
    pub new: Vec<NewBroker>,
    /// Brokers to stop when they are empty.
    pub leaving: Vec<BrokerId>,
    /// Partitions that move.
    pub partitions: u64,
    /// Bytes that are copied, of the known sizes of today.
    pub bytes: u64,
    /// The fullest broker of each resource, in its worst operation.
    pub fullest: Vec<Peak>,
    /// The plan; `None` where today's brokers stay and nothing moves.
    #[serde(skip)]
    pub plan: Option<Plan>,
    /// What the plan is for: today's cluster with the new brokers.
    #[serde(skip)]
    pub cluster: Cluster,
}

/// Why the real partitions need more than sums do: a broker that would have been too full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct More {
    /// The fullest of them.
    pub peak: Peak,
    /// Brokers of the zone before.
    pub before: u64,
    /// Brokers of the zone then. As many as before: some are of another type.
    pub after: u64,
}

/// So often the sums are raised, each time by twice as much.
const ROUNDS: u32 = 12;

/// Places the real partitions on a mix.
///
/// # Errors
/// If the options of the wish do not fit the cluster.
pub(super) fn settle(site: &Site<'_>, chosen: &Chosen, watch: &mut dyn Watch) -> Result<Placing, SizeError> {
    let mut raised = vec![Raised::default(); chosen.counts.len()];
    let (mut now, mut more) = (chosen.clone(), Vec::new());
    let mut last = Vec::new();
    for round in 0..ROUNDS {
        let peaks = match ways(site, &now, watch)? {
            Ok(gone) => return Ok(Placing::Settled(Box::new(settled(site, &now, more, gone)))),
            Err(Stuck::Full(peaks)) => peaks,
            Err(Stuck::Refused(refusals)) => return Ok(Placing::Refused { refusals }),
            Err(Stuck::Unsound(findings)) => return Ok(Placing::Unsound { findings }),
            Err(Stuck::TooMany(brokers)) => return Ok(Placing::TooMany { brokers }),
        };
        raise(site, &now, &peaks, round, &mut raised);
        let next = site.program.cheapest(&raised, now.only, watch);
        last.clone_from(&peaks);
        let Ok((next, _)) = next else { break };
        more.extend(reasons(site, &now, &next, &peaks));
        now = next;
    }
    Ok(Placing::Full { peaks: last })
}

/// The ways to a mix, those first that move less.
fn ways(site: &Site<'_>, chosen: &Chosen, watch: &mut dyn Watch) -> Result<Result<Gone, Stuck>, SizeError> {
    let mut last = Stuck::Full(vec![]);
    for keep in [true, false] {
        for even in [false, true] {
            let crew = match site.crew(&chosen.counts, keep) {
                Ok(crew) => crew,
                Err(stuck) => return Ok(Err(stuck)),
            };
            if keep && crew.way == Way::Migrate {
                // Nobody can stay.
                break;
            }
            match site.go(crew, even, watch)? {
                Ok(gone) => return Ok(Ok(gone)),
                Err(Stuck::Unsound(findings)) => return Ok(Err(Stuck::Unsound(findings))),
                // Something else than room is missing, and evenness would not help.
                Err(Stuck::Refused(refusals)) if !is_room(&refusals) => {
                    last = Stuck::Refused(refusals);
                    break;
                }
                Err(stuck) => last = worse(last, stuck),
            }
        }
    }
    Ok(Err(last))
}

/// Of two reasons the later one; but brokers that are too full tell more than that nothing fits.
fn worse(last: Stuck, next: Stuck) -> Stuck {
    match (last, next) {
        (last @ Stuck::Full(_), Stuck::Refused(_)) if !matches!(&last, Stuck::Full(peaks) if peaks.is_empty()) => {
            last
        }
        (_, next) => next,
    }
}

fn is_room(refusals: &[Refusal]) -> bool {
    refusals.iter().all(|refusal| refusal.kind == RefusalKind::Overflow)
}

/// Raises the sums of zones with brokers that are too full: above what the mix has, by what is too much.
fn raise(site: &Site<'_>, now: &Chosen, peaks: &[Peak], round: u32, raised: &mut [Raised]) {
    for (zone, need) in site.program.zones.iter().enumerate() {
        for resource in [Resource::Disk, Resource::NetworkIn, Resource::NetworkOut, Resource::Replicas] {
            let here = peaks.iter().filter(|peak| peak.zone == need.zone && peak.resource == resource);
            let excess = here.fold(0u64, |sum, peak| sum.saturating_add(peak.excess()));
            let amount = match resource {
                Resource::Disk => &mut raised[zone].disk,
                Resource::Replicas => &mut raised[zone].replicas,
                _ => &mut raised[zone].network,
            };
            if excess > 0 {
                let more = excess.saturating_mul(1 << round);
                let usable = site.program.usable(&now.counts[zone], resource);
                *amount = (*amount).max(usable.saturating_add(more));
            }
        }
    }
}

/// For each zone that changes, the broker that was too full by most.
fn reasons(site: &Site<'_>, now: &Chosen, next: &Chosen, peaks: &[Peak]) -> Vec<More> {
    let mut reasons = Vec::new();
    for (zone, need) in site.program.zones.iter().enumerate() {
        let part = |peak: &&Peak| u128::from(peak.used) * 1_000_000 / u128::from(peak.usable.max(1));
        let here = peaks.iter().filter(|peak| peak.zone == need.zone);
        let Some(peak) = here.max_by_key(part).filter(|_| now.counts[zone] != next.counts[zone]) else {
            continue;
        };
        let sum = |chosen: &Chosen| chosen.counts[zone].iter().sum();
        reasons.push(More { peak: peak.clone(), before: sum(now), after: sum(next) });
    }
    reasons
}

fn settled(site: &Site<'_>, chosen: &Chosen, more: Vec<More>, gone: Gone) -> Settled {
    let Gone { plan, crew, evened, borne } = gone;
    Settled {
        mix: site.program.parts(&chosen.counts),
        brokers: chosen.brokers(),
        price: chosen.price,
        more,
        way: crew.way,
        evened,
        new: crew.new,
        leaving: crew.leaving,
        partitions: plan.as_ref().map_or(0, |plan| plan.moves.len() as u64),
        bytes: plan.as_ref().map_or(0, |plan| plan.certificate.moved_bytes),
        fullest: borne.fullest,
        plan,
        cluster: crew.cluster,
    }
}
