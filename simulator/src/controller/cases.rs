//! The lettered cases of `research/kafka.md` 2.4 and 2.9, on every version.

mod case;

use super::*;
use crate::code::Code;
use crate::rules::Rules;
use case::Case;

fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

fn at() -> TopicPartition {
    TopicPartition::new("t", 0)
}

fn code(outcome: &Outcome) -> Code {
    outcome.as_ref().err().map_or(Code::None, |refusal| refusal.code)
}

/// On every version in KRaft mode; what ZooKeeper does is in the conformance records.
fn each(run: impl Fn(&str)) {
    Rules::KNOWN.into_iter().filter(|version| !version.ends_with("-zk")).for_each(run);
}

#[test]
fn a_cancel_sorts_the_originals_and_an_election_then_moves_the_leader() {
    each(|v| {
        let mut c = Case::new(v, &[3, 1, 2]);
        assert_eq!(c.submit(&[4, 5, 6]), Code::None);
        assert_eq!(c.shown(), "[4,5,6,1,2,3] i[1,2,3] L3 +[4,5,6] -[1,2,3]");
        let epoch = c.part().leader_epoch;
        assert_eq!(c.cancel(), Code::None);
        assert_eq!(c.shown(), "[1,2,3] i[1,2,3] L3", "{v}");
        assert_eq!(c.part().leader_epoch, epoch + 1);
        assert_eq!(c.elect(), Code::None);
        assert_eq!(c.part().leader, Some(BrokerId(1)));
    });
}

#[test]
fn b_an_override_with_the_union_ends_in_the_old_target() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[3, 4]);
        assert_eq!(c.submit(&[1, 2, 3, 4]), Code::None);
        assert_eq!(c.shown(), "[1,2,3,4] i[1,2] L1 +[3,4] -[1,2]");
        c.join(&[3, 4]);
        assert_eq!(c.shown(), "[3,4] i[3,4] L3", "{v}");
    });
}

#[test]
fn c_two_overrides_and_a_cancel_leave_four_replicas() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[3, 4]);
        c.submit(&[5, 6]);
        assert_eq!(c.shown(), "[5,6,1,2,3,4] i[1,2] L1 +[5,6] -[1,2,3,4]");
        assert_eq!(c.cancel(), Code::None);
        assert_eq!(c.shown(), "[1,2,3,4] i[1,2] L1", "{v}");
    });
}

#[test]
fn d_an_override_with_the_originals_hangs_on_3_7_and_4_3() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[3, 4]);
        assert_eq!(c.submit(&[2, 1]), Code::None);
        if matches!(v, "3.7.2" | "4.3.1") {
            assert_eq!(c.shown(), "[2,1,3,4] i[1,2] L1 +[3,4] -[3,4]", "{v}");
            c.join(&[3, 4]);
            assert_eq!(c.shown(), "[2,1,3,4] i[1,2,3,4] L1 +[3,4] -[3,4]", "{v}");
            assert_eq!(c.cancel(), Code::None);
        }
        assert_eq!(c.shown(), "[2,1] i[1,2] L1", "{v}");
    });
}

#[test]
fn e_the_same_with_a_dead_original_hangs_everywhere_until_cancelled() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[3, 4]);
        c.fence(2);
        c.submit(&[1, 2]);
        assert_eq!(c.shown(), "[1,2,3,4] i[1] L1 +[3,4] -[3,4]", "{v}");
        assert_eq!(c.cancel(), Code::None);
        assert_eq!(c.shown(), "[1,2] i[1] L1", "{v}");
    });
}

#[test]
fn f_a_shrink_with_a_keeper_out_of_the_isr_completes_on_3_7_only() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2, 3, 4]);
        c.fence(4);
        assert_eq!(c.submit(&[3, 4]), Code::None);
        if v == "3.7.2" {
            assert_eq!(c.shown(), "[3,4] i[3] L3");
            return;
        }
        assert_eq!(c.shown(), "[3,4,1,2] i[1,2,3] L1 +[] -[1,2]", "{v}");
        assert_eq!(c.cancel(), Code::None);
        assert_eq!(c.shown(), "[3,4,1,2] i[1,2,3] L1", "{v}");
    });
}

#[test]
fn f_within_the_session_timeout_the_dead_keeper_counts_as_in_sync() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2, 3, 4]);
        c.0.brokers.get_mut(&BrokerId(4)).unwrap().life = Life::Dead;
        c.submit(&[3, 4]);
        assert_eq!(c.shown(), "[3,4] i[3,4] L3", "{v}");
    });
}

#[test]
fn g_a_fenced_target_is_accepted_and_never_joins() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.fence(3);
        assert_eq!(c.submit(&[1, 2, 3]), Code::None);
        assert_eq!(c.join(&[3]), Code::IneligibleReplica);
        assert_eq!(c.shown(), "[1,2,3] i[1,2] L1 +[3] -[]", "{v}");
        c.unfence(3);
        assert_eq!(c.join(&[3]), Code::None);
        assert_eq!(c.shown(), "[1,2,3] i[1,2,3] L1", "{v}");
    });
}

#[test]
fn h_expand_swap_elect_shrink_and_t_rollback_after_the_swap() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[1, 2, 3, 4]);
        assert_eq!(c.shown(), "[1,2,3,4] i[1,2] L1 +[3,4] -[]");
        c.join(&[3, 4]);
        assert_eq!(c.shown(), "[1,2,3,4] i[1,2,3,4] L1");
        let epoch = c.part().leader_epoch;
        c.submit(&[3, 4, 1, 2]);
        assert_eq!(c.shown(), "[3,4,1,2] i[1,2,3,4] L1");
        assert_eq!(c.part().leader_epoch, epoch, "order only: no epoch");
        assert_eq!(c.elect(), Code::None);
        assert_eq!(c.elect(), Code::ElectionNotNeeded);
        assert_eq!(c.part().leader, Some(BrokerId(3)));
        let swapped = c.0.clone();
        c.submit(&[3, 4]);
        assert_eq!(c.shown(), "[3,4] i[3,4] L3", "{v}");
        let before = c.0.clone();
        assert_eq!(c.submit(&[3, 4]), Code::None);
        assert_eq!(c.0, before, "again: nothing");
        let mut back = Case(swapped);
        back.submit(&[1, 2]);
        assert_eq!(back.shown(), "[1,2] i[1,2] L1", "{v}");
    });
}

#[test]
fn a_cancelled_pure_expansion_keeps_the_order() {
    each(|v| {
        let mut c = Case::new(v, &[2, 1]);
        c.submit(&[2, 1, 3, 4]);
        c.join(&[3]);
        assert_eq!(c.cancel(), Code::None);
        assert_eq!(c.shown(), "[2,1] i[1,2] L2", "{v}");
        assert_eq!(c.cancel(), Code::NoReassignmentInProgress);
    });
}

#[test]
fn i_a_shrink_that_removes_the_leader_moves_it_in_the_same_change() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2, 3]);
        c.submit(&[3, 2]);
        assert_eq!(c.shown(), "[3,2] i[2,3] L3", "{v}");
        assert_eq!((c.part().leader_epoch, c.part().partition_epoch), (1, 1));
    });
}

#[test]
fn j_a_cancel_on_an_offline_partition_is_refused_where_the_isr_may_be_empty() {
    each(|v| {
        let mut c = Case::new(v, &[1]);
        c.fence(1);
        assert_eq!(c.part().leader, None);
        assert_eq!(c.submit(&[2]), Code::None);
        let expected = if v == "4.3.1" { Code::InvalidReplicaAssignment } else { Code::None };
        assert_eq!(c.cancel(), expected, "{v}");
    });
}

#[test]
fn j_an_unclean_election_takes_an_empty_adding_replica() {
    each(|v| {
        let mut c = Case::new(v, &[1]);
        let unclean = ConfigChange::Set("unclean.leader.election.enable".to_owned(), "true".to_owned());
        let items = vec![(Resource::Topic("t".to_owned()), vec![unclean])];
        apply(&mut c.0, Request::AlterConfigs { items, validate_only: false });
        c.submit(&[2]);
        c.fence(1);
        // Elected although it holds nothing; alone in the ISR, it completes at the next change.
        assert_eq!(c.part().leader, Some(BrokerId(2)), "{v}");
        assert_eq!(c.part().isr, ids(&[2]), "{v}");
    });
}

#[test]
fn k_a_cancel_without_an_original_in_sync_is_refused() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[3, 4]);
        c.join(&[3]);
        c.fence(1);
        c.fence(2);
        assert_eq!(c.part().leader, Some(BrokerId(3)), "{v}");
        assert_eq!(c.cancel(), Code::InvalidReplicaAssignment, "{v}");
    });
}

#[test]
fn l_the_record_after_the_ten_thousandth_is_refused_and_the_others_written() {
    let mut c = Case::new("4.0.2", &[1, 2]);
    c.create("many", vec![ids(&[1, 2]); 10_001]).unwrap();
    let items = (0..10_001).map(|n| (TopicPartition::new("many", n), Some(ids(&[2, 1])))).collect();
    match apply(&mut c.0, Request::Alter { items, allow_rf_change: true }) {
        Response::Partitions(outcomes) => {
            assert!(outcomes[..10_000].iter().all(|(_, o)| o.is_ok()));
            assert_eq!(outcomes[10_000].1, Err(Refusal::bare(Code::UnknownServerError)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(c.0.partition("many", 9_999).unwrap().replicas, ids(&[2, 1]));
    assert_eq!(c.0.partition("many", 10_000).unwrap().replicas, ids(&[1, 2]));
}

#[test]
fn m_partitions_added_in_flight_get_the_inflated_length() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[1, 2, 3, 4]);
        let items = vec![NewPartitions { topic: "t".to_owned(), count: 2, replicas: None }];
        apply(&mut c.0, Request::CreatePartitions { items, validate_only: false });
        assert_eq!(c.0.partition("t", 1).unwrap().replicas.len(), 4, "{v}");
        let id = c.0.topics["t"].id;
        apply(&mut c.0, Request::DeleteTopic { name: "t".to_owned() });
        assert_eq!(apply(&mut c.0, Request::List { only: None }), Response::InFlight(vec![]));
        let again = c.create("t", vec![ids(&[1, 2])]).unwrap();
        assert_ne!(again, id);
    });
}

#[test]
fn n_the_same_again_writes_nothing_and_a_cancel_is_still_right() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[3, 4]);
        let before = c.0.clone();
        assert_eq!(c.submit(&[3, 4]), Code::None);
        assert_eq!(c.0, before, "{v}");
        c.cancel();
        assert_eq!(c.shown(), "[1,2] i[1,2] L1", "{v}");
    });
}

#[test]
fn p_a_narrowed_target_keeps_what_was_added() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.submit(&[3, 4]);
        c.submit(&[3]);
        assert_eq!(c.shown(), "[3,1,2,4] i[1,2] L1 +[3,4] -[1,2,4]", "{v}");
        c.cancel();
        assert_eq!(c.shown(), "[1,2] i[1,2] L1", "{v}");
    });
}

#[test]
fn r_a_dead_kept_replica_blocks_an_expansion_from_3_8_to_4_1() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.fence(2);
        c.submit(&[1, 2, 3, 4]);
        c.join(&[3, 4]);
        if matches!(v, "3.7.2" | "4.3.1") {
            assert_eq!(c.shown(), "[1,2,3,4] i[1,3,4] L1", "{v}");
            return;
        }
        assert_eq!(c.shown(), "[1,2,3,4] i[1,3,4] L1 +[3,4] -[]", "{v}");
        let mut other = Case(c.0.clone());
        c.submit(&[1, 3, 4]);
        assert_eq!(c.shown(), "[1,3,4] i[1,3,4] L1", "{v}");
        other.submit(&[3, 4]);
        assert_eq!(other.shown(), "[3,4] i[3,4] L3", "{v}");
    });
}

#[test]
fn u_a_target_in_controlled_shutdown_joins_when_it_is_back() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.one(Request::Shutdown { broker: BrokerId(3) });
        assert_eq!(c.submit(&[1, 2, 3]), Code::None);
        assert_eq!(c.join(&[3]), Code::IneligibleReplica, "{v}");
    });
}

#[test]
fn v_an_order_that_puts_a_fenced_broker_first_is_accepted_but_cannot_be_elected() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.fence(2);
        assert_eq!(c.submit(&[2, 1]), Code::None);
        assert_eq!(c.shown(), "[2,1] i[1] L1");
        assert_eq!(c.elect(), Code::PreferredLeaderNotAvailable, "{v}");
    });
}

#[test]
fn x_members_that_leave_below_min_isr_stay_eligible_where_there_is_elr() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        c.fence(2);
        c.fence(1);
        let p = c.part();
        assert_eq!(p.leader, None);
        if v == "4.3.1" {
            assert_eq!((p.isr.clone(), p.elr.clone()), (vec![], ids(&[1])));
        } else {
            assert_eq!((p.isr.clone(), p.elr.clone()), (ids(&[1]), vec![]), "{v}");
        }
        c.unfence(2);
        assert_eq!(c.part().leader, None, "{v}");
        c.unfence(1);
        assert_eq!(c.shown(), "[1,2] i[1] L1", "{v}");
    });
}

#[test]
fn the_replication_factor_guard_counts_what_stays() {
    let mut c = Case::new("4.3.1", &[1, 2]);
    assert_eq!(c.ask(Some(&[1, 2, 3]), false), Code::InvalidReplicationFactor);
    c.submit(&[1, 2, 3, 4]);
    assert_eq!(c.ask(Some(&[1, 2]), false), Code::InvalidReplicationFactor);
    assert_eq!(c.ask(Some(&[1, 2, 3, 4]), false), Code::None);
    assert_eq!(c.ask(None, false), Code::None);
}

#[test]
fn wrong_targets_are_refused_one_by_one() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        assert_eq!(c.submit(&[]), Code::InvalidReplicaAssignment);
        assert_eq!(c.submit(&[1, 1]), Code::InvalidReplicaAssignment);
        assert_eq!(c.submit(&[1, 99]), Code::InvalidReplicaAssignment);
        assert_eq!(c.submit(&[1, -3]), Code::InvalidReplicaAssignment);
        let items = vec![
            (TopicPartition::new("t", 7), None),
            (TopicPartition::new("no", 0), None),
            (at(), Some(ids(&[2, 1]))),
        ];
        match apply(&mut c.0, Request::Alter { items, allow_rf_change: true }) {
            Response::Partitions(o) => {
                let codes: Vec<Code> = o.iter().map(|(_, o)| code(o)).collect();
                let unknown = Code::UnknownTopicOrPartition;
                assert_eq!(codes, [unknown, unknown, Code::None]);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(c.shown(), "[2,1] i[1,2] L1", "{v}");
    });
}

#[test]
fn a_replica_that_falls_behind_leaves_and_the_epoch_stays() {
    each(|v| {
        let mut c = Case::new(v, &[1, 2]);
        assert_eq!(c.leave(2), Code::None);
        assert_eq!(c.shown(), "[1,2] i[1] L1", "{v}");
        assert_eq!(c.part().leader_epoch, 0);
        assert_eq!(c.leave(1), Code::InvalidRequest);
    });
}
