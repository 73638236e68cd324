//! The harness itself, against the newest Kafka: what other tests rely on.

// Real processes in real time.
#![allow(clippy::disallowed_methods)]

mod certificates;
mod secured;
mod stock_undo;

use restow_testing::{
    CONTROLLER, ConfigChange, Kafka, Load, LoadSpec, Spec, available_or_skip, verify_log, wait_until,
};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn a_cluster_is_started_used_hurt_and_ended() {
    let Some(()) = available_or_skip() else { return };
    let spec = Spec::with_brokers("4.3.1", &[(1, "az-a"), (2, "az-a"), (3, "az-b")])
        .property("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,OUT:PLAINTEXT")
        .property("listeners", "PLAINTEXT://{host}:{port},OUT://{host}:{extra}")
        .property("advertised.listeners", "PLAINTEXT://{host}:{port},OUT://{host}:{extra}");
    let kafka = Kafka::start(spec);
    TcpStream::connect(kafka.extra_address(2)).expect("the second listener");
    let admin = kafka.admin();
    let cluster = admin.cluster().unwrap();
    assert_eq!(cluster.brokers[&3].as_deref(), Some("az-b"));

    admin.create_topic("orders", &[vec![1, 3], vec![3, 2]], &[("retention.ms", "-1")]).unwrap();
    let acked = admin.produce("orders", 2_000, 500).unwrap();
    assert_eq!(acked.len(), 2_000);
    let check = verify_log(admin, &acked).unwrap();
    assert!(check.is_clean(), "{check:?}");
    assert_eq!((check.records, check.acked), (2_000, 2_000));
    assert_eq!(admin.offsets(Some(&["orders"])).unwrap()[&("orders".to_owned(), 1)].latest, 1_000);

    admin.alter_topic_config("orders", &[ConfigChange::set("min.insync.replicas", "1")]).unwrap();
    let configs = admin.topic_configs().unwrap();
    assert_eq!(configs["orders"]["retention.ms"], "-1");
    assert_eq!(configs["orders"]["min.insync.replicas"], "1");

    let load = Load::start(
        &kafka,
        &LoadSpec { many: vec!["orders".to_owned()], ..LoadSpec::verifiable(&["orders"], 200) },
    );
    kafka.kill(3);
    assert!(wait_isr(&kafka, 1), "a killed broker stayed in the ISR");
    kafka.start_broker(3);
    assert!(wait_isr(&kafka, 2), "a broker that came back did not join the ISR");
    assert!(load.wait_for(500, Duration::from_secs(30)));
    let report = load.stop();
    assert_eq!(report.failed, 0, "{:?}", report.errors);
    let check = verify_log(admin, &report.acked).unwrap();
    assert!(check.is_clean(), "{check:?}");
    assert!(report.consumed.values().all(|of| of.skipped == 0), "{:?}", report.consumed);
    assert!(!admin.group_offsets("restow-load").unwrap().is_empty());

    assert!(admin.reassign(&[("orders", 0, vec![2, 3])]).unwrap().is_empty());
    assert!(admin.wait_until_settled(Duration::from_secs(30)));
    // The controller's list is ahead of the brokers' metadata.
    let moved = || admin.topic("orders").is_ok_and(|topic| topic.partitions[0].replicas == [2, 3]);
    assert!(wait_until(Duration::from_secs(10), moved));
    let refused = admin.cancel(&[("orders", 0)]).unwrap();
    assert_eq!(refused[0].error.code, "NO_REASSIGNMENT_IN_PROGRESS");
    let dirs = admin.log_dirs(&[2, 3]).unwrap();
    assert!(dirs.iter().any(|replica| replica.topic == "orders" && replica.size > 0), "{dirs:?}");

    let described = kafka.topics(&["--describe", "--topic", "orders"]).expect_success();
    assert!(described.contains("Topic: orders"), "{described}");
    assert!(kafka.reassign(&["--list"]).expect_success().contains("No partition reassignments found."));

    kafka.pause(2);
    kafka.resume(2);
    kafka.kill(CONTROLLER);
    kafka.start_broker(CONTROLLER);
    assert!(kafka.stop(2));
}

/// Waits until every partition of `orders` has this many in-sync replicas.
fn wait_isr(kafka: &Kafka, count: usize) -> bool {
    wait_until(Duration::from_secs(30), || {
        kafka.admin().topic("orders").is_ok_and(|topic| topic.partitions.iter().all(|p| p.isr.len() == count))
    })
}
