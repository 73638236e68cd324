//! Brokers that are killed, paused or cut off, and faults on the wire.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_killed_broker_stays_in_the_isr_until_its_session_ends() {
    let sim = Simulator::new(&small("4.3.1", 1)).unwrap();
    let two = restow_planner::model::BrokerId(2);
    let mut to_2 = Wire::to(&sim, 2);
    to_2.ask(versions(), 3).await.unwrap();
    sim.kill(2);
    assert_eq!(to_2.ask(versions(), 3).await.unwrap_err(), Closed);
    let refused = sim.connect("broker-2.sim:9092").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let mut wire = Wire::to(&sim, 1);
    seconds(5.0).await;
    let isr = |m: MetadataResponse| m.topics[0].partitions[0].isr_nodes.clone();
    assert_eq!(isr(wire.ask(metadata(Some(&["t"])), 12).await.unwrap()), [BrokerId(1), BrokerId(2)]);
    assert!(!sim.true_live_copies("t", 0).contains(&two));
    seconds(5.0).await;
    assert_eq!(isr(wire.ask(metadata(Some(&["t"])), 12).await.unwrap()), [BrokerId(1)]);
    let fenced = DescribeClusterRequest::default().with_include_fenced_brokers(true);
    let seen = wire.ask(fenced, 2).await.unwrap();
    assert!(seen.brokers.iter().any(|b| b.broker_id == BrokerId(2) && b.is_fenced));
    assert_eq!(wire.ask(DescribeClusterRequest::default(), 2).await.unwrap().brokers.len(), 3);
    sim.restart(2);
    seconds(1.0).await;
    assert_eq!(isr(wire.ask(metadata(Some(&["t"])), 12).await.unwrap()), [BrokerId(1), BrokerId(2)]);
    assert!(sim.true_live_copies("t", 0).contains(&two));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_restarted_at_once_waits_for_its_old_session_to_end() {
    let sim = Simulator::new(&small("4.3.1", 1)).unwrap();
    sim.kill(2);
    sim.restart(2);
    seconds(5.0).await;
    assert!(sim.connect("broker-2.sim:9092").is_err());
    seconds(5.0).await;
    assert!(sim.connect("broker-2.sim:9092").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_paused_broker_accepts_and_does_not_answer_until_it_is_resumed() {
    let sim = Simulator::new(&small("4.3.1", 1)).unwrap();
    sim.pause(2);
    let mut wire = Wire::to(&sim, 2);
    assert!(timeout(Duration::from_secs(5), wire.ask(versions(), 3)).await.is_err());
    sim.resume(2);
    let mut wire = Wire::to(&sim, 2);
    assert!(timeout(Duration::from_secs(5), wire.ask(versions(), 3)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn with_the_controller_lost_writes_hang_and_land_after_the_client_gave_up() {
    let sim = Simulator::new(&small("4.3.1", 1)).unwrap();
    sim.lose_controller();
    let mut writes = Wire::to(&sim, 1);
    let asked = writes.ask(alter("t", 0, Some(&[2, 1])), 1);
    assert!(timeout(Duration::from_secs(15), asked).await.is_err());
    drop(writes);
    let mut reads = Wire::to(&sim, 1);
    let seen = reads.ask(metadata(Some(&["t"])), 12).await.unwrap();
    assert_eq!(seen.topics[0].partitions[0].replica_nodes, [BrokerId(1), BrokerId(2)]);
    sim.restore_controller();
    seconds(1.0).await;
    let seen = reads.ask(metadata(Some(&["t"])), 12).await.unwrap();
    assert_eq!(seen.topics[0].partitions[0].replica_nodes, [BrokerId(2), BrokerId(1)]);
    sim.lose_controller();
    let answer = reads.ask(alter("t", 0, Some(&[1, 2])), 1).await.unwrap();
    assert_eq!(answer.error_code, Code::RequestTimedOut.code(), "after a minute");
}

#[tokio::test(start_paused = true)]
async fn faults_do_what_they_say() {
    let sim = Simulator::new(&small("4.3.1", 1)).unwrap();
    let strike = |fault| sim.fault(Filter::api(Api::AlterPartitionReassignments), fault);
    let first = || sim.with_state(|s| s.partition("t", 0).unwrap().replicas[0].0);
    let ask = |target: [i32; 2]| {
        let sim = sim.clone();
        async move { Wire::to(&sim, 1).ask(alter("t", 0, Some(&target)), 1).await }
    };
    strike(Fault::Drop);
    assert_eq!((ask([2, 1]).await.unwrap_err(), first()), (Closed, 1));
    strike(Fault::LoseAnswer);
    assert_eq!((ask([2, 1]).await.unwrap_err(), first()), (Closed, 2));
    strike(Fault::Error(41));
    assert_eq!((ask([1, 2]).await.unwrap().error_code, first()), (41, 2));
    strike(Fault::Late(Duration::from_secs(30)));
    assert!(timeout(Duration::from_secs(15), ask([1, 2])).await.is_err());
    assert_eq!(first(), 2);
    seconds(16.0).await;
    assert_eq!(first(), 1);
    strike(Fault::Hang);
    assert!(timeout(Duration::from_secs(600), ask([2, 1])).await.is_err());
    assert_eq!(first(), 1);
    strike(Fault::Delay(Duration::from_secs(2)));
    assert!(timeout(Duration::from_secs(1), ask([2, 1])).await.is_err());
    strike(Fault::Twice);
    assert_eq!(ask([2, 1]).await.unwrap().error_code, 0);
    assert_eq!(first(), 2);
}
