//! What goes wrong with brokers, and what other people do.

use restow_planner::model::{BrokerId, TopicId, TopicPartition};

use crate::code::Refusal;
use crate::controller::{
    ConfigChange, Configs, Life, NewPartitions, NewTopic, Outcome, Placement, Request, Resource, Response,
};
use crate::face::Simulator;
use crate::faults::{Fault, Filter};
use crate::trace::By;

impl Simulator {
    /// Strikes the next request that fits.
    pub fn fault(&self, filter: Filter, fault: Fault) {
        self.fault_next(filter, fault, 0, 1);
    }

    /// Strikes requests that fit: not the first `skip`, then the next `times`.
    pub fn fault_next(&self, filter: Filter, fault: Fault, skip: u64, times: u64) {
        self.shared.world().faults.install(filter, fault, skip, times);
    }

    /// Takes back all faults that have not struck yet.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    fn set_life(&self, broker: i32, life: Life) {
        let clock = self.shared.clock();
        let mut world = self.shared.world();
        world.at(clock);
        world.set_life(BrokerId(broker), life);
        drop(world);
        self.shared.lives_changed();
    }

    /// Kills a broker: connections break, new ones are refused; the controller notices after the session
    /// timeout.
    pub fn kill(&self, broker: i32) {
        self.set_life(broker, Life::Dead);
    }

    /// Starts a killed broker. It serves when it is registered: not before the old session ended.
    pub fn restart(&self, broker: i32) {
        if self.with_state(|s| s.brokers.get(&BrokerId(broker)).is_some_and(|b| b.life == Life::Dead)) {
            self.set_life(broker, Life::Starting);
        }
    }

    /// Freezes a broker: it accepts connections and never answers.
    pub fn pause(&self, broker: i32) {
        self.set_life(broker, Life::Paused);
    }

    /// Thaws a paused broker.
    pub fn resume(&self, broker: i32) {
        if self.with_state(|s| s.brokers.get(&BrokerId(broker)).is_some_and(|b| b.life == Life::Paused)) {
            self.set_life(broker, Life::Up);
        }
    }

    /// Stops a broker in an orderly way: leaders move first, the process ends half a second later.
    pub fn stop(&self, broker: i32) {
        self.shared.world().stop(BrokerId(broker));
    }

    /// The controller is lost: forwarded requests hang, nobody is fenced, nobody joins, until it is restored. With
    /// ZooKeeper the brokers answer NOT_CONTROLLER, and after four seconds another one is the controller.
    pub fn lose_controller(&self) {
        self.shared.world().lose_controller();
        self.shared.lives_changed();
    }

    /// The controller is back, and applies what was forwarded in the last minute.
    pub fn restore_controller(&self) {
        self.shared.world().restore_controller();
        self.shared.lives_changed();
    }

    /// Asks the controller directly, as somebody else would.
    pub fn ask(&self, request: Request) -> Response {
        let clock = self.shared.clock();
        let mut world = self.shared.world();
        world.at(clock);
        world.by = By::Somebody;
        let response = world.ask(request);
        world.by = By::Cluster;
        response
    }

    /// Makes a broker's disks write at most so many bytes a second.
    pub fn slow(&self, broker: i32, bytes_per_second: u64) {
        let mut world = self.shared.world();
        if let Some(hardware) = world.logs.hardware.get_mut(&BrokerId(broker)) {
            hardware.disk_speed = bytes_per_second;
        }
    }

    /// Makes a log directory of a broker as large as this, in bytes; a failed one is sound again.
    pub fn resize(&self, broker: i32, dir: usize, bytes: u64) {
        self.shared.world().logs.resize(BrokerId(broker), dir, bytes);
    }

    /// Cuts a broker off from the controller: it serves on with what it knows, and is fenced.
    pub fn cut_off(&self, broker: i32) {
        let clock = self.shared.clock();
        let mut world = self.shared.world();
        // What it has seen by now it keeps.
        world.view(BrokerId(broker), clock);
        world.cut_off.insert(BrokerId(broker));
        drop(world);
        self.shared.lives_changed();
    }

    /// A broker reaches the controller again.
    pub fn reconnect(&self, broker: i32) {
        let mut world = self.shared.world();
        world.cut_off.remove(&BrokerId(broker));
        world.publish();
        drop(world);
        self.shared.lives_changed();
    }

    /// Somebody else reassigns a partition; `None` cancels.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn alter(&self, topic: &str, partition: i32, target: Option<&[i32]>) -> Outcome {
        let target = target.map(|list| list.iter().copied().map(BrokerId).collect());
        let items = vec![(TopicPartition::new(topic, partition), target)];
        first_partition(self.ask(Request::Alter { items, allow_rf_change: true }))
    }

    /// Somebody else elects the preferred leader of a partition.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn elect(&self, topic: &str, partition: i32) -> Outcome {
        let only = Some(vec![TopicPartition::new(topic, partition)]);
        first_partition(self.ask(Request::Elect { unclean: false, only }))
    }

    /// Somebody else creates a topic with these replicas.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn create_topic(&self, name: &str, replicas: &[&[i32]]) -> Result<TopicId, Refusal> {
        let list = |list: &&[i32]| list.iter().copied().map(BrokerId).collect();
        let placement = Placement::Given(replicas.iter().map(list).collect());
        let items = vec![NewTopic { name: name.to_owned(), placement, configs: Configs::new() }];
        first_topic(self.ask(Request::CreateTopics { items, validate_only: false }))
    }

    /// Somebody else deletes a topic.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn delete_topic(&self, name: &str) -> Result<TopicId, Refusal> {
        first_topic(self.ask(Request::DeleteTopic { name: name.to_owned() }))
    }

    /// Somebody else deletes a topic and creates it again, with the same replicas and another id.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn recreate_topic(&self, name: &str) -> Result<TopicId, Refusal> {
        let before = self.with_state(|state| {
            state.topics.get(name).map(|topic| {
                let lists = topic.partitions.iter().map(|p| p.replicas.clone()).collect();
                (lists, topic.configs.clone())
            })
        });
        self.delete_topic(name)?;
        let (lists, configs) = before.unwrap_or_default();
        let items = vec![NewTopic { name: name.to_owned(), placement: Placement::Given(lists), configs }];
        first_topic(self.ask(Request::CreateTopics { items, validate_only: false }))
    }

    /// Somebody else adds partitions, up to `count` in all.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn add_partitions(&self, name: &str, count: i32) -> Result<TopicId, Refusal> {
        let items = vec![NewPartitions { topic: name.to_owned(), count, replicas: None }];
        first_topic(self.ask(Request::CreatePartitions { items, validate_only: false }))
    }

    /// Somebody else sets a config, or deletes it.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn set_config(&self, resource: Resource, key: &str, value: Option<&str>) -> Outcome {
        let change = match value {
            Some(value) => ConfigChange::Set(key.to_owned(), value.to_owned()),
            None => ConfigChange::Delete(key.to_owned()),
        };
        match self.ask(Request::AlterConfigs { items: vec![(resource, vec![change])], validate_only: false })
        {
            Response::Resources(mut outcomes) => outcomes.remove(0).1,
            other => unreachable!("{other:?}"),
        }
    }

    /// Producers write this much a second into a partition from now on.
    pub fn set_ingest(&self, topic: &str, partition: i32, bytes_per_second: u64) {
        let mut world = self.shared.world();
        if let Some(key) = world.key(topic, partition) {
            world.logs.set_ingest(key, bytes_per_second);
        }
    }
}

fn first_partition(response: Response) -> Outcome {
    match response {
        Response::Partitions(mut outcomes) if !outcomes.is_empty() => outcomes.remove(0).1,
        other => unreachable!("{other:?}"),
    }
}

fn first_topic(response: Response) -> Result<TopicId, Refusal> {
    match response {
        Response::Topics(mut outcomes) if !outcomes.is_empty() => outcomes.remove(0).1,
        other => unreachable!("{other:?}"),
    }
}
