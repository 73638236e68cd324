//! What goes wrong: requests, brokers, the controller, other people.

use std::time::Duration;

use restow_planner::model::BrokerId;
use restow_simulator::controller::Resource;
use restow_simulator::faults::{Fault, Filter};
use restow_simulator::rules::Api;
use tokio::time::sleep;

use super::dice::Dice;
use super::process::Stage;
use super::scene::Scene;

const READS: [Api; 6] = [
    Api::Metadata,
    Api::ListPartitionReassignments,
    Api::ListOffsets,
    Api::DescribeConfigs,
    Api::DescribeCluster,
    Api::ApiVersions,
];
const WRITES: [Api; 3] = [Api::AlterPartitionReassignments, Api::IncrementalAlterConfigs, Api::ElectLeaders];

fn secs(dice: &mut Dice, low: u64, high: u64) -> Duration {
    Duration::from_millis(dice.range(low * 1000, high * 1000))
}

/// What lasts for a while, and when it ends.
#[derive(Debug, Default)]
struct Lasting {
    ends: Vec<(Duration, End)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Restart(i32),
    Resume(i32),
    Reconnect(i32),
    Controller,
}

/// Makes trouble until its time is over.
pub async fn play(scene: &Scene, stage: &Stage, mut dice: Dice, until: Duration) {
    let mut lasting = Lasting::default();
    let calm = dice.range(200, 15_000);
    loop {
        let wait = Duration::from_millis(dice.range(0, calm));
        if scene.sim.clock() + wait >= until {
            return;
        }
        sleep(wait).await;
        lasting.end_due(scene, stage);
        let what = match dice.range(0, 99) {
            0..=29 => request(scene, &mut dice, &WRITES),
            30..=44 => request(scene, &mut dice, &READS),
            45..=69 => lasting.begin(scene, stage, &mut dice),
            70..=79 => reassigner(scene, &mut dice),
            80..=92 => throttle_editor(scene, &mut dice),
            93..=96 => topic_operator(scene, &mut dice),
            _ => {
                scene.sim.clear_faults();
                "the faults that did not strike are gone".into()
            }
        };
        stage.audit.borrow().say(|| format!("-- {what}"));
        stage.audit.borrow_mut().see();
    }
}

fn request(scene: &Scene, dice: &mut Dice, apis: &[Api]) -> String {
    let writes = apis == WRITES;
    let fault = match dice.range(0, if writes { 7 } else { 3 }) {
        0 => Fault::Drop,
        1 => Fault::Delay(secs(dice, 0, 20)),
        2 => Fault::Error(*dice.pick(&[-1, 7, 41])),
        3 => Fault::Hang,
        4 => Fault::LoseAnswer,
        5 => Fault::Late(secs(dice, 0, 60)),
        6 => Fault::LateAfterError(*dice.pick(&[-1, 7]), secs(dice, 0, 60)),
        _ => Fault::Twice,
    };
    let mut filter = Filter::api(*dice.pick(apis));
    if dice.percent(30) {
        filter = filter.at(BrokerId(*dice.pick(&scene.brokers)));
    }
    let (skip, times) = (dice.range(0, 3), dice.range(1, 3));
    let what = format!("{fault:?} for {filter:?}, not the first {skip}, {times} times");
    scene.sim.fault_next(filter, fault, skip, times);
    what
}

impl Lasting {
    fn begin(&mut self, scene: &Scene, stage: &Stage, dice: &mut Dice) -> String {
        let broker = *dice.pick(&scene.brokers);
        let busy = |end: &End| !matches!(end, End::Controller);
        let many = self.ends.iter().filter(|(_, end)| busy(end)).count() >= 2;
        let time = secs(dice, 0, 60);
        let ends = scene.sim.clock() + time;
        match dice.range(0, 9) {
            _ if many && dice.percent(80) => "nothing".into(),
            0..=2 => {
                scene.sim.kill(broker);
                self.ends.push((ends, End::Restart(broker)));
                format!("broker {broker} is killed for {time:?}")
            }
            3..=4 => {
                scene.sim.pause(broker);
                self.ends.push((ends, End::Resume(broker)));
                format!("broker {broker} is paused for {time:?}")
            }
            5..=6 => {
                scene.sim.stop(broker);
                self.ends.push((ends + Duration::from_secs(1), End::Restart(broker)));
                format!("broker {broker} is stopped for {time:?}")
            }
            7 => {
                scene.sim.cut_off(broker);
                stage.audit.borrow_mut().cut(broker, true);
                self.ends.push((ends, End::Reconnect(broker)));
                format!("broker {broker} is cut off for {time:?}")
            }
            _ => {
                scene.sim.lose_controller();
                self.ends.push((ends, End::Controller));
                format!("the controller is lost for {time:?}")
            }
        }
    }

    fn end_due(&mut self, scene: &Scene, stage: &Stage) {
        let now = scene.sim.clock();
        for (_, end) in self.ends.extract_if(.., |(at, _)| *at <= now) {
            stage.audit.borrow().say(|| format!("-- {end:?}"));
            match end {
                End::Restart(broker) => scene.sim.restart(broker),
                End::Resume(broker) => scene.sim.resume(broker),
                End::Reconnect(broker) => {
                    scene.sim.reconnect(broker);
                    stage.audit.borrow_mut().cut(broker, false);
                }
                End::Controller => scene.sim.restore_controller(),
            }
        }
    }
}

/// A partition, mostly one of the plan.
fn partition(scene: &Scene, dice: &mut Dice) -> Option<(String, i32)> {
    let all: Vec<(String, i32)> =
        scene.sim.with_state(|state| state.partitions().map(|(at, _)| (at.topic, at.partition)).collect());
    if all.is_empty() { None } else { Some(dice.pick(&all).clone()) }
}

/// Somebody else moves, reorders, cancels or elects.
fn reassigner(scene: &Scene, dice: &mut Dice) -> String {
    let Some((topic, number)) = partition(scene, dice) else { return "nothing".into() };
    let mut brokers = scene.brokers.clone();
    dice.shuffle(&mut brokers);
    brokers.truncate(dice.range(1, 3) as usize);
    let told = match dice.range(0, 5) {
        0 => scene.sim.alter(&topic, number, None),
        1 | 2 => scene.sim.elect(&topic, number),
        3 => {
            let mut list: Vec<i32> = scene.sim.with_state(|state| {
                state.partition(&topic, number).map_or(vec![], |p| p.replicas.iter().map(|r| r.0).collect())
            });
            dice.shuffle(&mut list);
            scene.sim.alter(&topic, number, Some(&list))
        }
        _ => scene.sim.alter(&topic, number, Some(&brokers)),
    };
    format!("somebody moves {topic}-{number}: {told:?}")
}

/// Somebody else changes throttles, as the stock tools do.
fn throttle_editor(scene: &Scene, dice: &mut Dice) -> String {
    let side = *dice.pick(&["leader", "follower"]);
    let told = if dice.percent(60) {
        let broker = Resource::Broker(BrokerId(*dice.pick(&scene.brokers)));
        let value = dice.percent(50).then(|| (1_000_000 * dice.range(3, 9) + 77).to_string());
        scene.sim.set_config(broker, &format!("{side}.replication.throttled.rate"), value.as_deref())
    } else {
        let Some((topic, _)) = partition(scene, dice) else { return "nothing".into() };
        let key = format!("{side}.replication.throttled.replicas");
        let have = scene.sim.with_state(|state| state.topics[&topic].configs.get(&key).cloned());
        let value = match (dice.range(0, 3), have) {
            (0, _) => None,
            (1, Some(list)) if !list.is_empty() => Some(format!("{list},88:{}", dice.range(1, 9))),
            (1, _) => Some(format!("99:{}", dice.range(1, 9))),
            (_, have) => have,
        };
        scene.sim.set_config(Resource::Topic(topic), &key, value.as_deref())
    };
    format!("somebody edits a throttle: {told:?}")
}

/// Somebody else creates, grows, deletes and creates again.
fn topic_operator(scene: &Scene, dice: &mut Dice) -> String {
    let Some((topic, _)) = partition(scene, dice) else { return "nothing".into() };
    match dice.range(0, 9) {
        0 => {
            let told = scene.sim.delete_topic(&topic);
            format!("somebody deletes {topic}: {told:?}")
        }
        1 => {
            let told = scene.sim.recreate_topic(&topic);
            format!("somebody creates {topic} again: {told:?}")
        }
        2..=5 => {
            let count = scene.sim.with_state(|state| state.topics[&topic].partitions.len()) as i32 + 1;
            let told = scene.sim.add_partitions(&topic, count);
            format!("somebody adds a partition to {topic}: {told:?}")
        }
        _ => {
            let name = format!("new-{}", dice.range(1, 3));
            let told = scene.sim.create_topic(&name, &[&[scene.brokers[0]]]);
            format!("somebody creates {name}: {told:?}")
        }
    }
}
