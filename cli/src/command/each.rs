//! The same work for many items, on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use restow_planner::model::watch::Watch;

/// What `work` gives for each item, in their order. Each core takes the next item.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    phase: &'static str,
    watch: &mut dyn Watch,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let next = AtomicUsize::new(0);
    let mut made: Vec<Option<R>> = items.iter().map(|_| None).collect();
    watch.phase(phase, 0, items.len() as u64);
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        for _ in 0..cores {
            let (send, next, work) = (send.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((at, item)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    items.get(at).map(|item| (at, item))
                } {
                    if send.send((at, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        for (done, (at, result)) in receive.into_iter().enumerate() {
            made[at] = Some(result);
            watch.phase(phase, done as u64 + 1, items.len() as u64);
        }
    });
    made.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use restow_planner::model::watch::Unwatched;

    #[test]
    fn results_keep_the_order_of_items() {
        let items: Vec<u64> = (0..1000).collect();
        let made = each(&items, "squaring", &mut Unwatched, |n| n * n);
        assert!(made.len() == 1000 && made.iter().enumerate().all(|(at, n)| *n == (at * at) as u64));
        assert_eq!(each(&[] as &[u64], "nothing", &mut Unwatched, |n| *n), [] as [u64; 0]);
    }
}
