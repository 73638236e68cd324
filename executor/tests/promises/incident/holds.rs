//! What makes a run wait, and what a person does about it: pauses, throttles, hours, health.

use super::*;

#[tokio::test(start_paused = true)]
async fn e7_a_pause_stops_admission_within_a_tick_and_interrupts_no_copy() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 40, 100 * MB)]).await;
    lab.pace.per_broker = 2;
    let run = lab.run(Goal::Forward, &[]);
    let person = async {
        sleep(Duration::from_secs(5)).await;
        lab.orders.borrow_mut().paused = Some("lunch".into());
        sleep(Duration::from_secs(3)).await;
        let begun = reassigned(&lab);
        let flying = lab.sim.in_flight().len();
        assert!(flying > 0, "copies go on");
        sleep(Duration::from_secs(120)).await;
        assert_eq!(reassigned(&lab), begun, "nothing began");
        assert_eq!(lab.sim.in_flight().len(), 0, "what was in flight ended");
        lab.orders.borrow_mut().paused = None;
    };
    let ((report, seen), ()) = tokio::join!(run, person);
    assert_eq!(report.outcome, Outcome::Gate(Gate::Swap), "{report:?}");
    assert!(holds(&seen).iter().any(|hold| hold.cause == Cause::Paused && hold.reason == "lunch"));
}

fn reassigned(lab: &Lab) -> usize {
    let is_one = |record: &Record| {
        matches!(record, Record::Asked { write: restow_client::write::Write::Reassign { .. }, .. })
    };
    lab.records().iter().filter(|record| is_one(record)).count()
}

#[tokio::test(start_paused = true)]
async fn the_throttle_of_a_running_process_changes_within_a_tick() {
    let lab = Lab::new("4.3.1", vec![topic("a", 24, 100 * MB)]).await;
    let before = lab.configs();
    let rate = || lab.sim.with_state(|state| state.brokers[&BrokerId(1)].configs.get(LEADER_RATE).cloned());
    let run = lab.run(Goal::Forward, &[]);
    let person = async {
        sleep(Duration::from_secs(4)).await;
        assert_eq!(rate().as_deref(), Some("20000000"));
        lab.orders.borrow_mut().throttle = Some(Some(90_000_000));
        sleep(Duration::from_secs(4)).await;
        assert_eq!(rate().as_deref(), Some("90000000"));
        assert_eq!(lab.memory().throttle, Some(90_000_000), "a later process knows");
        lab.orders.borrow_mut().throttle = Some(None);
        sleep(Duration::from_secs(4)).await;
        assert_eq!(rate(), None, "none takes them off");
    };
    let ((report, _), ()) = tokio::join!(run, person);
    assert_eq!(report.outcome, Outcome::Gate(Gate::Swap), "{report:?}");
    assert_eq!(lab.configs(), before);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_the_throttle_starves_is_explained_and_a_higher_one_heals_it() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 2, 50 * MB)]).await;
    lab.sim.set_ingest("a", 0, 3 * MB);
    lab.pace.throttle = Some(2 * MB);
    let run = lab.run(Goal::Forward, &[]);
    let person = async {
        sleep(Duration::from_secs(240)).await;
        assert!(!lab.sim.in_flight().is_empty(), "it never ends under that throttle");
        lab.orders.borrow_mut().throttle = Some(Some(60 * MB));
    };
    let ((report, seen), ()) = tokio::join!(run, person);
    assert_eq!(report.outcome, Outcome::Gate(Gate::Swap), "{report:?}");
    let starved =
        |hold: &&Hold| hold.cause == Cause::Stalled && hold.reason.contains("starved by the throttle");
    assert!(holds(&seen).iter().any(starved), "{:?}", holds(&seen));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_in_flight_when_the_hour_comes() {
    for pacing in PACINGS {
        let mut lab = Lab::new("4.3.1", vec![topic("a", 60, 100 * MB)]).await;
        lab.plan.pacing = pacing;
        let (configs, begun) = (lab.configs(), Instant::now());
        let now = 1_700_000_000_000 + u64::try_from(lab.age().as_millis()).unwrap();
        lab.pace.until = Some(now + 120_000);
        let (report, _) = lab.run(Goal::Forward, &BOTH).await;
        assert_eq!(report.outcome, Outcome::Stopped, "{pacing:?} {report:?}");
        assert!(begun.elapsed() <= Duration::from_secs(120), "{pacing:?} {:?}", begun.elapsed());
        assert_eq!((lab.sim.in_flight().len(), report.flying.len()), (0, 0));
        let done = report.progress.moves_done;
        assert!(done > 0 && done < 60, "{pacing:?} {:?}", report.progress);
        assert_eq!(lab.configs(), configs, "{pacing:?}: the throttles are off");
        lab.pace.until = None;
        let (report, _) = lab.run(Goal::Forward, &BOTH).await;
        assert_eq!(report.outcome, Outcome::Done, "{pacing:?} {report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn e7_a_cluster_that_got_worse_holds_and_a_person_may_override_it() {
    let theirs = restow_simulator::TopicSetup::new("theirs", vec![vec![7, 2]], MB);
    let mut brokers = crate::lab::brokers();
    brokers.push(restow_simulator::BrokerSetup::new(7, "az-b"));
    for ignore in [&[][..], &["under-replicated"][..]] {
        let mut lab =
            Lab::with(brokers.clone(), "4.3.1", vec![topic("a", 24, 300 * MB), theirs.clone()]).await;
        lab.pace.per_broker = 1;
        lab.pace.ignore = ignore.iter().map(|text| text.parse().unwrap()).collect::<BTreeSet<_>>();
        let run = lab.run(Goal::Forward, &[]);
        let trouble = async {
            sleep(Duration::from_secs(3)).await;
            // Broker 7 has nothing to do with the plan.
            lab.sim.kill(7);
            sleep(Duration::from_secs(60)).await;
            let begun = reassigned(&lab);
            sleep(Duration::from_secs(60)).await;
            let more = reassigned(&lab) > begun;
            assert_eq!(more, !ignore.is_empty(), "new moves while a partition outside is under-replicated");
            lab.sim.restart(7);
        };
        let ((report, seen), ()) = tokio::join!(run, trouble);
        assert_eq!(report.outcome, Outcome::Gate(Gate::Swap), "{report:?}");
        let held = holds(&seen).iter().any(|hold| hold.cause == Cause::UnderReplicated);
        assert_eq!(held, ignore.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_unhealthy_at_the_start_holds_nothing() {
    let theirs = restow_simulator::TopicSetup::new("theirs", vec![vec![7, 2]], MB);
    let mut brokers = crate::lab::brokers();
    brokers.push(restow_simulator::BrokerSetup::new(7, "az-b"));
    let lab = Lab::with(brokers, "4.3.1", vec![topic("a", 8, MB), theirs]).await;
    lab.sim.kill(7);
    sleep(Duration::from_secs(30)).await;
    let (report, seen) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?} {:?}", holds(&seen));
    let baseline = lab.memory().baseline;
    assert_eq!(baseline.map(|b| (b.offline, b.under_replicated)), Some((BTreeSet::from([BrokerId(7)]), 1)));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_runs_out_of_disk_holds_what_copies_to_it() {
    let mut brokers = crate::lab::brokers();
    // Broker 5 has 2 % of its disk free for what comes.
    brokers[4].dirs = vec![1000 * MB];
    let full = restow_simulator::TopicSetup::new("theirs", vec![vec![5]], 980 * MB);
    let mut lab = Lab::with(brokers, "4.3.1", vec![topic("a", 8, MB), full]).await;
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Refused, "nothing was asked yet: {report:?}");
    assert!(
        report.holds.iter().any(|hold| hold.cause == Cause::Disk && hold.to_string().contains("broker 5"))
    );
    lab.pace.ignore = BTreeSet::from(["disk:5".parse().unwrap()]);
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    let said = |record: &Record| matches!(record, Record::Ignored { hold } if hold == "disk:5");
    assert!(lab.records().iter().any(said), "the journal says so");
}

#[tokio::test(start_paused = true)]
async fn an_external_hold_is_waited_for_even_before_anything_was_asked() {
    let lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
    lab.orders.borrow_mut().external = vec!["the change calendar says no".into()];
    let run = lab.run(Goal::Forward, &BOTH);
    let calendar = async {
        sleep(Duration::from_secs(60)).await;
        assert_eq!(reassigned(&lab), 0);
        lab.orders.borrow_mut().external.clear();
    };
    let ((report, _), ()) = tokio::join!(run, calendar);
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
}
