//! Others act during a run (row 8): each is seen, none of theirs is touched.

use std::time::Duration;

use restow_testing::{ConfigChange, Spec, available_or_skip, wait_until};

use crate::world::{NEW, OLD, World};

#[test]
fn others_act_during_a_run() {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(Spec::two_az("4.3.1"));
    for topic in ["a.grows", "big", "deleted", "recreated"] {
        world.topic(topic, 6, &[]);
    }
    world.fill("big", 45_000, 1_000);
    world.fill("a.grows", 5_000, 1_000);
    world.kafka.admin().create_topic("theirs", &[vec![1, 3]], &[]).unwrap();
    world.fill("theirs", 30_000, 1_000);
    world.settle();
    let admin = world.kafka.admin();
    world.plan("plan", OLD, NEW, &["--exclude", "theirs"]).exits(0);

    let child = world.start_apply("plan.json", &["--throttle", "1500kB/s", "--approve", "swap,shrink"]);
    assert!(wait_until(Duration::from_secs(60), || !admin.reassignments().unwrap().is_empty()));

    // A second apply: refused, the first one named.
    world.apply("plan.json", &[]).exits(3).says("pid");
    // A topic is deleted, one deleted and created again, one grows.
    admin.delete_topics(&["deleted", "recreated"]).unwrap();
    let gone = || admin.topics().is_ok_and(|topics| !topics.contains_key("recreated"));
    assert!(wait_until(Duration::from_secs(20), gone));
    admin.create_topic("recreated", &[vec![1, 3], vec![3, 2]], &[]).unwrap();
    // Kafka gives the new partition as many replicas as the topic's first one has at that moment: four.
    assert!(wait_until(Duration::from_secs(60), || admin.topic("a.grows").unwrap().partitions[0]
        .replicas
        .len()
        == 4));
    admin.create_partitions("a.grows", 7, Some(&[vec![1, 3, 2, 4]])).unwrap();
    // A throttle of ours is edited: theirs stays.
    let rate = "follower.replication.throttled.rate";
    admin.alter_broker_config(Some(6), &[ConfigChange::set(rate, "9999999")]).unwrap();
    // A foreign move, on a partition of the plan's brokers that is not in the plan.
    assert!(admin.reassign(&[("theirs", 0, vec![2, 3])]).unwrap().is_empty());

    let out = world.wait(child).exits(0);
    let text = &out.text;
    for said in ["deleted-0", "recreated-0", "a.grows-6: added during the run with 1, 3, 2, 4", "9999999"] {
        assert!(text.contains(said), "{said} is not in:\n{text}");
    }
    let state = world.state();
    assert_eq!(state.lists[&("theirs".into(), 0)], [2, 3], "their move ended as they asked");
    assert_eq!(state.lists[&("recreated".into(), 0)], [1, 3], "left alone");
    assert_eq!(state.lists[&("a.grows".into(), 6)], [1, 3, 2, 4], "listed, not touched");
    assert_eq!(state.broker_configs[&6].get(rate).map(String::as_str), Some("9999999"), "theirs stays");
    for broker in [1, 2, 3, 4, 5] {
        assert!(!state.broker_configs[&broker].contains_key(rate), "broker {broker}");
    }
    for (topic, configs) in &state.topic_configs {
        assert!(!configs.keys().any(|key| key.contains("throttled")), "{topic}: {configs:?}");
    }
    assert!(
        state.lists.iter().filter(|(at, _)| at.0 == "big").all(|(_, list)| list.len() == 2 && list[0] >= 4)
    );
}
