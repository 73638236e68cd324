//! A small cluster and a hand-written plan over it, as plain values that a test can break one by one.

use std::collections::BTreeMap;

use restow_planner::check::{At, Promise, Verdict, judge};
use restow_planner::model::{
    Broker, BrokerId, Cluster, ClusterBuilder, ConfigDifference, ConfigSource, LogDir, PartitionRow, Topic,
    TopicId, UNKNOWN_SIZE,
};
use restow_planner::plan::{BrokerImpact, Certificate, Intent, Move, Plan, PlanBroker, PlanTopic};
use restow_planner::rule::Rule;

pub fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

pub fn topic_id(n: u8) -> TopicId {
    TopicId([n; 16])
}

/// One partition; its first replica leads.
#[derive(Debug, Clone)]
pub struct Row {
    pub replicas: Vec<i32>,
    pub bytes: u64,
    pub offline: bool,
    pub adding: Vec<i32>,
    pub removing: Vec<i32>,
}

pub fn row(replicas: &[i32], bytes: u64) -> Row {
    Row { replicas: replicas.to_vec(), bytes, offline: false, adding: vec![], removing: vec![] }
}

#[derive(Debug, Clone)]
pub struct Shelf {
    pub name: String,
    pub id: TopicId,
    pub min_isr: Option<u32>,
    pub internal: bool,
    pub rows: Vec<Row>,
}

/// One move: topic number, partition, lists.
#[derive(Debug, Clone)]
pub struct Line {
    pub topic: u32,
    pub partition: i32,
    pub from: Vec<i32>,
    pub to: Vec<i32>,
    pub bytes: Option<u64>,
}

/// Everything that a judgement needs.
#[derive(Debug, Clone)]
pub struct World {
    pub cluster_id: String,
    pub brokers: Vec<Broker>,
    pub shelves: Vec<Shelf>,
    pub differences: Vec<ConfigDifference>,
    pub lines: Vec<Line>,
    /// The plan without its moves.
    pub plan: Plan,
    pub at: At,
}

pub fn broker(id: i32, zone: &str) -> Broker {
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
            total_bytes: Some(10_000),
            usable_bytes: Some(5_000),
            offline: false,
        }],
        rates: vec![],
        sockets: None,
        unseen: vec![],
        node: None,
    }
}

fn shelf(name: &str, id: u8, min_isr: u32, rows: &[Row]) -> Shelf {
    let internal = name.starts_with("__");
    Shelf { name: name.into(), id: topic_id(id), min_isr: Some(min_isr), internal, rows: rows.to_vec() }
}

pub fn line(topic: u32, partition: i32, from: &[i32], to: &[i32], bytes: u64) -> Line {
    Line { topic, partition, from: from.to_vec(), to: to.to_vec(), bytes: Some(bytes) }
}

impl World {
    /// The story's cluster in small: 1, 2, 3 are emptied into 4, 5, 6.
    pub fn story() -> World {
        let zones = [(1, "az-a"), (2, "az-a"), (3, "az-b"), (4, "az-a"), (5, "az-a"), (6, "az-b")];
        let shelves = vec![
            shelf("__consumer_offsets", 1, 1, &[row(&[1, 3], 10)]),
            shelf("elsewhere", 2, 1, &[row(&[4, 6], 70)]),
            shelf("orders", 3, 2, &[row(&[1, 3], 100), row(&[3, 2], 200), row(&[2, 3], 300)]),
            shelf("pay", 4, 1, &[row(&[5, 3], 50)]),
        ];
        let lines = vec![
            line(1, 0, &[1, 3], &[4, 6], 100),
            line(1, 1, &[3, 2], &[6, 5], 200),
            line(1, 2, &[2, 3], &[5, 6], 300),
            line(2, 0, &[5, 3], &[5, 6], 50),
            line(0, 0, &[1, 3], &[4, 6], 10),
        ];
        let topic = |name: &str, id: u8, min_isr| PlanTopic {
            name: name.into(),
            id: topic_id(id),
            internal: name.starts_with("__"),
            min_isr: Some(min_isr),
            hold_min_isr: None,
            zones: vec![],
        };
        let plan_broker = |(id, zone): &(i32, &str)| PlanBroker {
            id: BrokerId(*id),
            rack: Some((*zone).into()),
            zone: Some((*zone).into()),
            limit_bytes: Some(8_000),
            pinned: false,
        };
        let plan = Plan {
            intent: Intent::Migrate {
                from: ids(&[1, 2, 3]),
                to: ids(&[4, 5, 6]),
                topics: vec![],
                exclude: vec![],
                preserve_leaders: false,
            },
            brokers: zones.iter().map(plan_broker).collect(),
            rules: Rule::of_plan(true, None, false),
            topics: vec![topic("__consumer_offsets", 1, 1), topic("orders", 3, 2), topic("pay", 4, 1)],
            ..Plan::empty("story")
        };
        let brokers = zones.iter().map(|(id, zone)| broker(*id, zone)).collect();
        let mut world = World {
            cluster_id: "story".into(),
            brokers,
            shelves,
            differences: vec![],
            lines,
            plan,
            at: At::Start,
        };
        world.refigure();
        world
    }

    pub fn cluster(&self) -> Cluster {
        let mut build = ClusterBuilder::new(self.cluster_id.clone(), self.brokers.clone()).unwrap();
        for shelf in &self.shelves {
            let topic = Topic {
                name: shelf.name.clone(),
                id: shelf.id,
                internal: shelf.internal,
                min_isr: shelf.min_isr.map(|min_isr| (min_isr, ConfigSource::Topic)),
                ..Topic::default()
            };
            build.topic(topic).unwrap();
            for row in &shelf.rows {
                let replicas = ids(&row.replicas);
                build
                    .partition(&PartitionRow {
                        replicas: &replicas,
                        leader: Some(replicas[0]).filter(|_| !row.offline),
                        isr: &replicas,
                        adding: &ids(&row.adding),
                        removing: &ids(&row.removing),
                        sizes: &vec![row.bytes; replicas.len()],
                        ..PartitionRow::default()
                    })
                    .unwrap();
            }
        }
        build.finish(String::new(), self.differences.clone())
    }

    pub fn plan(&self) -> Plan {
        let mut plan = self.plan.clone();
        for line in &self.lines {
            plan.moves.push(Move {
                topic: line.topic,
                partition: line.partition,
                from: &ids(&line.from),
                to: &ids(&line.to),
                bytes: line.bytes,
                leader: None,
            });
        }
        plan
    }

    /// Writes the figures of the plan anew, slowly and plainly.
    pub fn refigure(&mut self) {
        let zero = |id: &BrokerId| BrokerImpact {
            broker: *id,
            before: 0,
            peak: 0,
            after: 0,
            replicas_before: 0,
            replicas_after: 0,
            leaders_before: 0,
            leaders_after: 0,
            unknown: 0,
        };
        let mut table: BTreeMap<i32, BrokerImpact> =
            self.brokers.iter().map(|b| (b.id.0, zero(&b.id))).collect();
        for shelf in &self.shelves {
            for (number, row) in shelf.rows.iter().enumerate() {
                let known = if row.bytes == UNKNOWN_SIZE { 0 } else { row.bytes };
                let line = self.lines.iter().find(|line| {
                    let topic = self.plan.topics.get(line.topic as usize);
                    topic.is_some_and(|t| t.name == shelf.name) && line.partition == number as i32
                });
                let to = line.map_or(&row.replicas, |line| &line.to);
                for at in table.values_mut() {
                    let (held, holds) = (row.replicas.contains(&at.broker.0), to.contains(&at.broker.0));
                    at.before += known * u64::from(held);
                    at.peak += known * u64::from(held || holds);
                    at.after += known * u64::from(holds);
                    at.replicas_before += u32::from(held);
                    at.replicas_after += u32::from(holds);
                    at.leaders_before += u32::from(row.replicas[0] == at.broker.0);
                    at.leaders_after += u32::from(to.first() == Some(&at.broker.0));
                    at.unknown += u32::from(row.bytes == UNKNOWN_SIZE && (held || holds));
                }
            }
        }
        self.plan.impact = table.into_values().collect();
        let sources = self.plan.intent.sources().to_vec();
        self.plan.certificate = Certificate::default();
        let certificate = &mut self.plan.certificate;
        for line in &self.lines {
            let new = line.to.iter().filter(|id| !line.from.contains(id)).count() as u64;
            let forced = match self.plan.intent {
                Intent::Migrate { .. } => {
                    line.from.iter().filter(|id| sources.contains(&BrokerId(**id))).count() as u64
                }
                _ => new,
            };
            match line.bytes {
                Some(bytes) => {
                    certificate.bound_bytes += bytes * forced;
                    certificate.moved_bytes += bytes * new;
                }
                None => certificate.unknown_sizes += forced,
            }
        }
    }

    pub fn verdict(&self) -> Verdict {
        judge(&self.plan(), &self.cluster(), self.at)
    }

    /// Each finding as its promise with the partition or broker that it names.
    pub fn named(&self) -> Vec<String> {
        names(&self.verdict())
    }
}

/// Each finding as its promise with the partition, or else the broker, that it names; without repeats.
pub fn names(verdict: &Verdict) -> Vec<String> {
    let name = |finding: &restow_planner::check::Finding| {
        let place = match (&finding.partition, finding.broker) {
            (Some(partition), _) => format!(" {partition}"),
            (None, Some(broker)) => format!(" broker {broker}"),
            (None, None) => String::new(),
        };
        format!("{}{place}", finding.promise)
    };
    let mut all: Vec<String> = verdict.findings.iter().map(name).collect();
    all.sort();
    all.dedup();
    all
}

pub fn only(promise: Promise, place: &str) -> Vec<String> {
    vec![format!("{promise} {place}").trim_end().to_owned()]
}
