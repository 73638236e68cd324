//! What holds for every file.

use proptest::prelude::*;
use restow_planner::file::{self, reassignment::Assignment};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{Cluster, ReplicaList, TopicPartition};
use restow_planner::place::{self, Options};

use super::worlds::{self, World, ids};

fn snapshot(cluster: &Cluster) -> Vec<u8> {
    let mut bytes = Vec::new();
    file::snapshot::write(cluster, &mut bytes).unwrap();
    bytes
}

fn plan(world: &World) -> Option<Vec<u8>> {
    let options = Options { leave_out_refused: true, ..Options::default() };
    let placed = place::plan(&world.cluster(), &world.intent, &options, &mut Unwatched).ok()?;
    let mut bytes = Vec::new();
    file::plan::write(&placed.plan, &mut bytes).unwrap();
    Some(bytes)
}

proptest! {
    #[test]
    fn a_snapshot_holds_all_of_its_cluster(world in worlds::any_world()) {
        let cluster = world.cluster();
        let bytes = snapshot(&cluster);
        let read = file::snapshot::read(bytes.as_slice(), "cluster.json").unwrap();
        prop_assert_eq!(&read, &cluster);
        prop_assert_eq!(snapshot(&read), bytes);
    }

    /// One message, no panic, whatever a byte is changed to.
    #[test]
    fn a_spoilt_snapshot_is_read_or_refused(world in worlds::any_world(), at: prop::sample::Index, byte: u8, cut: bool) {
        let mut bytes = snapshot(&world.cluster());
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        if let Err(error) = file::snapshot::read(bytes.as_slice(), "cluster.json") {
            let text = error.to_string();
            prop_assert!(text.starts_with("cluster.json") && !text.contains(" at line "), "{}", text);
        } else {
            // The line after the last bracket may go.
            prop_assert!(!cut || at + 1 == snapshot(&world.cluster()).len());
        }
    }

    /// Not one byte of a plan may change.
    #[test]
    fn a_spoilt_plan_is_refused(world in worlds::any_world(), at: prop::sample::Index, byte: u8) {
        let Some(mut bytes) = plan(&world) else { return Ok(()) };
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let text = file::plan::read(bytes.as_slice(), "plan.json").unwrap_err().to_string();
        prop_assert!(text.starts_with("plan.json"), "{}", text);
        bytes.truncate(at);
        prop_assert!(file::plan::read(bytes.as_slice(), "plan.json").is_err());
    }

    #[test]
    fn an_assignment_file_holds_all_of_its_assignments(
        lists in prop::collection::btree_map((0u8..3, 0i32..50), prop::sample::subsequence(vec![1, 2, 3, 4], 1..4).prop_shuffle(), 0..20),
    ) {
        let name = |topic: u8| ["a.b", "c-d", "e\"\\f"][usize::from(topic)];
        let list: Vec<Assignment> = lists.into_iter().map(|((topic, partition), replicas)| Assignment {
            partition: TopicPartition::new(name(topic), partition),
            replicas: ReplicaList::new(ids(&replicas)).unwrap(),
        }).collect();
        let mut bytes = Vec::new();
        file::reassignment::write(&list, &mut bytes).unwrap();
        prop_assert_eq!(file::reassignment::read(bytes.as_slice(), "f.json").unwrap(), list);
    }
}
