//! How the stock `kafka-reassign-partitions` undoes a throttled pure expansion that is still running: what our runbook
//! and our exported rollback files may rely on, version by version.

use restow_testing::{Kafka, Reassignment, Spec, available_or_skip, wait_until};
use std::collections::BTreeMap;
use std::time::Duration;

const OLD: [[i32; 2]; 2] = [[1, 3], [3, 2]];
const EXPANDED: [[i32; 4]; 2] = [[1, 3, 4, 6], [3, 2, 6, 5]];

/// What the stock tool of a version achieves.
struct Facts {
    version: &'static str,
    /// `--cancel` with the file of the expansion undoes it.
    cancel: bool,
    /// `--execute --additional` with the original lists undoes it. Where it does not, it hangs: the partition is
    /// listed as adding and removing the same brokers, even after their copies are complete.
    twin: bool,
}

#[test]
fn undoing_an_expansion_on_3_9() {
    undoing_an_expansion(&Facts { version: "3.9.2", cancel: false, twin: true });
}

#[test]
fn undoing_an_expansion_on_4_3() {
    undoing_an_expansion(&Facts { version: "4.3.1", cancel: true, twin: false });
}

fn undoing_an_expansion(facts: &Facts) {
    let Some(()) = available_or_skip() else { return };
    let kafka = Kafka::start(Spec::two_az(facts.version));

    let case = Case::expanding(&kafka, "cancelled");
    let said = case.stock(&["--cancel", "--preserve-throttles"], &case.expand);
    if facts.cancel {
        assert!(
            said.starts_with("Successfully cancelled partition reassignments for: cancelled-0,cancelled-1"),
            "{said}"
        );
        case.is_undone();
    } else {
        // Exit code 0 all the same.
        assert!(said.starts_with("None of the specified partition reassignments are active."), "{said}");
        case.is_in_flight(&[]);
    }
    assert!(case.is_throttled(), "--preserve-throttles did not");
    case.end();

    // The one sequence that is right on every version: execute the original lists, then cancel that.
    let case = Case::expanding(&kafka, "twin");
    let said = case.stock(&["--execute", "--additional"], &case.twin);
    assert!(said.contains("Successfully started partition reassignments for twin-0,twin-1"), "{said}");
    if facts.twin {
        case.is_undone();
    } else {
        std::thread::sleep(Duration::from_secs(3));
        case.is_in_flight(&[[4, 6], [5, 6]]);
    }
    let said = case.stock(&["--cancel", "--preserve-throttles"], &case.twin);
    assert_eq!(said.starts_with("Successfully cancelled"), !facts.twin, "{said}");
    case.is_undone();
    assert!(case.is_throttled(), "the throttles of the expansion are gone before --verify");
    let said = case.stock(&["--verify"], &case.twin);
    assert!(said.contains("Reassignment of partition twin-1 is completed."), "{said}");
    assert!(!case.is_throttled(), "--verify left throttles");
    case.end();
}

/// A topic whose throttled expansion is running, and the two files of it.
struct Case<'a> {
    kafka: &'a Kafka,
    topic: &'a str,
    expand: String,
    twin: String,
}

impl<'a> Case<'a> {
    fn expanding(kafka: &'a Kafka, topic: &'a str) -> Case<'a> {
        let old: Vec<Vec<i32>> = OLD.iter().map(|list| list.to_vec()).collect();
        kafka.admin().create_topic(topic, &old, &[]).unwrap();
        kafka.admin().produce(topic, 60_000, 1_000).unwrap();
        let file = |name: &str, lists: &[&[i32]]| {
            let items: Vec<String> = (0..)
                .zip(lists)
                .map(|(at, list): (i32, _)| {
                    format!(r#"{{"topic":"{topic}","partition":{at},"replicas":{list:?}}}"#)
                })
                .collect();
            let path = kafka.directory().join(format!("{topic}-{name}.json"));
            std::fs::write(&path, format!(r#"{{"version":1,"partitions":[{}]}}"#, items.join(","))).unwrap();
            path.display().to_string()
        };
        let expand = file("expand", &[&EXPANDED[0], &EXPANDED[1]]);
        let twin = file("twin", &[&OLD[0], &OLD[1]]);
        let case = Case { kafka, topic, expand, twin };
        // 30 MB at 0.5 MB/s: a minute, far longer than the tools need.
        case.stock(&["--execute", "--throttle", "500000"], &case.expand);
        case.is_in_flight(&[]);
        case
    }

    fn stock(&self, args: &[&str], file: &str) -> String {
        self.kafka.reassign(&[args, &["--reassignment-json-file", file]].concat()).expect_success()
    }

    /// Both partitions still add their brokers, and remove these.
    fn is_in_flight(&self, removing: &[[i32; 2]]) {
        let expected = |partition: usize, adding: [i32; 2]| Reassignment {
            replicas: EXPANDED[partition].to_vec(),
            adding: adding.to_vec(),
            removing: removing.get(partition).map_or(Vec::new(), |list| list.to_vec()),
        };
        let mut list: BTreeMap<(String, i32), Reassignment> = self.kafka.admin().reassignments().unwrap();
        for (partition, adding) in [(0, [4, 6]), (1, [5, 6])] {
            let mut found = list.remove(&(self.topic.to_owned(), partition)).expect("not in flight");
            let mut wanted = expected(usize::try_from(partition).unwrap(), adding);
            // An override sorts what it adds.
            found.replicas[2..].sort_unstable();
            wanted.replicas[2..].sort_unstable();
            assert_eq!(found, wanted);
        }
    }

    /// The original lists, in their order, and nothing in flight.
    fn is_undone(&self) {
        let undone = || {
            self.kafka.admin().reassignments().is_ok_and(|list| list.is_empty())
                && self.kafka.admin().topic(self.topic).is_ok_and(|topic| {
                    topic.partitions.iter().zip(OLD).all(|(partition, old)| {
                        partition.replicas == old
                            && partition.leader == Some(old[0])
                            && partition.isr.len() == 2
                    })
                })
        };
        let shown = || (self.kafka.admin().reassignments(), self.kafka.admin().topic(self.topic));
        assert!(wait_until(Duration::from_secs(10), undone), "{:?}", shown());
    }

    /// Whether all throttles are there; panics if only some are.
    fn is_throttled(&self) -> bool {
        let admin = self.kafka.admin();
        let topic = admin.topic_configs().unwrap()[self.topic].len();
        let brokers: usize =
            admin.broker_configs(&[1, 2, 3, 4, 5, 6]).unwrap().values().map(BTreeMap::len).sum();
        assert!([(0, 0), (2, 12)].contains(&(topic, brokers)), "{topic} of 2 entries, {brokers} of 12 rates");
        topic > 0
    }

    fn end(self) {
        let admin = self.kafka.admin();
        let left = admin.reassignments().unwrap();
        let keys: Vec<(&str, i32)> =
            left.keys().map(|(topic, partition)| (topic.as_str(), *partition)).collect();
        if !keys.is_empty() {
            assert!(admin.cancel(&keys).unwrap().is_empty());
        }
        assert!(admin.wait_until_settled(Duration::from_secs(20)));
        self.stock(&["--verify"], &self.twin);
        admin.delete_topics(&[self.topic]).unwrap();
    }
}
