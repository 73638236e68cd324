//! The plan file: what moves where, sealed by a hash.
//!
//! ```text
//! {"format":"restow-plan","version":1,
//! "cluster_id":"…","intent":{…},"pacing":"staged","seed":0,
//! "brokers":[…],"rules":[…],"no_worse":[…],"accepted_differences":[…],"given_up":[…],"left_out":[…],
//! "topics":[…],"impact":[…],"certificate":{…},
//! "moves":[
//! {"topic":"a","partition":0,"from":[1,3],"to":[4,6],"bytes":100,"leader":null}],
//! "hash":"sha256:…"}
//! ```
//!
//! The hash is over all bytes before its line.

mod rows;
mod seal;

use std::fmt;
use std::io::{self, BufReader, Read, Write};

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use self::rows::{MovesSeed, write_move};
use self::seal::{Sealed, Sealing};
use super::FileError;
use super::json::{Header, Spot, explain, items, once, required};
use super::snapshot::write_list;
use crate::model::BrokerId;
use crate::plan::{
    AcceptedDifference, BrokerImpact, Certificate, Intent, LeftOut, Pacing, Plan, PlanBroker, PlanTopic,
};
use crate::rule::Rule;

/// The `format` member of a plan.
pub const FORMAT: &str = "restow-plan";
/// The newest version that is read, and the one that is written.
pub const VERSION: u64 = 1;

/// Writes a plan and gives its hash, `sha256:<hex>`. The same plan gives the same bytes.
///
/// # Errors
/// What `to` answers.
pub fn write(plan: &Plan, to: &mut dyn Write) -> io::Result<String> {
    let mut to = Sealing::new(to);
    write!(to, "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\n\"cluster_id\":")?;
    serde_json::to_writer(&mut to, &plan.cluster_id)?;
    to.write_all(b",\n\"intent\":")?;
    serde_json::to_writer(&mut to, &plan.intent)?;
    to.write_all(b",\n\"pacing\":")?;
    serde_json::to_writer(&mut to, &plan.pacing)?;
    write!(to, ",\n\"seed\":{}", plan.seed)?;
    write_list(&mut to, "brokers", plan.brokers.iter())?;
    write_list(&mut to, "rules", plan.rules.iter())?;
    write_list(&mut to, "no_worse", plan.no_worse.iter())?;
    write_list(&mut to, "accepted_differences", plan.accepted_differences.iter())?;
    write_list(&mut to, "given_up", plan.given_up.iter())?;
    write_list(&mut to, "left_out", plan.left_out.iter())?;
    write_list(&mut to, "topics", plan.topics.iter())?;
    write_list(&mut to, "impact", plan.impact.iter())?;
    to.write_all(b",\n\"certificate\":")?;
    serde_json::to_writer(&mut to, &plan.certificate)?;
    to.write_all(b",\n\"moves\":[")?;
    let mut line = Vec::with_capacity(256);
    for (at, m) in plan.moves.iter().enumerate() {
        line.clear();
        line.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        write_move(&mut line, &plan.topic_of(&m).name, &m)?;
        to.write_all(&line)?;
    }
    to.write_all(b"],\n")?;
    to.seal()
}

/// The hash that the plan's file has.
pub fn hash(plan: &Plan) -> String {
    // A sink takes everything.
    write(plan, &mut io::sink()).unwrap_or_default()
}

/// Reads a plan and its hash; `file` is its name in errors.
///
/// # Errors
/// The first thing that makes the file unusable, with its place; a hash that the bytes do not have.
pub fn read(from: impl Read, file: &str) -> Result<(Plan, String), FileError> {
    let mut from = Sealed::new(from);
    let mut spot = Spot::default();
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, &mut from));
    let read = json.deserialize_map(Document(&mut spot)).and_then(|plan| json.end().map(|()| plan));
    let (plan, named) = read.map_err(|error| explain(&error, file, spot.to_string()))?;
    drop(json);
    let hash = from.verify(&named).map_err(|reason| FileError::whole(file, reason))?;
    Ok((plan, hash))
}

struct Document<'a>(&'a mut Spot);

impl<'de> Visitor<'de> for Document<'_> {
    /// The plan and the hash that the file names.
    type Value = (Plan, String);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {FORMAT} file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let spot = self.0;
        let mut header = Header::new(FORMAT, VERSION);
        let mut got = Members::default();
        while let Some(member) = map.next_key::<String>()? {
            spot.enter(&member);
            if !header.take(&member, &mut map)? {
                got.take(&member, &mut map, spot)?;
            }
        }
        spot.enter("");
        got.finish()
    }
}

/// The members of the file as far as they were read.
#[derive(Default)]
struct Members {
    cluster_id: Option<String>,
    intent: Option<Intent>,
    pacing: Option<Pacing>,
    seed: Option<u64>,
    brokers: Option<Vec<PlanBroker>>,
    rules: Option<Vec<Rule>>,
    no_worse: Option<Vec<crate::model::TopicPartition>>,
    accepted_differences: Option<Vec<AcceptedDifference>>,
    given_up: Option<Vec<BrokerId>>,
    left_out: Option<Vec<LeftOut>>,
    topics: Option<Vec<PlanTopic>>,
    impact: Option<Vec<BrokerImpact>>,
    certificate: Option<Certificate>,
    moves: Option<crate::plan::Moves>,
    hash: Option<String>,
}

impl Members {
    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        member: &str,
        map: &mut A,
        spot: &mut Spot,
    ) -> Result<(), A::Error> {
        match member {
            "cluster_id" => once(&mut self.cluster_id, member, map.next_value()?),
            "intent" => once(&mut self.intent, member, map.next_value()?),
            "pacing" => once(&mut self.pacing, member, map.next_value()?),
            "seed" => once(&mut self.seed, member, map.next_value()?),
            "brokers" => once(&mut self.brokers, member, items(map, spot)?),
            "rules" => once(&mut self.rules, member, items(map, spot)?),
            "no_worse" => once(&mut self.no_worse, member, items(map, spot)?),
            "accepted_differences" => once(&mut self.accepted_differences, member, items(map, spot)?),
            "given_up" => once(&mut self.given_up, member, items(map, spot)?),
            "left_out" => once(&mut self.left_out, member, items(map, spot)?),
            "topics" => once(&mut self.topics, member, items(map, spot)?),
            "impact" => once(&mut self.impact, member, items(map, spot)?),
            "certificate" => once(&mut self.certificate, member, map.next_value()?),
            "moves" => {
                let Some(topics) = &self.topics else {
                    return Err(Error::custom("\"topics\" has to stand before \"moves\""));
                };
                let moves = map.next_value_seed(MovesSeed::new(topics, spot)?)?;
                once(&mut self.moves, member, moves)
            }
            "hash" => once(&mut self.hash, member, map.next_value()?),
            _ => map.next_value::<IgnoredAny>().map(drop),
        }
    }

    fn finish<E: Error>(self) -> Result<(Plan, String), E> {
        let plan = Plan {
            cluster_id: required(self.cluster_id, "cluster_id")?,
            intent: required(self.intent, "intent")?,
            pacing: required(self.pacing, "pacing")?,
            seed: required(self.seed, "seed")?,
            brokers: required(self.brokers, "brokers")?,
            rules: required(self.rules, "rules")?,
            no_worse: required(self.no_worse, "no_worse")?,
            accepted_differences: required(self.accepted_differences, "accepted_differences")?,
            given_up: required(self.given_up, "given_up")?,
            left_out: required(self.left_out, "left_out")?,
            topics: required(self.topics, "topics")?,
            impact: required(self.impact, "impact")?,
            certificate: required(self.certificate, "certificate")?,
            moves: required(self.moves, "moves")?,
        };
        // `Plan::zone` searches by id.
        if let Some(pair) = plan.brokers.windows(2).find(|pair| pair[0].id >= pair[1].id) {
            return Err(Error::custom(format!("broker {} stands twice or out of order", pair[1].id)));
        }
        Ok((plan, required(self.hash, "hash")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{TopicId, TopicPartition};
    use crate::plan::{Move, Moves};

    fn ids(list: &[i32]) -> Vec<BrokerId> {
        list.iter().copied().map(BrokerId).collect()
    }

    fn plan() -> Plan {
        let broker = |id: i32, zone: &str| PlanBroker {
            id: BrokerId(id),
            rack: Some(format!("rack-{zone}")),
            zone: Some(zone.into()),
            limit_bytes: (id == 4).then_some(1000),
            pinned: false,
        };
        let topic = |name: &str, internal| PlanTopic {
            name: name.into(),
            id: TopicId([3; 16]),
            internal,
            min_isr: Some(2),
            hold_min_isr: internal.then_some(1),
            zones: vec![],
        };
        let mut moves = Moves::default();
        let (from, to) = (ids(&[1, 3]), ids(&[4, 6]));
        let m = Move { topic: 1, partition: 0, from: &from, to: &to, bytes: Some(100), leader: None };
        moves.push(m);
        moves.push(Move { topic: 0, partition: 49, bytes: None, leader: Some(BrokerId(3)), ..m });
        Plan {
            cluster_id: "cluster-1".into(),
            intent: Intent::Migrate {
                from: ids(&[1, 2, 3]),
                to: ids(&[4, 5, 6]),
                topics: vec![],
                exclude: vec!["x.*".into()],
                preserve_leaders: false,
            },
            pacing: Pacing::Staged,
            seed: 7,
            brokers: vec![broker(1, "a"), broker(3, "b"), broker(4, "a"), broker(6, "b")],
            rules: Rule::of_plan(true, None, false),
            no_worse: vec![TopicPartition::new("t", 3)],
            accepted_differences: vec![AcceptedDifference {
                key: "retention.ms".into(),
                topic: "t".into(),
                values: vec![("1".into(), ids(&[1])), ("2".into(), ids(&[4]))],
            }],
            given_up: vec![],
            left_out: vec![LeftOut {
                partition: TopicPartition::new("one", 0),
                keeps: ids(&[1]),
                reason: "min ISR".into(),
            }],
            topics: vec![topic("__consumer_offsets", true), topic("t", false)],
            moves,
            impact: vec![],
            certificate: Certificate {
                bound_bytes: 200,
                moved_bytes: 200,
                unknown_sizes: 2,
                ..Certificate::default()
            },
        }
    }

    fn written(plan: &Plan) -> String {
        let mut bytes = Vec::new();
        let sealed = write(plan, &mut bytes).unwrap();
        assert_eq!(sealed, hash(plan));
        String::from_utf8(bytes).unwrap()
    }

    fn fault(text: &str) -> String {
        read(text.as_bytes(), "plan.json").unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let text = written(&plan());
        let (read, sealed) = read(text.as_bytes(), "f").unwrap();
        assert_eq!((&read, &sealed), (&plan(), &hash(&plan())));
        assert_eq!(text.lines().last().unwrap(), format!("\"hash\":\"{sealed}\"}}"));
        let empty = Plan { moves: Moves::default(), topics: vec![], ..plan() };
        assert_eq!(super::read(written(&empty).as_bytes(), "f").unwrap().0, empty);
    }

    #[test]
    fn a_cut_plan_is_refused_wherever_it_is_cut() {
        let text = written(&plan());
        for end in 1..text.len() - 1 {
            let message = fault(&text[..end]);
            assert!(message.contains("cut"), "{end}: {message}");
        }
    }

    #[test]
    fn an_edited_plan_is_refused() {
        let text = written(&plan());
        for (found, instead) in [
            ("\"bytes\":100", "\"bytes\":101"),
            ("\"to\":[4,6]", "\"to\":[6,4]"),
            ("\"seed\":7", "\"seed\": 7"),
            ("\"given_up\":[]", "\"given_up\":[],\"more\":1"),
            ("\"hash\":\"sha256:", "\"hash\":\"sha256:0"),
            ("\"hash\"", "\"seal\":1,\n\"hash\""),
            ("}\n", "}\n\n"),
        ] {
            assert!(text.contains(found), "{found}");
            let message = fault(&text.replacen(found, instead, 1));
            assert!(message.starts_with("plan.json: the file was edited or cut"), "{found}: {message}");
        }
        let gone = text.lines().filter(|line| !line.contains("\"partition\":49")).collect::<Vec<_>>();
        assert!(fault(&gone.join("\n")).starts_with("plan.json, line "));
    }

    #[test]
    fn a_bad_move_is_named() {
        let text = written(&plan());
        let edited = |found: &str, instead: &str| {
            let message = fault(&text.replacen(found, instead, 1));
            message.split_once(", ").map(|(_, rest)| rest.split_once(", ").unwrap().1.to_owned()).unwrap()
        };
        assert_eq!(edited("\"to\":[4,6]", "\"to\":[4,4]"), "partition t-0: broker 4 stands twice in \"to\"");
        assert_eq!(
            edited("\"to\":[4,6]", "\"to\":[]"),
            "partition t-0: 0 brokers in \"to\", where 1 to 32 stand"
        );
        assert_eq!(
            edited("{\"topic\":\"t\",\"partition\":0", "{\"topic\":\"u\",\"partition\":0"),
            "partition u-0: its topic is not in the list of topics"
        );
        assert_eq!(edited(",\"leader\":null", ""), "partition t-0: member \"leader\" is missing");
        assert_eq!(
            edited("\"verb\":\"migrate\"", "\"verb\":\"guess\""),
            "intent: unknown variant `guess`, expected one of `migrate`, `drain`, `add`, `rebalance`, `set-factor`, `repair`, \
             `leaders`, `follow`, `return`"
        );
    }
}
