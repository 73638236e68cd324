//! P5: bytes, replicas and leaders per broker, counted again.

use super::book::Book;
use super::shape::Lists;
use super::{Promise, Verdict};
use crate::model::{Cluster, Partition, UNKNOWN_SIZE};
use crate::plan::{BrokerImpact, Pacing, Plan};

#[derive(Debug, Clone, Default)]
struct Tally {
    before: i128,
    /// All that comes in.
    incoming: i128,
    /// Of it, what is not on the broker's disk yet.
    missing: i128,
    outgoing: i128,
    /// The most that one move brings.
    largest: i128,
    replicas: [i128; 2],
    leaders: [i128; 2],
    unknown: i128,
}

/// Bytes per broker.
#[derive(Debug)]
pub(super) struct Weights {
    tallies: Vec<Tally>,
}

impl Weights {
    /// What every broker of the cluster holds now, moved or not.
    pub fn of_cluster(book: &Book<'_>, cluster: &Cluster) -> Self {
        let mut tallies = vec![Tally::default(); book.entries.len()];
        for (_, p) in cluster.partitions() {
            for (at, broker) in p.replicas.iter().enumerate() {
                let tally = &mut tallies[book.of_cluster[*broker as usize] as usize];
                match p.sizes[at] {
                    UNKNOWN_SIZE => tally.unknown += 1,
                    bytes => tally.before += i128::from(bytes),
                }
                let leads = i128::from(at == 0);
                tally.replicas = tally.replicas.map(|count| count + 1);
                tally.leaders = tally.leaders.map(|count| count + leads);
            }
        }
        Weights { tallies }
    }

    /// As the plan tells it, where there is no cluster.
    pub fn of_plan(book: &Book<'_>, plan: &Plan) -> Self {
        let mut tallies = vec![Tally::default(); book.entries.len()];
        for row in &plan.impact {
            let Some(at) = book.at(row.broker) else { continue };
            let tally = &mut tallies[at as usize];
            tally.before = i128::from(row.before);
            tally.replicas = [i128::from(row.replicas_before); 2];
            tally.leaders = [i128::from(row.leaders_before); 2];
        }
        Weights { tallies }
    }

    /// Counts a move; `p` is its partition where the cluster is known.
    pub fn add(&mut self, book: &Book<'_>, lists: &Lists, bytes: Option<u64>, p: Option<Partition<'_>>) {
        let bytes_known = i128::from(bytes.unwrap_or(0));
        let held = |at: u32| {
            let (index, p) = (book.entry(at).at_cluster?, p?);
            let position = p.replicas.iter().position(|broker| *broker == index)?;
            Some(p.sizes[position]).filter(|size| *size != UNKNOWN_SIZE)
        };
        for at in &lists.added {
            let tally = &mut self.tallies[*at as usize];
            tally.incoming += bytes_known;
            tally.largest = tally.largest.max(bytes_known);
            tally.missing += (bytes_known - i128::from(held(*at).unwrap_or(0))).max(0);
            tally.unknown += i128::from(bytes.is_none());
            tally.replicas[1] += 1;
        }
        for at in &lists.removed {
            let tally = &mut self.tallies[*at as usize];
            tally.outgoing += i128::from(held(*at).unwrap_or(0));
            tally.replicas[1] -= 1;
        }
        let first = p.and_then(|p| p.replicas.first()).map(|broker| book.of_cluster[*broker as usize]);
        self.tallies[first.unwrap_or(lists.from[0]) as usize].leaders[1] -= 1;
        self.tallies[lists.to[0] as usize].leaders[1] += 1;
    }

    /// Limits and disks. Staged: what is there plus all that comes in has to fit. Pipelined: what is there at the end,
    /// and beside it the largest that comes in; the run keeps to that by reservations.
    pub fn judge_room(
        &self,
        book: &Book<'_>,
        pacing: Pacing,
        cluster: Option<&Cluster>,
        verdict: &mut Verdict,
    ) {
        for (entry, tally) in book.entries.iter().zip(&self.tallies) {
            let mut say = |message: String| verdict.add(Promise::P5, None, Some(entry.id), message);
            let more = match pacing {
                Pacing::Staged => tally.missing,
                Pacing::Pipelined => (tally.missing - tally.outgoing + tally.largest).min(tally.missing),
            };
            let peak = tally.before + more;
            if let Some(limit) = entry.limit.filter(|limit| peak > i128::from(*limit) && tally.incoming > 0) {
                let (before, more) = (tally.before, tally.missing);
                say(format!(
                    "holds {before} bytes and gets {more} more, {peak} at the peak, where its limit is {limit}: \
                     move less to it or give it more room"
                ));
            }
            let Some(cluster) = cluster else { continue };
            let Some(index) = entry.at_cluster else { continue };
            let (total, usable) = volumes(cluster, index);
            if let Some(usable) = usable.filter(|usable| more > *usable) {
                say(format!(
                    "gets {more} bytes, and its log directories have {usable} free: move less to it"
                ));
            }
            if let (Some(limit), Some(total)) = (entry.limit, total)
                && i128::from(limit) > total
            {
                say(format!("its limit is {limit} bytes, and its log directories have {total} in total"));
            }
        }
    }

    /// The plan's figures against this count; without a cluster only those that follow from others.
    pub fn judge_figures(&self, book: &Book<'_>, plan: &Plan, whole: bool, verdict: &mut Verdict) {
        let mut seen = vec![false; book.entries.len()];
        for row in &plan.impact {
            let mut say = |message: String| verdict.add(Promise::P5, None, Some(row.broker), message);
            let Some(at) = book.at(row.broker) else {
                say("the plan tells bytes for a broker that is neither in its list nor in the cluster".into());
                continue;
            };
            if std::mem::replace(&mut seen[at as usize], true) {
                say("the plan tells its bytes twice".into());
                continue;
            }
            let wrong = differing(row, &self.tallies[at as usize], whole);
            if !wrong.is_empty() {
                say(format!("the plan's figures differ from the recount: {}; plan again", wrong.join(", ")));
            }
        }
        for (entry, _) in book.entries.iter().zip(&seen).filter(|(entry, seen)| entry.in_plan && !**seen) {
            verdict.add(Promise::P5, None, Some(entry.id), "the plan does not tell its bytes".into());
        }
    }
}

fn differing(row: &BrokerImpact, tally: &Tally, whole: bool) -> Vec<String> {
    let after = tally.before + tally.incoming - tally.outgoing;
    let figures = [
        ("bytes before", i128::from(row.before), tally.before, whole),
        ("bytes at the peak", i128::from(row.peak), tally.before + tally.incoming, true),
        ("bytes after", i128::from(row.after), after, whole),
        ("replicas before", i128::from(row.replicas_before), tally.replicas[0], whole),
        ("replicas after", i128::from(row.replicas_after), tally.replicas[1], true),
        ("preferred leaders before", i128::from(row.leaders_before), tally.leaders[0], whole),
        ("preferred leaders after", i128::from(row.leaders_after), tally.leaders[1], true),
        ("unknown sizes", i128::from(row.unknown), tally.unknown, whole),
    ];
    (figures.into_iter())
        .filter(|(_, plan, recount, judged)| *judged && plan != recount)
        .map(|(what, plan, recount, _)| format!("{what} {plan} instead of {recount}"))
        .collect()
}

/// Total and usable bytes of a broker's log directories, where all are known. Directories with equal totals may be one
/// volume if what is usable differs by no more than a thousandth of it: they count once, with the least.
fn volumes(cluster: &Cluster, broker: u16) -> (Option<i128>, Option<i128>) {
    let mut dirs = Vec::new();
    for dir in &cluster.brokers[broker as usize].log_dirs {
        let (Some(total), Some(usable)) = (dir.total_bytes, dir.usable_bytes) else { return (None, None) };
        dirs.push((i128::from(total), i128::from(usable)));
    }
    dirs.sort_unstable();
    let (mut sums, mut last) = ((0, 0), None);
    for (total, usable) in &dirs {
        if last.is_some_and(|(other, least)| other == *total && (usable - least) * 1000 <= *total) {
            continue;
        }
        (sums, last) = ((sums.0 + total, sums.1 + usable), Some((*total, *usable)));
    }
    if dirs.is_empty() { (None, None) } else { (Some(sums.0), Some(sums.1)) }
}
