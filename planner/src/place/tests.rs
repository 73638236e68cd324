mod refused;

use super::*;
use crate::model::watch::Unwatched;
use crate::model::{
    Broker, ClusterBuilder, ConfigDifference, ConfigSource, LogDir, PartitionRow, Topic, TopicId,
    UNKNOWN_SIZE, Unseen,
};
use crate::plan::{Certificate, moves};

fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

/// A partition: its replicas and the bytes of each.
type Row = (Vec<i32>, u64);

/// Brokers 1, 2 (az-a) and 3 (az-b) are old; 4, 5 (az-a) and 6 (az-b) are new and empty.
struct Story {
    brokers: Vec<Broker>,
    topics: Vec<(Topic, Vec<Row>)>,
    differences: Vec<ConfigDifference>,
    /// Partitions (of the first topic) with their leader, and those in flight.
    leaders: Vec<(usize, Option<i32>)>,
    moving: Vec<usize>,
    intent: Intent,
    options: Options,
}

fn broker(id: i32, zone: &str) -> Broker {
    Broker {
        id: BrokerId(id),
        rack: Some(zone.into()),
        zone: Some(zone.into()),
        host: String::new(),
        port: 0,
        fenced: Some(false),
        answered: true,
        listeners: Some(vec!["CLIENTS".into()]),
        log_dirs: vec![LogDir {
            path: "/data".into(),
            total_bytes: Some(1_000_000),
            usable_bytes: Some(900_000),
            offline: false,
        }],
        rates: vec![],
        sockets: None,
        unseen: vec![],
        node: None,
    }
}

fn topic(name: &str) -> Topic {
    Topic {
        name: name.into(),
        id: TopicId([name.len() as u8; 16]),
        internal: name.starts_with("__"),
        min_isr: Some((1, ConfigSource::Default)),
        ..Topic::default()
    }
}

fn story() -> Story {
    let zones = [(1, "az-a"), (2, "az-a"), (3, "az-b"), (4, "az-a"), (5, "az-a"), (6, "az-b")];
    Story {
        brokers: zones.iter().map(|(id, zone)| broker(*id, zone)).collect(),
        topics: vec![
            (topic("__consumer_offsets"), vec![(vec![1, 3], 10)]),
            (
                topic("orders.v1"),
                vec![(vec![1, 3], 100), (vec![3, 2], 200), (vec![2, 3], 300), (vec![3, 1], 400)],
            ),
        ],
        differences: vec![],
        leaders: vec![],
        moving: vec![],
        intent: Intent::Migrate {
            from: ids(&[1, 2, 3]),
            to: ids(&[4, 5, 6]),
            topics: vec![],
            exclude: vec![],
            preserve_leaders: false,
        },
        options: Options::default(),
    }
}

impl Story {
    fn cluster(&self) -> Cluster {
        let mut build = ClusterBuilder::new("story", self.brokers.clone()).unwrap();
        for (number, (topic, rows)) in self.topics.iter().enumerate() {
            build.topic(topic.clone()).unwrap();
            for (at, (list, bytes)) in rows.iter().enumerate() {
                let (list, sizes) = (ids(list), vec![*bytes; list.len()]);
                let other = self.leaders.iter().find(|(row, _)| number == 0 && *row == at);
                let row = PartitionRow {
                    replicas: &list,
                    leader: other.map_or(Some(list[0]), |(_, leader)| leader.map(BrokerId)),
                    isr: &list,
                    sizes: &sizes,
                    adding: if number == 0 && self.moving.contains(&at) { &list[..1] } else { &[] },
                    ..PartitionRow::default()
                };
                build.partition(&row).unwrap();
            }
        }
        build.finish(String::new(), self.differences.clone())
    }

    fn plan(&self) -> Result<Placed, PlaceError> {
        plan(&self.cluster(), &self.intent, &self.options, &mut Unwatched)
    }

    fn placed(&self) -> Placed {
        self.plan().unwrap()
    }

    /// As kinds and places.
    fn refused(&self) -> Vec<(RefusalKind, String)> {
        match self.plan() {
            Err(PlaceError::Refused { refusals }) => refusals.iter().map(|r| (r.kind, place(r))).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn usage(&self) -> String {
        match self.plan() {
            Err(error @ PlaceError::Usage { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn leaving_out(mut self) -> Self {
        self.options.leave_out_refused = true;
        self
    }

    fn asking(mut self, new_topics: &[&str], new_exclude: &[&str]) -> Self {
        if let Intent::Migrate { topics, exclude, .. } = &mut self.intent {
            *topics = new_topics.iter().map(|text| (*text).into()).collect();
            *exclude = new_exclude.iter().map(|text| (*text).into()).collect();
        }
        self
    }

    fn between(mut self, new_from: &[i32], new_to: &[i32]) -> Self {
        if let Intent::Migrate { from, to, .. } = &mut self.intent {
            (*from, *to) = (ids(new_from), ids(new_to));
        }
        self
    }
}

fn place(refusal: &Refusal) -> String {
    match (&refusal.partition, refusal.broker) {
        (Some(partition), _) => partition.to_string(),
        (None, Some(broker)) => format!("broker {broker}"),
        (None, None) => String::new(),
    }
}

fn targets(placed: &Placed) -> Vec<(String, Vec<i32>)> {
    let plan = &placed.plan;
    let list = |to: &[BrokerId]| to.iter().map(|id| id.0).collect();
    plan.moves.iter().map(|m| (plan.partition_of(&m).to_string(), list(m.to))).collect()
}

#[test]
fn every_replica_goes_to_a_new_broker_of_its_zone_and_internal_topics_come_last() {
    let mut story = story();
    story.leaders = vec![(0, Some(3))];
    let placed = story.placed();
    let names: Vec<String> = targets(&placed).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["orders.v1-0", "orders.v1-1", "orders.v1-2", "orders.v1-3", "__consumer_offsets-0"]);
    for m in placed.plan.moves.iter() {
        let zones = |list: &[BrokerId]| list.iter().map(|b| placed.plan.zone(*b)).collect::<Vec<_>>();
        assert_eq!(zones(m.from), zones(m.to));
        assert!(m.to.iter().all(|id| id.0 >= 4));
        assert_eq!(placed.plan.count_zones(&moves::expanded(m.from, m.to)), 2);
    }
    assert_eq!(placed.plan.moves.get(4).leader, Some(BrokerId(3)), "it leads though 1 is preferred");
    assert_eq!(placed.plan.moves.get(0).leader, None);
    let certificate =
        Certificate { bound_bytes: 2_020, moved_bytes: 2_020, unknown_sizes: 0, ..Certificate::default() };
    assert_eq!(placed.plan.certificate, certificate);
    assert_eq!((placed.matched_topics, placed.matched_partitions), (2, 5));
    assert_eq!((placed.not_empty, placed.refusals, placed.notes), (vec![], vec![], vec![]));
}

#[test]
fn replicas_that_are_not_on_a_source_stay() {
    let placed = story().between(&[1, 2], &[4, 5]).placed();
    for m in placed.plan.moves.iter() {
        assert_eq!(m.from.iter().position(|id| id.0 == 3), m.to.iter().position(|id| id.0 == 3));
        assert_eq!(moves::expanded(m.from, m.to).len(), 3, "2+1");
    }
}

#[test]
fn a_destination_that_holds_the_partition_gets_no_second_copy_of_it() {
    let mut story = story();
    story.topics = vec![(topic("a"), vec![(vec![1, 4, 3], 7)])];
    assert_eq!(targets(&story.placed()), [("a-0".into(), vec![5, 4, 6])]);
    story.topics[0].1[0].0 = vec![1, 4, 2, 5];
    assert_eq!(story.refused(), [(RefusalKind::TooFewDestinations, "a-0".into())]);
}

#[test]
fn flags_that_do_not_fit_name_what_would_be_accepted() {
    let brokers = "the brokers are: 1, 2, 3, 4, 5, 6";
    assert_eq!(
        story().between(&[1, 9], &[4]).usage(),
        format!("--from: broker 9 is not in the snapshot; {brokers}")
    );
    assert_eq!(story().between(&[1], &[]).usage(), format!("--to: names no broker; {brokers}"));
    assert_eq!(story().between(&[1], &[4, 4]).usage(), "--to: broker 4 stands twice; each broker once");
    assert_eq!(
        story().between(&[1, 4], &[4]).usage(),
        "--from, --to: broker 4 stands in --from and in --to; a broker stands in one of them"
    );
    assert_eq!(
        story().asking(&["orders"], &[]).usage(),
        "--topics: \"orders\" matches none of 2 topics; a regular expression for whole names; perhaps \".*orders.*\""
    );
    assert!(story().asking(&[], &["x"]).usage().starts_with("--exclude: \"x\" matches none"));
    assert!(story().asking(&["("], &[]).usage().starts_with("--topics: \"(\" is not a regular expression: "));
    let mut accepting = story();
    accepting.options.accept_differences = vec!["retention".into()];
    assert!(
        accepting
            .usage()
            .starts_with("--accept-config-diff: \"retention\" is no key that is compared; a key of")
    );
}

#[test]
fn patterns_choose_topics_by_their_whole_names() {
    let placed = story().asking(&["orders.*"], &[]).placed();
    assert_eq!((placed.matched_topics, placed.matched_partitions, placed.plan.moves.len()), (1, 4, 4));
    assert_eq!(placed.not_empty, [(BrokerId(1), 1), (BrokerId(3), 1)], "the other topic stays");
    let placed = story().asking(&[], &["__.*"]).placed();
    assert_eq!((placed.matched_topics, placed.plan.moves.len()), (1, 4));
}

#[test]
fn brokers_without_a_zone_are_named_or_all_zone_rules_are_off() {
    let mut story = story();
    story.brokers[2].zone = None;
    let Err(PlaceError::Refused { refusals }) = story.plan() else { panic!() };
    assert_eq!((refusals[0].kind, place(&refusals[0])), (RefusalKind::NoZone, "broker 3".into()));
    assert!(refusals[0].way_past.contains("--zone 3=ZONE"));
    story.brokers.iter_mut().for_each(|broker| broker.zone = None);
    let placed = story.placed();
    assert_eq!(placed.plan.rules.len(), 1);
    assert!(placed.notes[0].starts_with("no broker has a broker.rack: zone rules are OFF"));
}

#[test]
fn zones_come_from_a_person() {
    let mut cluster = story().cluster();
    let text = |text: &str| text.to_owned();
    let maps = [(text("az-a"), text("az-b")), (text("az-b"), text("az-a"))];
    map_zones(&mut cluster, &[(BrokerId(1), text("az-c"))], &maps).unwrap();
    let zones: Vec<&str> = cluster.brokers.iter().map(|b| b.zone.as_deref().unwrap()).collect();
    assert_eq!(zones, ["az-c", "az-b", "az-a", "az-b", "az-b", "az-a"]);
    assert_eq!(cluster.brokers[0].rack.as_deref(), Some("az-a"), "the rack is Kafka's");
    let unknown = map_zones(&mut cluster, &[], &[(text("x"), text("y"))]).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "--map-zone: no broker is in zone \"x\"; the zones are: az-a, az-b, az-c"
    );
    let unknown = map_zones(&mut cluster, &[(BrokerId(9), text("y"))], &[]).unwrap_err();
    assert!(
        unknown.to_string().starts_with("--zone: broker 9 is not in the snapshot; the brokers are: 1, 2")
    );
    let twice = [(BrokerId(1), text("a")), (BrokerId(1), text("b"))];
    assert!(map_zones(&mut cluster, &twice, &[]).is_err());
}

#[test]
fn a_list_that_breaks_the_zone_rule_keeps_its_zones_and_is_told() {
    let mut story = story();
    story.topics[1].1[2].0 = vec![1, 2];
    let placed = story.placed();
    assert_eq!(placed.plan.no_worse, [TopicPartition::new("orders.v1", 2)]);
    assert!(placed.notes[0].contains("1 partitions break the zone rule at the start"));
}

#[test]
fn unknown_sizes_are_counted_and_told() {
    let mut story = story();
    story.topics[1].1[0].1 = UNKNOWN_SIZE;
    let placed = story.placed();
    assert_eq!(
        placed.plan.certificate,
        Certificate { bound_bytes: 1_820, moved_bytes: 1_820, unknown_sizes: 2, ..Certificate::default() }
    );
    assert!(placed.notes.iter().any(|note| note.starts_with("2 copies have an unknown size")));
}

#[test]
fn a_broker_of_twice_the_size_gets_twice_as_much() {
    let mut story = story();
    story.topics = vec![(topic("a"), (0..300).map(|n| (vec![1, 3], 100 + n % 7)).collect())];
    story.brokers[4].log_dirs[0].total_bytes = Some(2_000_000);
    let placed = story.placed();
    let held = |id: i32| placed.plan.impact.iter().find(|row| row.broker.0 == id).unwrap();
    assert_eq!((held(4).replicas_after, held(5).replicas_after), (100, 200));
    assert_eq!((held(4).leaders_after, held(5).leaders_after), (100, 200));
    assert!(held(5).after.abs_diff(2 * held(4).after) < 200);
}

#[test]
fn destinations_that_hold_something_get_less() {
    let mut story = story();
    let mut rows: Vec<Row> = (0..200).map(|_| (vec![1, 3], 100)).collect();
    rows.extend((0..100).map(|_| (vec![4, 6], 100)));
    story.topics = vec![(topic("a"), rows)];
    let placed = story.placed();
    let held = |id: i32| placed.plan.impact.iter().find(|row| row.broker.0 == id).unwrap();
    assert_eq!((held(4).replicas_after, held(5).replicas_after), (150, 150));
}

#[test]
fn leaders_are_even_among_the_destinations_of_their_zone() {
    let mut story = story();
    let list = |n: usize| if n.is_multiple_of(3) { vec![3, 1] } else { vec![1 + n as i32 % 2, 3] };
    story.topics = vec![
        (topic("a"), (0..90).map(|n| (list(n), 1 + (n as u64 * 37) % 50)).collect()),
        (topic("b"), vec![(vec![1, 3], 9)]),
    ];
    let placed = story.placed();
    let held = |id: i32| placed.plan.impact.iter().find(|row| row.broker.0 == id).unwrap();
    assert_eq!(held(4).leaders_after.abs_diff(held(5).leaders_after), 1, "61 leaders");
    assert_eq!(held(4).replicas_after.abs_diff(held(5).replicas_after), 1);
    assert!(held(4).after.abs_diff(held(5).after) < 60);
}
