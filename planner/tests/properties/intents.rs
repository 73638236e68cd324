//! What holds for the plans of every intent.

use proptest::prelude::*;
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::place::{self, Options, PlaceError, Placed};
use restow_planner::plan::{Bands, Budget, Intent, LeaderMode, Measure, Pacing, moves};
use restow_planner::{check, file};

use super::plans::at_end;
use super::worlds::{self, NEW, World, ids};

fn bands() -> impl Strategy<Value = Bands> {
    let measures = prop::sample::subsequence(
        vec![Measure::Replicas, Measure::Bytes, Measure::WriteRate, Measure::Leaders],
        1..=4,
    );
    (measures, 0u32..3_000, any::<bool>(), any::<bool>()).prop_map(
        |(measures, tolerance, spread_topics, across_zones)| Bands {
            measures,
            tolerance,
            spread_topics,
            across_zones,
        },
    )
}

fn budget() -> impl Strategy<Value = Budget> {
    let some = |most: u64| prop::option::weighted(0.2, 0..most);
    (some(30_000), some(20), some(10), some(5)).prop_map(
        |(bytes, moves, leader_changes, moves_per_broker)| Budget {
            bytes,
            moves,
            leader_changes,
            moves_per_broker,
        },
    )
}

/// Any intent but a migration, over the brokers of [`worlds::any_world`].
fn any_intent() -> impl Strategy<Value = Intent> {
    let brokers = || prop::sample::subsequence((1..8).chain(NEW..NEW + 9).collect::<Vec<i32>>(), 1..4);
    let (topics, exclude) = (Vec::<String>::new, Vec::<String>::new);
    let mode = prop_oneof![
        3 => Just(LeaderMode::Minimal),
        1 => (0u32..200).prop_map(LeaderMode::Within),
        1 => Just(LeaderMode::Best),
        1 => Just(LeaderMode::Keep),
    ];
    prop_oneof![
        (brokers(), prop::option::weighted(0.2, NEW..NEW + 9)).prop_map(move |(brokers, other)| {
            Intent::Drain {
                replace_with: other.map(BrokerId),
                brokers: ids(&brokers),
                topics: topics(),
                exclude: exclude(),
            }
        }),
        (brokers(), bands()).prop_map(move |(brokers, bands)| Intent::Add {
            brokers: ids(&brokers),
            bands,
            topics: topics(),
            exclude: exclude(),
        }),
        (bands(), budget()).prop_map(move |(bands, budget)| Intent::Rebalance {
            bands,
            budget,
            topics: topics(),
            exclude: exclude(),
        }),
        (1u32..6).prop_map(move |factor| Intent::SetFactor { factor, topics: topics(), exclude: exclude() }),
        Just(Intent::Repair { topics: topics(), exclude: exclude() }),
        (mode, prop::option::of(brokers())).prop_map(move |(mode, demote)| Intent::Leaders {
            mode,
            demote: ids(&demote.unwrap_or_default()),
            topics: topics(),
            exclude: exclude(),
        }),
    ]
}

fn any_case() -> impl Strategy<Value = World> {
    (worlds::any_world(), any_intent()).prop_map(|(world, intent)| World { intent, ..world })
}

fn place(world: &World) -> Result<Placed, PlaceError> {
    let options = Options { leave_out_refused: true, hold_min_isr: true, ..Options::default() };
    place::plan(&world.cluster(), &world.intent, &options, &mut Unwatched)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    /// A plan that passes check, or typed refusals; the same each time, and its file holds all of it.
    #[test]
    fn every_intent_gives_a_plan_that_passes_check_or_typed_refusals(world in any_case()) {
        let placed = match place(&world) {
            Ok(placed) => placed,
            Err(PlaceError::Usage { .. }) => return Ok(()),
            Err(PlaceError::Refused { refusals }) => {
                prop_assert!(!refusals.is_empty());
                return Ok(());
            }
        };
        let plan = &placed.plan;
        let verdict = check::judge(plan, &world.cluster(), check::At::Start);
        prop_assert!(verdict.accepted(), "{:#?}\n{:?}", verdict.findings, plan.moves);
        prop_assert!(plan.certificate.bound_bytes <= plan.certificate.moved_bytes);
        prop_assert_eq!(plan.pacing, Pacing::Pipelined);
        prop_assert_eq!(&place(&world).expect("as before").plan, plan);
        let mut bytes = Vec::new();
        let hash = file::plan::write(plan, &mut bytes).unwrap();
        prop_assert_eq!(file::plan::read(bytes.as_slice(), "plan.json").unwrap(), (plan.clone(), hash));
    }

    /// From the end of a plan there is nothing more to do, where it did all that was asked.
    #[test]
    fn planning_again_from_the_end_gives_an_empty_plan(mut world in any_case()) {
        // A new leader has a size of its own, and with it every copy.
        world.topics.iter_mut().flat_map(|(_, rows)| rows).for_each(|row| row.leader = row.leader.map(|_| 0));
        let Ok(placed) = place(&world) else { return Ok(()) };
        let is_told = |told: &str| placed.notes.iter().any(|note| note.contains(told));
        let is_whole = placed.refusals.is_empty() && !is_told("outside of its band") && !is_told("in one rack");
        let is_exact = match &world.intent {
            Intent::Drain { .. } | Intent::SetFactor { .. } | Intent::Repair { .. } => true,
            Intent::Leaders { mode, .. } => matches!(mode, LeaderMode::Minimal | LeaderMode::Keep),
            Intent::Rebalance { bands, .. } | Intent::Add { bands, .. } => !bands.measures.contains(&Measure::Leaders),
            _ => false,
        };
        if !is_whole || !is_exact {
            return Ok(());
        }
        let end = at_end(world, &placed);
        let Ok(again) = place(&end) else { return Ok(()) };
        let stay = |m: &moves_of::Row| placed.plan.left_out.iter().any(|left| left.partition == m.0);
        let more: Vec<moves_of::Row> = moves_of::rows(&again).into_iter().filter(|m| !stay(m)).collect();
        prop_assert!(more.is_empty(), "{:?} after {:?}", more, moves_of::rows(&placed));
    }

    /// A budget is kept.
    #[test]
    fn a_budget_is_kept(world in worlds::any_world(), bands in bands(), budget in budget()) {
        let (topics, exclude) = (vec![], vec![]);
        let world = World { intent: Intent::Rebalance { bands, budget, topics, exclude }, ..world };
        let Ok(placed) = place(&world) else { return Ok(()) };
        let copies: Vec<(BrokerId, Option<u64>)> = (placed.plan.moves.iter())
            .flat_map(|m| moves::added(m.from, m.to).into_iter().map(move |id| (id, m.bytes)))
            .collect();
        prop_assert!(placed.plan.certificate.moved_bytes <= budget.bytes.unwrap_or(u64::MAX));
        prop_assert!(copies.len() as u64 <= budget.moves.unwrap_or(u64::MAX));
        for broker in &placed.plan.brokers {
            let to = copies.iter().filter(|(id, _)| *id == broker.id).count() as u64;
            prop_assert!(to <= budget.moves_per_broker.unwrap_or(u64::MAX));
        }
    }
}

/// Moves as plain rows, for messages.
mod moves_of {
    use super::{Placed, TopicPartition};

    pub type Row = (TopicPartition, Vec<i32>, Vec<i32>);

    pub fn rows(placed: &Placed) -> Vec<Row> {
        let plain = |list: &[super::BrokerId]| list.iter().map(|id| id.0).collect::<Vec<i32>>();
        placed.plan.moves.iter().map(|m| (placed.plan.partition_of(&m), plain(m.from), plain(m.to))).collect()
    }
}
