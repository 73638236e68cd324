//! Plays a scenario: each step, and what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_protocol::messages::{ApiVersionsResponse, MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::Request;
use tokio::time::{Instant, sleep};

use crate::client::{self, Silence, ask};
use crate::records::Transcript;
use crate::script::{At, Options, Script, Step, list, partition};
use crate::stage::Stage;

/// How often something that is awaited is looked at.
const GLANCE: Duration = Duration::from_millis(100);
/// How long an answer may take where the scenario does not say.
const PATIENT: Duration = Duration::from_secs(90);

/// What came of a step: lines, or why there was no answer.
pub type Came = Result<Vec<String>, Silence>;

/// A scenario that is being played.
pub struct Player {
    pub stage: Stage,
    name: String,
    ranges: ApiVersionsResponse,
    /// The controller that was paused.
    paused: i32,
    /// Topic ids in the order in which they were first seen.
    pub ids: Vec<[u8; 16]>,
}

/// Plays a scenario to its end.
pub async fn play(stage: &Stage, script: &Script) -> Transcript {
    let mut player = Player::new(stage.clone(), &script.name).await;
    let mut lines = Transcript::new();
    for step in &script.steps {
        let came = player.step(step).await.unwrap_or_else(|silence| vec![silence.text().to_owned()]);
        lines.push(step.text.clone());
        lines.extend(came.into_iter().map(|line| format!("  {}", line.replace(&player.prefix(), ""))));
    }
    lines
}

impl Player {
    pub async fn new(stage: Stage, name: &str) -> Player {
        let mut player = Player {
            stage,
            name: name.to_owned(),
            ranges: ApiVersionsResponse::default(),
            paused: -1,
            ids: Vec::new(),
        };
        let first = player.stage.serving()[0];
        player.ranges =
            player.ask_broker(first, &client::api_versions(), 0, PATIENT).await.expect("ApiVersions");
        player
    }

    /// Topics of different scenarios share a cluster: their names start with the scenario's.
    fn prefix(&self) -> String {
        format!("{}.", self.name)
    }

    pub fn real_name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix())
    }

    pub fn own_name<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(&*self.prefix())
    }

    pub fn at(&self, word: &str) -> (String, i32) {
        let (topic, n) = partition(word);
        (self.real_name(topic), n)
    }

    pub fn ranges(&self) -> &ApiVersionsResponse {
        &self.ranges
    }

    pub async fn ask_broker<R: Request>(
        &self,
        broker: i32,
        request: &R,
        version: i16,
        within: Duration,
    ) -> Result<R::Response, Silence> {
        let mut stream = self.stage.connect(broker).await.map_err(|_| Silence::Refused)?;
        ask(&mut stream, request, version, within).await
    }

    /// Sends a request of a step to where the step says.
    pub async fn send<R: Request>(&self, step: &Step, request: &R) -> Result<R::Response, Silence> {
        let Options { version, gives_up, .. } = step.options;
        let version = version.unwrap_or_else(|| client::newest::<R>(&self.ranges));
        self.ask_broker(self.target(step.at).await, request, version, gives_up.unwrap_or(PATIENT)).await
    }

    async fn target(&self, at: At) -> i32 {
        if let At::Broker(id) = at {
            return id;
        }
        let serving = self.stage.serving();
        let controller = self.controller().await;
        match at {
            At::Other => serving.into_iter().find(|id| *id != controller).expect("another broker"),
            _ if self.stage.has_zookeeper() || serving.contains(&controller) => controller,
            _ => serving[0],
        }
    }

    /// The broker that metadata names as the controller, waited for while there is none.
    pub async fn controller(&self) -> i32 {
        let end = Instant::now() + self.stage.patience().limit;
        loop {
            let request = MetadataRequest::default().with_topics(Some(Vec::new()));
            let first = self.stage.serving()[0];
            let version = client::newest::<MetadataRequest>(&self.ranges);
            if let Ok(seen) = self.ask_broker(first, &request, version, PATIENT).await
                && seen.controller_id.0 >= 0
            {
                return seen.controller_id.0;
            }
            assert!(Instant::now() < end, "no controller");
            sleep(GLANCE).await;
        }
    }

    async fn step(&mut self, step: &Step) -> Came {
        let words: Vec<&str> = step.args.iter().map(String::as_str).collect();
        let nothing = Ok(Vec::new());
        match (step.verb.as_str(), &words[..]) {
            ("kill", [id]) => self.stage.kill(number(id)),
            ("stop", [id]) => self.stage.stop(number(id)),
            ("start", [id]) => self.stage.start(number(id)),
            ("pause", ["controller"]) => {
                self.paused = self.controller().await;
                self.stage.pause_controller(self.paused);
            }
            ("resume", ["controller"]) => self.stage.resume_controller(self.paused),
            ("pause", [id]) => self.stage.pause(number(id)),
            ("resume", [id]) => self.stage.resume(number(id)),
            ("alone", []) => {}
            ("fill", [at]) => self.write(at, None).await?,
            ("write", [at, records]) => self.write(at, Some(records.parse().expect("a number"))).await?,
            ("replicas", [topic]) => return self.replicas(topic).await,
            ("await", ["broker", id, how]) => return self.await_broker(number(id), how).await,
            ("await", [at, wanted @ ..]) => return self.await_partition(at, wanted).await,
            ("show", topics) => return self.show(topics, self.stage.patience().steady).await,
            ("rest", topics) => return self.show(topics, self.stage.patience().long).await,
            _ => return self.request(step).await,
        }
        nothing
    }

    /// What each broker's metadata says of these topics and what is in flight, when all agree and nothing changes.
    async fn show(&self, topics: &[&str], steady: Duration) -> Came {
        self.caught_up(&self.stage.serving()).await?;
        let patience = self.stage.patience();
        let end = Instant::now() + patience.limit;
        let (mut last, mut since) = (Vec::new(), Instant::now());
        loop {
            let seen = self.observe(topics).await;
            match seen {
                Some(seen) if seen == last => {
                    if since.elapsed() >= steady {
                        return Ok(last);
                    }
                }
                other => {
                    last = other.unwrap_or_default();
                    since = Instant::now();
                }
            }
            if Instant::now() > end {
                return Ok(vec!["the brokers do not agree".to_owned()]);
            }
            sleep(GLANCE).await;
        }
    }

    /// How many replicas each partition has, when that is steady: for those that Kafka places itself.
    async fn replicas(&self, topic: &str) -> Came {
        let lines = self.show(&[topic], self.stage.patience().steady).await?;
        let counted = lines.iter().map(|line| {
            let mut words = line.split(' ');
            let (at, replicas) = (words.next().unwrap_or_default(), words.next().and_then(list));
            format!("{at} has {} replicas", replicas.map_or(0, |ids| ids.len()))
        });
        Ok(counted.collect())
    }

    /// One look at every serving broker; nothing if they disagree.
    async fn observe(&self, topics: &[&str]) -> Option<Vec<String>> {
        let moving = self.in_flight().await.ok()?;
        let mut agreed = None;
        for broker in self.stage.serving() {
            let mut lines = Vec::new();
            for topic in topics {
                lines.extend(describe(topic, &self.metadata(broker, topic).await.ok()?, &moving));
            }
            if agreed.get_or_insert_with(|| lines.clone()) != &lines {
                return None;
            }
        }
        agreed
    }

    pub async fn metadata(&self, broker: i32, topic: &str) -> Result<MetadataResponse, Silence> {
        let named = kafka_protocol::messages::metadata_request::MetadataRequestTopic::default()
            .with_name(Some(client::topic_name(&self.real_name(topic))));
        let request =
            MetadataRequest::default().with_topics(Some(vec![named])).with_allow_auto_topic_creation(false);
        self.ask_broker(broker, &request, client::newest::<MetadataRequest>(&self.ranges), PATIENT).await
    }

    /// `t-0 [1,2] isr [1,2] leader 1 settled`: waits until every serving broker says so.
    async fn await_partition(&self, at: &str, wanted: &[&str]) -> Came {
        let (topic, _) = if wanted == ["gone"] { (at, 0) } else { partition(at) };
        let end = Instant::now() + self.stage.patience().limit;
        loop {
            let seen = self.observe(&[topic]).await;
            let line = seen.iter().flatten().find(|line| line.split(' ').next() == Some(at));
            let gone = seen.iter().flatten().any(|line| line.ends_with("UNKNOWN_TOPIC_OR_PARTITION"));
            if line.is_some_and(|line| fits(line, wanted)) || wanted == ["gone"] && gone {
                return Ok(Vec::new());
            }
            if Instant::now() > end {
                return Ok(vec![format!(
                    "awaited in vain: {}",
                    seen.map_or("no agreement".to_owned(), |s| s.join("; "))
                )]);
            }
            sleep(GLANCE).await;
        }
    }

    /// Waits until every serving broker lists this broker, or none does.
    async fn await_broker(&self, id: i32, how: &str) -> Came {
        let end = Instant::now() + self.stage.patience().limit;
        loop {
            let mut listed = Vec::new();
            for broker in self.stage.serving() {
                let seen = self.metadata(broker, "none").await;
                listed.push(seen.is_ok_and(|seen| seen.brokers.iter().any(|b| b.node_id.0 == id)));
            }
            if listed.iter().all(|is| *is == (how == "back")) {
                return Ok(Vec::new());
            }
            if Instant::now() > end {
                return Ok(vec!["awaited in vain".to_owned()]);
            }
            sleep(GLANCE).await;
        }
    }
}

/// Adding and removing replicas by partition.
pub type Moving = BTreeMap<(String, i32), (Vec<i32>, Vec<i32>)>;

/// `t-0 [1,2,3] isr [1,2] leader 1 offline [4] adding [3] removing []`
fn describe(topic: &str, seen: &MetadataResponse, moving: &Moving) -> Vec<String> {
    let mut lines = Vec::new();
    for found in &seen.topics {
        if found.error_code != 0 {
            lines.push(format!("{topic} {}", client::code(found.error_code)));
        }
        let mut partitions: Vec<_> = found.partitions.iter().collect();
        partitions.sort_by_key(|p| p.partition_index);
        for p in partitions {
            let ids =
                |list: &[kafka_protocol::messages::BrokerId]| list.iter().map(|id| id.0).collect::<Vec<_>>();
            let mut isr = ids(&p.isr_nodes);
            isr.sort_unstable();
            let leader = if p.leader_id.0 < 0 { "none".to_owned() } else { p.leader_id.0.to_string() };
            let mut line = format!(
                "{topic}-{} {} isr {} leader {leader}",
                p.partition_index,
                shown(&ids(&p.replica_nodes)),
                shown(&isr)
            );
            if p.error_code != 0 {
                line += &format!(" {}", client::code(p.error_code));
            }
            let mut offline = ids(&p.offline_replicas);
            offline.sort_unstable();
            if !offline.is_empty() {
                line += &format!(" offline {}", shown(&offline));
            }
            if let Some((adding, removing)) = moving.get(&(topic.to_owned(), p.partition_index)) {
                line += &format!(" adding {} removing {}", shown(adding), shown(removing));
            }
            lines.push(line);
        }
    }
    lines
}

/// `[1,2]`
pub fn shown(ids: &[i32]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("[{}]", ids.join(","))
}

fn fits(line: &str, wanted: &[&str]) -> bool {
    let moves = line.contains(" adding ");
    let has: Vec<&str> = line.split(' ').collect();
    let mut wanted = wanted.iter();
    while let Some(word) = wanted.next() {
        let good = match *word {
            "gone" => false,
            "in-sync" => in_sync(&has),
            "settled" => !moves,
            "moving" => moves,
            "isr" | "leader" => {
                let value = wanted.next().expect("a value");
                has.iter().position(|w| w == word).is_some_and(|at| has.get(at + 1) == Some(value))
            }
            replicas => {
                assert!(list(replicas).is_some(), "{replicas}");
                has.get(1) == Some(&replicas)
            }
        };
        if !good {
            return false;
        }
    }
    true
}

/// Whether every replica is in the ISR.
fn in_sync(words: &[&str]) -> bool {
    let ids = |at: usize| words.get(at).and_then(|word| list(word)).unwrap_or_default();
    let (mut replicas, isr) = (ids(1), ids(3));
    replicas.sort_unstable();
    replicas == isr
}

pub fn number(word: &str) -> i32 {
    word.parse().unwrap_or_else(|_| panic!("{word} is no number"))
}
