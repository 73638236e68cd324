//! Whether plan and cluster belong together, and whether brokers and partitions are ready.

use super::book::Book;
use super::config::Configs;
use super::shape::Lists;
use super::{At, Promise, Verdict};
use crate::model::{BrokerId, Cluster, InFlight, Partition};
use crate::plan::Plan;

/// Brokers of the plan against brokers of the cluster. During a run, a broker that gets nothing may be gone.
pub(super) fn brokers(
    plan: &Plan,
    book: &Book<'_>,
    configs: &Configs,
    (cluster, at): (&Cluster, At),
    verdict: &mut Verdict,
) {
    let mut needed = vec![at == At::Start; book.entries.len()];
    configs.destinations().for_each(|at| needed[at as usize] = true);
    for (entry, needed) in book.entries.iter().zip(needed) {
        let mut say = |promise, message: String| verdict.add(promise, None, Some(entry.id), message);
        let Some(index) = entry.at_cluster else {
            if !needed {
                continue;
            }
            say(Promise::Cluster, "the plan knows this broker and the cluster does not: plan again".into());
            continue;
        };
        if !entry.in_plan {
            if at == At::Start {
                say(Promise::Cluster, "the cluster has this broker and the plan does not: plan again".into());
            }
            continue;
        }
        let zone = cluster.brokers[index as usize].zone.as_deref();
        // A broker without broker.rack may have got its zone from a person.
        if zone.is_some() && zone != entry.zone_name {
            let (planned, real) = (entry.zone_name.unwrap_or("-"), zone.unwrap_or("-"));
            say(
                Promise::P3,
                format!("the plan has it in zone {planned:?}, and it is in zone {real:?}: plan again"),
            );
        }
        let in_service = cluster.brokers[index as usize].fenced == Some(false);
        if plan.given_up.contains(&entry.id) && in_service {
            say(
                Promise::Ready,
                "was given up, and it is in service: do not give it up, or stop it first".into(),
            );
        }
    }
}

/// Brokers that get copies.
pub(super) fn destinations(configs: &Configs, book: &Book<'_>, cluster: &Cluster, verdict: &mut Verdict) {
    for at in configs.destinations() {
        let entry = book.entry(at);
        let Some(index) = entry.at_cluster else { continue };
        let broker = &cluster.brokers[index as usize];
        let mut say = |message: String| verdict.add(Promise::Ready, None, Some(entry.id), message);
        if broker.fenced == Some(true) {
            say("gets copies and is fenced: start it, or plan without it".into());
        }
        if !broker.answered {
            say("gets copies and does not answer: start it, or plan without it".into());
        }
        for dir in broker.log_dirs.iter().filter(|dir| dir.offline) {
            say(format!(
                "gets copies and its log directory {} is offline: repair it, or plan without it",
                dir.path
            ));
        }
    }
}

/// Where one partition stands.
pub(super) fn standing(
    book: &Book<'_>,
    cluster: &Cluster,
    p: &Partition<'_>,
    lists: &Lists,
    at: At,
    mut say: impl FnMut(Promise, String),
) {
    let here = || p.replicas.iter().map(|broker| book.of_cluster[*broker as usize]);
    let moving = in_flight(cluster, p.index);
    match at {
        At::Start => {
            if !here().eq(lists.from.iter().copied()) {
                let list: Vec<u32> = here().collect();
                let (list, from) = (book.show(&list), book.show(&lists.from));
                if p.replicas.len() == lists.from.len() && here().all(|broker| lists.from.contains(&broker)) {
                    let why = "the way back would not restore the order; plan again";
                    say(Promise::P7, format!("it stands at {list} and the plan starts from {from}: {why}"));
                } else {
                    say(
                        Promise::Cluster,
                        format!("it stands at {list} and the plan starts from {from}: plan again"),
                    );
                }
            }
            if let Some(moving) = moving {
                say(Promise::Ready, in_flight_message(moving));
            }
        }
        At::Anywhere => {
            if !is_known(p.replicas.len(), here, lists) {
                let list: Vec<u32> = here().collect();
                let (list, from, to) = (book.show(&list), book.show(&lists.from), book.show(&lists.to));
                let message = format!("it stands at {list}, which is no state of the move {from} -> {to}");
                say(Promise::Cluster, format!("{message}: somebody else moved it; plan it again"));
            }
            let ours = |id: &BrokerId, lists: &[&Vec<u32>]| {
                book.at(*id).is_some_and(|at| lists.iter().any(|list| list.contains(&at)))
            };
            let (added, removed) = (&lists.added, &lists.removed);
            let foreign = moving.filter(|moving| {
                !moving.adding.iter().all(|id| ours(id, &[added]))
                    || !moving.removing.iter().all(|id| ours(id, &[added, removed]))
            });
            if let Some(moving) = foreign {
                say(
                    Promise::Cluster,
                    format!("{}, which is not a step of this plan", in_flight_message(moving)),
                );
            }
        }
    }
    if p.leader.is_none() {
        say(Promise::Ready, "it is offline (no leader): bring one of its replicas back first".into());
    }
}

fn in_flight(cluster: &Cluster, index: u32) -> Option<&InFlight> {
    if cluster.in_flight.is_empty() { None } else { cluster.in_flight.get(&index) }
}

/// Says what a reassignment that is under way does.
pub(super) fn in_flight_message(moving: &InFlight) -> String {
    let show = crate::model::replicas::show::<BrokerId>;
    let (adding, removing) = (show(&moving.adding), show(&moving.removing));
    format!("a reassignment of it is under way (adding {adding}, removing {removing})")
}

/// The states of section 3, with what Kafka leaves while a removal is in flight (`target ++ sorted(rest)`).
fn is_known<I: Iterator<Item = u32>>(len: usize, here: impl Fn() -> I, lists: &Lists) -> bool {
    if here().eq(lists.from.iter().copied()) || here().eq(lists.to.iter().copied()) {
        return true;
    }
    if here().eq(lists.kept.iter().copied()) {
        return true;
    }
    let begins = |list: &[u32]| here().take(list.len()).eq(list.iter().copied());
    let whole = |all: &[u32]| len == all.len() && here().all(|broker| all.contains(&broker));
    // With a broker given up, an expansion may have begun before that.
    let full = lists.from.len() + lists.added.len();
    let with_given_up = lists.kept.len() < lists.from.len()
        && len == full
        && here().all(|broker| lists.from.contains(&broker) || lists.added.contains(&broker));
    whole(&lists.expanded) && (begins(&lists.kept) || begins(&lists.to))
        || with_given_up && (begins(&lists.from) || begins(&lists.to))
}

/// The topic of a plan in the cluster: what does not fit.
pub(super) fn topic(plan: &Plan, cluster: &Cluster, at: usize) -> Result<usize, String> {
    let planned = &plan.topics[at];
    let Ok(index) = cluster.topics.binary_search_by(|topic| topic.name.as_str().cmp(&planned.name)) else {
        return Err("the cluster has no such topic: plan again".into());
    };
    let real = &cluster.topics[index];
    if real.id != planned.id {
        return Err(format!(
            "the topic's id is {} and the plan was made for {}: it was deleted and created again; plan again",
            real.id, planned.id
        ));
    }
    if real.internal != planned.internal {
        let (real, planned) = (real.internal, planned.internal);
        return Err(format!("the topic is internal: {real}, and the plan says {planned}; plan again"));
    }
    Ok(index)
}

/// Whether growing a list would raise the effective min ISR and block writes.
pub(super) fn blocks_writes(start: usize, grows: bool, min_isr: Option<u32>) -> Option<String> {
    let min_isr = min_isr.filter(|min_isr| grows && *min_isr as usize > start)?;
    Some(format!(
        "min.insync.replicas is {min_isr} and it has {start} replicas: expanding would block acks=all writes until a \
         copy joins; lower min.insync.replicas, raise the replication factor first, or leave it out"
    ))
}
