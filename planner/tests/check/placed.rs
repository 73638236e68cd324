//! What the planner makes is accepted, whatever the cluster.

use proptest::prelude::*;
use restow_planner::check::{At, judge, judge_plan_alone};
use restow_planner::model::UNKNOWN_SIZE;
use restow_planner::model::watch::Unwatched;
use restow_planner::place::{Options, plan};
use restow_planner::plan::Intent;

use super::world::{World, broker, ids, row};

/// Clusters with uneven zones, lists of any kind, unknown sizes and moves in flight; brokers from 100 on are new.
fn any_world() -> impl Strategy<Value = (World, bool)> {
    let list = prop::sample::subsequence(vec![0, 1, 2, 3, 4, 5, 6, 7, 100, 103], 1..5).prop_shuffle();
    let partition = (list, prop::option::weighted(0.9, 0u64..2_000), prop::bool::weighted(0.05));
    let rows = prop::collection::vec(partition, 1..12);
    (1usize..4, prop::collection::vec((rows, 0u32..4), 1..4), any::<bool>()).prop_map(
        |(zones, topics, preserve)| {
            let mut world = World::story();
            let zone = |id: i32| ["az-a", "az-b", "az-c"][id as usize % zones];
            let all: Vec<i32> = (0..8).chain(100..109).collect();
            world.brokers = all.iter().map(|id| broker(*id, zone(*id))).collect();
            let model = world.shelves[0].clone();
            world.shelves.clear();
            for (at, (rows, min_isr)) in topics.into_iter().enumerate() {
                let mut shelf = model.clone();
                shelf.name = ["__internal", "orders", "pay"][at].into();
                shelf.internal = at == 0;
                shelf.min_isr = Some(min_isr).filter(|min_isr| *min_isr > 0);
                shelf.rows = (rows.into_iter())
                    .map(|(list, bytes, moving)| {
                        let mut row = row(&list, bytes.unwrap_or(UNKNOWN_SIZE));
                        row.adding = if moving { vec![list[0]] } else { vec![] };
                        row
                    })
                    .collect();
                world.shelves.push(shelf);
            }
            (world, preserve)
        },
    )
}

proptest! {
    #[test]
    fn what_is_placed_is_accepted((world, preserve_leaders) in any_world()) {
        let cluster = world.cluster();
        let intent = Intent::Migrate {
            from: ids(&(0..8).collect::<Vec<_>>()),
            to: ids(&(100..109).collect::<Vec<_>>()),
            topics: vec![],
            exclude: vec![],
            preserve_leaders,
        };
        let options = Options { leave_out_refused: true, ..Options::default() };
        let placed = plan(&cluster, &intent, &options, &mut Unwatched).unwrap();
        for verdict in [
            judge(&placed.plan, &cluster, At::Start),
            judge(&placed.plan, &cluster, At::Anywhere),
            judge_plan_alone(&placed.plan),
        ] {
            prop_assert!(verdict.accepted(), "{:#?}", verdict.findings);
        }
    }
}
