//! What producers write, measured: how far the leaders' logs grew in a while.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use restow_planner::model::{BrokerId, Cluster, Rate, TopicPartition, UNKNOWN_SIZE};
use tokio::time::{Instant, sleep};

use super::{Progress, Step, Warning};
use crate::read::{self, OffsetQuery, Replica};
use crate::{Client, Code, Error};

/// Partitions in one request: about 100 kB.
const QUERIES: usize = 2000;

/// Partition indexes of a leader, and what is asked about each.
type Asked = BTreeMap<BrokerId, Vec<(u32, OffsetQuery)>>;
/// Offsets by partition index, each with the moment at which it was asked for.
type Offsets = BTreeMap<u32, (Instant, i64)>;

/// Measures the write rate of every partition over `time`: records that came in, times the mean bytes of a record
/// in that log (its size over the offsets that it spans). A log that did not grow has rate 0; where the size is
/// unknown, or the log spans nothing, the rate stays unknown.
pub async fn sample(
    client: &Client,
    cluster: &mut Cluster,
    time: Duration,
    parallel: usize,
    progress: &mut dyn FnMut(Progress),
) -> Vec<Warning> {
    let mut asked = Asked::new();
    for (topic, p) in cluster.partitions() {
        let Some(leader) = p.leader else { continue };
        let query = OffsetQuery { topic: topic.name.clone(), partition: p.number, leader_epoch: -1 };
        asked.entry(cluster.brokers[leader as usize].id).or_default().push((p.index, query));
    }
    let total = asked.len();
    progress(Progress { step: Step::Rates, done: 0, total });
    let starts = ask(client, &asked, parallel, true).await;
    let before = ask(client, &asked, parallel, false).await;
    sleep(time).await;
    let after = ask(client, &asked, parallel, false).await;
    progress(Progress { step: Step::Rates, done: total, total });

    let rates: Vec<(u32, Option<u64>)> = (cluster.partitions())
        .map(|(_, p)| {
            let size = p.replicas.iter().position(|id| Some(*id) == p.leader).map(|at| p.sizes[at]);
            let size = size.filter(|size| *size != UNKNOWN_SIZE);
            let start = starts.get(&p.index).map(|(_, offset)| *offset);
            let ends = before.get(&p.index).zip(after.get(&p.index));
            (p.index, ends.and_then(|(before, after)| rate(size, start, *before, *after)))
        })
        .collect();
    let unknown: Vec<u32> = rates.iter().filter(|(_, rate)| rate.is_none()).map(|(at, _)| *at).collect();
    for (index, rate) in rates {
        cluster.set_rate(Rate::Write, index, rate);
    }
    let first = unknown.first().map(|at| cluster.name_of(*at));
    first
        .map(|first: TopicPartition| Warning::RatesUnknown { count: unknown.len(), first })
        .into_iter()
        .collect()
}

/// Bytes/s from two ends of a log of this size that begins at `start`.
fn rate(size: Option<u64>, start: Option<i64>, before: (Instant, i64), after: (Instant, i64)) -> Option<u64> {
    let grown = u128::try_from(after.1.checked_sub(before.1)?).ok()?;
    if grown == 0 {
        return Some(0);
    }
    let spans = u128::try_from(before.1.checked_sub(start?)?).ok().filter(|spans| *spans > 0)?;
    let elapsed = after.0.duration_since(before.0).as_millis().max(1);
    let bytes = grown * u128::from(size?) / spans;
    u64::try_from(bytes * 1000 / elapsed).ok()
}

/// One offset of each partition, asked of its leader; of those that do not tell nothing.
async fn ask(client: &Client, asked: &Asked, parallel: usize, earliest: bool) -> Offsets {
    let requests = asked.iter().flat_map(|(broker, of)| of.chunks(QUERIES).map(move |of| (*broker, of)));
    let answers = requests.map(|(broker, of)| async move {
        let queries: Vec<OffsetQuery> = of.iter().map(|(_, query)| query.clone()).collect();
        let now = Instant::now();
        let told: Result<Vec<Result<i64, Code>>, Error> = if earliest {
            read::earliest_offsets(client, broker, Replica::Leader, &queries).await
        } else {
            read::end_offsets(client, broker, Replica::Leader, &queries).await
        };
        let told = told.unwrap_or_default().into_iter().zip(of);
        told.filter_map(|(offset, (index, _))| Some((*index, (now, offset.ok()?)))).collect::<Vec<_>>()
    });
    let answers: Vec<_> = stream::iter(answers).buffered(parallel).collect().await;
    answers.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_records_times_their_mean_size() {
        let at = |seconds: u64, offset: i64| (Instant::now() + Duration::from_secs(seconds), offset);
        // 1,000 records of 100 bytes; 60 more in a minute.
        assert_eq!(rate(Some(100_000), Some(500), at(0, 1_500), at(60, 1_560)), Some(100));
        assert_eq!(rate(Some(100_000), Some(500), at(0, 1_500), at(60, 1_500)), Some(0));
        assert_eq!(rate(None, None, at(0, 5), at(60, 5)), Some(0), "nothing came in, whatever the size");
        assert_eq!(rate(None, Some(0), at(0, 5), at(60, 6)), None, "the size is unknown");
        assert_eq!(rate(Some(7), Some(5), at(0, 5), at(60, 6)), None, "it was empty");
        assert_eq!(rate(Some(7), Some(0), at(0, 5), at(60, 4)), None, "it was cut, or made anew");
    }
}
