//! How few changes of preferred leaders can meet bounds on their numbers: a lower bound from prices that somebody
//! claims, in exact integers.
//!
//! Weak duality. Let a leader at broker `b` cost its price `w_b` on top of 1 if it is not the first of its list.
//! In any choice of leaders with `n_b` at each broker, changes are the sum of all these costs less the sum of
//! `w_b n_b`. The first sum is at least that of the least cost of each partition; the second at most that of the
//! larger of `w_b` times the fewest and `w_b` times the most. So whatever the prices, the difference is a lower
//! bound; where it equals the changes of a choice, no choice has fewer.

use super::asked::Asked;
use super::{Promise, Verdict};
use crate::model::{Cluster, capacity};
use crate::plan::{Intent, LeaderMode, Plan};

/// The lower bound.
///
/// `lists` are the replica lists at the start as broker indexes, each with whether its order may change; a list
/// that may not, or of which no broker `may_lead`, keeps its first. `bounds` are the fewest and the most leaders of
/// each broker. Brokers that a slice lacks may lead, cost nothing extra and have no bounds.
pub(super) fn fewest<'a>(
    lists: impl Iterator<Item = (&'a [u16], bool)>,
    may_lead: &[bool],
    potentials: &[i64],
    bounds: &[(u32, u32)],
) -> i128 {
    let price = |broker: u16| potentials.get(usize::from(broker)).map_or(0, |price| i128::from(*price));
    let able = |broker: u16| may_lead.get(usize::from(broker)).copied().unwrap_or(true);
    let mut bound = 0;
    for (list, may_change) in lists {
        let Some((first, rest)) = list.split_first() else { continue };
        let stays = price(*first);
        let goes = rest.iter().filter(|broker| able(**broker)).map(|broker| 1 + price(*broker)).min();
        bound += match goes.filter(|_| may_change) {
            None => stays,
            Some(goes) if able(*first) => goes.min(stays),
            Some(goes) => goes,
        };
    }
    for (at, price) in potentials.iter().enumerate() {
        let (fewest, most) = bounds.get(at).copied().unwrap_or((0, u32::MAX));
        bound -= i128::from(*price) * i128::from(if *price > 0 { most } else { fewest });
    }
    bound
}

/// P6 for leaders: the bound that a plan claims must not be above what its prices prove.
pub(super) fn judge(plan: &Plan, cluster: &Cluster, asked: &Asked<'_>, verdict: &mut Verdict) {
    let Some(proof) = &plan.certificate.leaders else { return };
    let mut say = |message: String| verdict.add(Promise::P6, None, None, message);
    let Intent::Leaders { mode: LeaderMode::Minimal, demote, .. } = &plan.intent else {
        return say("the plan claims how few leaders could change, and nobody asked for the fewest".into());
    };
    let mut counts: Vec<i64> = vec![0; cluster.brokers.len()];
    let mut holds = vec![false; cluster.brokers.len()];
    let mut count = |id: crate::model::BrokerId, by: i64| {
        cluster.broker_index(id).into_iter().for_each(|at| counts[at as usize] += by);
    };
    for (_, p) in cluster.partitions() {
        p.replicas.iter().for_each(|at| holds[*at as usize] = true);
        count(cluster.brokers[p.replicas[0] as usize].id, 1);
    }
    let mut changes = 0;
    for m in plan.moves.iter() {
        changes += u64::from(m.from[0] != m.to[0]);
        count(m.from[0], -1);
        count(m.to[0], 1);
    }
    let may_lead: Vec<bool> =
        (cluster.brokers.iter()).map(|b| b.serves() && !demote.contains(&b.id)).collect();
    let bounds = bounds(cluster, &may_lead, &holds, &counts);
    let mut prices = vec![0; cluster.brokers.len()];
    for (id, price) in &proof.prices {
        cluster.broker_index(*id).into_iter().for_each(|at| prices[at as usize] = *price);
    }
    let is_covered: Vec<bool> = cluster.topics.iter().map(|topic| asked.covers(&topic.name)).collect();
    let lists = cluster.topics.iter().zip(is_covered).flat_map(|(topic, covered)| {
        cluster.partitions_of(topic).map(move |p| {
            let is_whole = p.leader.is_some() && (0..p.replicas.len()).all(|at| p.in_sync(at));
            (p.replicas, covered && is_whole && !cluster.in_flight.contains_key(&p.index))
        })
    });
    let proven = fewest(lists, &may_lead, &prices, &bounds);
    if i128::from(proof.bound) > proven || proof.changes != changes {
        say(format!(
            "{changes} leaders change and at least {proven} have to; the plan says {} and {}: plan again",
            proof.changes, proof.bound
        ));
    }
}

/// The whole numbers around the fair share of each broker that may lead and holds replicas, as wide as the plan leaves
/// them.
fn bounds(cluster: &Cluster, may_lead: &[bool], holds: &[bool], counts: &[i64]) -> Vec<(u32, u32)> {
    let brokers: Vec<u16> =
        (0..holds.len() as u16).filter(|at| may_lead[*at as usize] && holds[*at as usize]).collect();
    let weights = capacity::weights(cluster, &brokers, capacity::Resource::Network);
    let sum = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    let all = cluster.partition_count() as u128;
    let mut bounds = vec![(0, u32::MAX); holds.len()];
    for at in (0..holds.len()).filter(|at| may_lead[*at] && !holds[*at]) {
        bounds[at] = (0, 0);
    }
    for (at, weight) in brokers.iter().zip(weights) {
        let at = usize::from(*at);
        let (part, end) = (all * u128::from(weight), counts[at].max(0) as u32);
        bounds[at] = (((part / sum) as u32).min(end), (part.div_ceil(sum) as u32).max(end));
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every choice of leaders: the fewest changes of those within the bounds.
    fn by_trying(lists: &[Vec<u16>], bounds: &[(u32, u32)]) -> Option<i128> {
        let choices: usize = lists.iter().map(Vec::len).product();
        let changes = (0..choices).filter_map(|mut choice| {
            let (mut counts, mut changes) = (vec![0; bounds.len()], 0);
            for list in lists {
                let at = choice % list.len();
                choice /= list.len();
                counts[list[at] as usize] += 1;
                changes += i128::from(at > 0);
            }
            let within = counts.iter().zip(bounds).all(|(n, (least, most))| (least..=most).contains(&n));
            within.then_some(changes)
        });
        changes.min()
    }

    fn lists() -> Vec<Vec<u16>> {
        vec![vec![0, 1], vec![0, 1], vec![0, 1], vec![0, 2], vec![1, 2], vec![0]]
    }

    fn bound(potentials: &[i64], bounds: &[(u32, u32)]) -> i128 {
        let lists = lists();
        fewest(lists.iter().map(|list| (list.as_slice(), true)), &[true; 3], potentials, bounds)
    }

    #[test]
    fn no_prices_prove_more_than_what_is_possible_and_some_prove_that() {
        for bounds in
            [[(2, 2); 3], [(0, 1), (0, 9), (0, 9)], [(0, 9), (0, 9), (2, 9)], [(1, 3), (1, 3), (0, 1)]]
        {
            let best = by_trying(&lists(), &bounds).expect("within reach");
            let range = || -3..=3;
            let all = range().flat_map(|a| range().flat_map(move |b| range().map(move |c| [a, b, c])));
            let proven: Vec<i128> = all.map(|prices| bound(&prices, &bounds)).collect();
            assert_eq!(proven.iter().max(), Some(&best), "{bounds:?}");
        }
    }

    #[test]
    fn what_cannot_be_met_has_no_highest_bound() {
        // Broker 2 stands in two lists: it cannot lead three.
        let bounds = [(0, 9), (0, 9), (3, 9)];
        assert_eq!(by_trying(&lists(), &bounds), None);
        assert!(bound(&[0, 0, -1000], &bounds) > 900);
    }

    #[test]
    fn what_may_not_change_and_who_may_not_lead() {
        let lists: [(&[u16], bool); 4] = [(&[0, 1], true), (&[0, 1], false), (&[0], true), (&[1, 0], true)];
        let count = |may_lead: &[bool]| fewest(lists.into_iter(), may_lead, &[0, 0], &[(0, 9); 2]);
        assert_eq!((count(&[true, true]), count(&[false, true]), count(&[false, false])), (0, 1, 0));
        // Two stay with broker 0, so at most one more may lead there.
        let priced = |price| fewest(lists.into_iter(), &[true, true], &[price, 0], &[(0, 2), (0, 9)]);
        assert_eq!((priced(0), priced(1)), (0, 1));
    }
}
