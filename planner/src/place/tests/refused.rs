//! What must not be moved now.

use super::*;

#[test]
fn a_min_isr_above_the_factor_is_refused_and_can_be_left_out() {
    let mut story = story();
    let mut one = topic("single.one");
    one.min_isr = Some((2, ConfigSource::DynamicDefault));
    story.topics.push((one, vec![(vec![2], 5), (vec![5], 5)]));
    let Err(PlaceError::Refused { refusals }) = story.plan() else { panic!() };
    assert_eq!(refusals.len(), 1);
    assert_eq!(
        (refusals[0].kind, place(&refusals[0])),
        (RefusalKind::MinIsrAboveFactor, "single.one-0".into())
    );
    assert!(refusals[0].way_past.ends_with("--exclude 'single\\.one'"), "{}", refusals[0].way_past);
    story.options.hold_min_isr = true;
    let held = story.placed().plan;
    story.options.hold_min_isr = false;
    assert_eq!(held.topics.iter().map(|t| t.hold_min_isr).collect::<Vec<_>>(), [None, None, Some(1)]);
    let placed = story.leaving_out().placed();
    assert_eq!((placed.refusals.len(), placed.plan.moves.len()), (1, 5));
    assert_eq!(placed.not_empty, [(BrokerId(2), 1)]);
    let left = &placed.plan.left_out[0];
    assert_eq!((left.partition.to_string(), &left.keeps), ("single.one-0".into(), &ids(&[2])));
}

#[test]
fn the_state_of_a_partition_can_refuse_it() {
    let mut story = story();
    story.topics[0].1 = vec![(vec![1, 3], 10), (vec![1, 3], 10), (vec![1, 3, 4, 6], 10)];
    (story.leaders, story.moving) = (vec![(0, None)], vec![1]);
    assert_eq!(
        story.refused(),
        [
            (RefusalKind::Offline, "__consumer_offsets-0".into()),
            (RefusalKind::AlreadyMoving, "__consumer_offsets-1".into()),
            (RefusalKind::ExpandedElsewhere, "__consumer_offsets-2".into()),
        ]
    );
    let mut all_expanded = self::story();
    all_expanded.topics[1].1 = vec![(vec![1, 3, 4, 6], 10), (vec![5, 6, 2, 3], 10)];
    assert_eq!(
        all_expanded.refused(),
        [
            (RefusalKind::ExpandedElsewhere, "orders.v1-0".into()),
            (RefusalKind::ExpandedElsewhere, "orders.v1-1".into()),
        ]
    );
}

#[test]
fn all_reasons_of_a_partition_are_told() {
    let mut story = story();
    story.topics[0].0.min_isr = Some((3, ConfigSource::Topic));
    story.leaders = vec![(0, None)];
    let story = story.between(&[1, 2, 3], &[4, 5]);
    let of_offsets: Vec<RefusalKind> = story
        .refused()
        .into_iter()
        .filter(|(_, at)| at == "__consumer_offsets-0")
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(
        of_offsets,
        [RefusalKind::Offline, RefusalKind::ZoneWithoutDestination, RefusalKind::MinIsrAboveFactor]
    );
}

#[test]
fn an_unusable_destination_is_refused_and_left_out() {
    let mut story = story();
    story.brokers[4].answered = false;
    story.brokers[4].fenced = Some(true);
    story.brokers[4].log_dirs[0].offline = true;
    assert_eq!(
        story.refused(),
        [
            (RefusalKind::DestinationFenced, "broker 5".into()),
            (RefusalKind::DestinationSilent, "broker 5".into()),
            (RefusalKind::DestinationDirOffline, "broker 5".into()),
        ]
    );
    let placed = story.leaving_out().placed();
    assert!(placed.plan.moves.iter().all(|m| !m.to.contains(&BrokerId(5))));
    assert_eq!((placed.refusals.len(), placed.plan.moves.len()), (3, 5));
}

fn differing(key: &str, at_new: &str) -> ConfigDifference {
    ConfigDifference {
        topic: "orders.v1".into(),
        key: key.into(),
        values: vec![("604800000".into(), ids(&[1, 2, 3])), (at_new.into(), ids(&[4, 5, 6]))],
    }
}

#[test]
fn a_config_difference_is_refused_and_can_be_accepted() {
    let mut story = story();
    story.differences = vec![differing("flush.ms", "1"), differing("retention.ms", "3600000")];
    let Err(PlaceError::Refused { refusals }) = story.plan() else { panic!() };
    assert_eq!(refusals.len(), 4, "each partition of the topic");
    assert_eq!(
        refusals[0].reason,
        "retention.ms of topic orders.v1 is \"604800000\" on sources [1,2,3] and \"3600000\" on destinations \
         [4,5,6]: its copies would be kept by another rule"
    );
    assert!(refusals[0].way_past.contains("--accept-config-diff retention.ms"));
    story.options.accept_differences = vec!["retention.ms".into()];
    let placed = story.placed();
    assert_eq!(placed.plan.accepted_differences.len(), 1);
    assert_eq!(placed.plan.accepted_differences[0].key, "retention.ms");
    story.options.accept_differences.clear();
    let placed = story.leaving_out().placed();
    assert_eq!((placed.plan.moves.len(), placed.plan.left_out.len()), (1, 4));
}

#[test]
fn a_missing_listener_is_refused_even_when_the_rest_is_planned() {
    let mut story = story().leaving_out();
    story.brokers[0].listeners = Some(vec!["CLIENTS".into(), "REPLICATION".into()]);
    story.brokers[5].listeners = None;
    assert_eq!(
        story.refused(),
        [
            (RefusalKind::MissingListener, "broker 4".into()),
            (RefusalKind::MissingListener, "broker 5".into())
        ]
    );
}

#[test]
fn a_topic_that_cannot_be_seen_is_named() {
    let mut story = story();
    story.brokers[1].unseen = vec![Unseen { topic: "secret".into(), replicas: 3 }];
    story.brokers[3].unseen = vec![Unseen { topic: "elsewhere".into(), replicas: 1 }];
    assert_eq!(story.refused(), [(RefusalKind::UnseenTopic, "broker 2".into())]);
    let placed = story.asking(&[], &["secret"]).placed();
    assert_eq!((placed.plan.left_out.len(), placed.not_empty), (0, vec![(BrokerId(2), 3)]));
    let mut story = self::story().leaving_out();
    story.brokers[1].unseen = vec![Unseen { topic: "secret".into(), replicas: 3 }];
    let placed = story.placed();
    assert_eq!(placed.plan.left_out[0].partition, TopicPartition::new("secret", -1));
    assert_eq!((placed.plan.moves.len(), placed.not_empty), (5, vec![(BrokerId(2), 3)]));
}

#[test]
fn what_does_not_fit_at_the_peak_is_refused() {
    let mut story = story();
    for broker in &mut story.brokers[3..] {
        broker.log_dirs[0].usable_bytes = Some(600);
    }
    let Err(PlaceError::Refused { refusals }) = story.plan() else { panic!() };
    let places: Vec<(RefusalKind, String)> = refusals.iter().map(|r| (r.kind, place(r))).collect();
    // az-b has one destination for 1,010 bytes: without the largest partition 610, without two 310.
    let names = ["orders.v1-2", "orders.v1-3"].map(|name| (RefusalKind::Overflow, name.to_owned()));
    assert_eq!(places, names);
    assert_eq!(
        refusals[0].reason,
        "destination 6 would hold 1010 bytes at its peak, and 600 bytes fit; this partition brings 300 bytes"
    );
    let placed = story.leaving_out().placed();
    assert_eq!((placed.plan.moves.len(), placed.plan.left_out.len()), (3, 2));
    assert_eq!(placed.not_empty, [(BrokerId(1), 1), (BrokerId(2), 1), (BrokerId(3), 2)]);
    assert!(placed.plan.impact.iter().all(|row| row.broker.0 < 4 || row.peak <= 600));
}
