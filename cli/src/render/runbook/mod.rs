//! The change plan of an export: what a person does with the stock tools, in which order, and when to stop.

mod stages;

use std::fmt::Write;
use std::time::Duration;

use restow_planner::model::BrokerId;
use restow_planner::plan::{Pacing, Plan, Step, moves};

use super::table::Table;
use super::{asked, list, plan as show, price, units};
use crate::args::Throttle;

/// One file for the stock tool: steps of one kind that start together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// The kind of its steps.
    pub step: Step,
    /// What its files are called, without ending: `01-expand-01`.
    pub name: String,
    /// Its moves as positions in the plan.
    pub moves: Vec<usize>,
}

/// What the runbook is made of.
#[derive(Debug, Clone, Copy)]
pub struct Runbook<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its hash.
    pub hash: &'a str,
    /// The plan's file, as the person named it.
    pub file: &'a str,
    /// The throttle, if one was given.
    pub throttle: Option<Throttle>,
    /// The cluster's address, if one was given.
    pub bootstrap: Option<&'a str>,
    /// The files, in the order in which they run.
    pub waves: &'a [Wave],
}

impl Runbook<'_> {
    /// The whole page, as Markdown.
    pub fn render(&self) -> String {
        let mut text = String::new();
        self.head(&mut text);
        self.files(&mut text);
        self.before(&mut text);
        self.abort(&mut text);
        for step in Step::ALL {
            if self.waves.iter().any(|wave| wave.step == step) {
                self.stage(step, &mut text);
            }
        }
        self.end(&mut text);
        self.throttles_by_hand(&mut text);
        text
    }

    fn head(&self, text: &mut String) {
        let plan = self.plan;
        let _ = write!(
            text,
            "# Change plan: {intent}\n\n\
             | | |\n|---|---|\n\
             | cluster | `{cluster}` |\n\
             | plan | `{file}`, `{hash}` |\n\
             | moves | {totals} |\n\
             | throttle | {throttle} |\n\
             | left out | {left} |\n\n\
             {price}\n\n",
            intent = asked::intent(&plan.intent),
            cluster = plan.cluster_id,
            file = self.file,
            hash = self.hash,
            totals = show::totals(plan),
            throttle = self.throttle_in_words(),
            left = match plan.left_out.len() {
                0 => "nothing".to_owned(),
                n => format!("{}: see the end", units::of(n as u64, "partition")),
            },
            price = price::sentence(plan, &plan.price()),
        );
        text.push_str(
            "Three stages, each undone by files that lie beside it:\n\n\
             1. **expand** adds the new replicas and fills them. Clients see load, nothing else. Undone for free.\n\
             2. **swap** puts the new replicas first and lets them lead. Nothing is copied. Undone for free.\n\
             3. **shrink** drops the old replicas. **This is the point of no return**: to undo it copies all again.\n\n\
             A stage that no partition needs is left out. Do not begin a stage before the last one is complete.\n\n",
        );
        if plan.pacing == Pacing::Pipelined {
            self.staged_instead(text);
        }
    }

    /// These files carry a pipelined plan out in stages: disks need more room for that.
    fn staged_instead(&self, text: &mut String) {
        text.push_str(
            "**The plan is pipelined**: `restow apply` takes each partition through its steps on its own, and begins a \
             copy only where a disk has room for it. These files do not: after stage expand every broker holds what it \
             held and all that comes in. **Begin only if each has that much room:**\n\n\
             | broker | bytes before | at the peak in stages | may hold |\n|---|---|---|---|\n",
        );
        for row in self.plan.impact.iter().filter(|row| row.peak > row.before) {
            let limit = self.plan.brokers.iter().find(|b| b.id == row.broker).and_then(|b| b.limit_bytes);
            let over = if limit.is_some_and(|limit| row.peak > limit) { " **too little**" } else { "" };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {}{over} |",
                row.broker,
                units::bytes(row.before),
                units::bytes(row.peak),
                limit.map_or_else(|| "unknown".into(), units::bytes),
            );
        }
        text.push('\n');
    }

    fn throttle_in_words(&self) -> String {
        match self.throttle {
            None => "`$THROTTLE` bytes/s per broker and direction".into(),
            Some(Throttle::None) => "none".into(),
            Some(Throttle::BytesPerSecond(rate)) => format!("{} per broker and direction", units::rate(rate)),
        }
    }

    fn files(&self, text: &mut String) {
        text.push_str(
            "## Files\n\n\
             Each `.json` has a twin `.rollback.json`: the lists before that step.\n\n\
             | file | partitions | bytes to copy | most into one broker | takes at least |\n|---|---|---|---|---|\n",
        );
        for wave in self.waves {
            let (all, most) = self.incoming(wave);
            let least = match (self.throttle, most) {
                (Some(Throttle::BytesPerSecond(rate)), most) if most > 0 => {
                    units::time(Duration::from_secs(most.div_ceil(rate)))
                }
                _ => "-".into(),
            };
            let _ = writeln!(
                text,
                "| `{}.json` | {} | {} | {} | {least} |",
                wave.name,
                units::count(wave.moves.len() as u64),
                units::bytes(all),
                units::bytes(most),
            );
        }
        text.push('\n');
    }

    /// Bytes that a wave copies: in all, and into the broker that takes most.
    fn incoming(&self, wave: &Wave) -> (u64, u64) {
        let mut into: std::collections::BTreeMap<BrokerId, u64> = std::collections::BTreeMap::new();
        if wave.step == Step::Expand {
            for at in &wave.moves {
                let m = self.plan.moves.get(*at);
                for broker in moves::added(m.from, m.to) {
                    *into.entry(broker).or_default() += m.bytes.unwrap_or(0);
                }
            }
        }
        (into.values().sum(), into.values().copied().max().unwrap_or(0))
    }

    fn before(&self, text: &mut String) {
        let _ = write!(
            text,
            "## Before you begin\n\n\
             Run all commands in this directory, with Kafka's `bin` in the path.{settings}\n\n\
             1. The cluster is the one of this plan:\n\n   {cluster}\n\n   prints `Cluster ID: {id}`.\n\
             2. Nothing else moves:\n\n   {list}\n\n   prints `No partition reassignments found.`\n\
             3. Nothing is under-replicated:\n\n   {under}\n\n   prints nothing.\n\
             4. Every broker of the plan answers:\n\n   {alive}\n\n   names {brokers}.\n\
             5. The plan still fits. Where it lies, `restow snapshot --bootstrap-server {bootstrap} -o now.json` and then\n   \
                `restow check {file} --cluster now.json --later` say `Accepted`.\n\
             6. Write down the throttles that are set now, for **the stock tool deletes them**: `--verify` and `--cancel`\n   \
                remove every replication throttle rate of every broker, `--execute --throttle` overwrites the topics' lists.\n\n   \
                {brokers_config}\n\n   {topics_config}\n\n   \
                Look for `leader.replication.throttled.*` and `follower.replication.throttled.*`. Put back what you need\n   \
                to keep when the change is over.\n\
             7. While the change runs, nobody adds partitions to the topics of this plan: between expand and shrink a new\n   \
                partition gets the expanded number of replicas.\n\n",
            settings = self.settings(),
            cluster = self.command("kafka-cluster.sh cluster-id", ""),
            id = self.plan.cluster_id,
            list = self.command("kafka-reassign-partitions.sh", "--list"),
            under = self.under_replicated(),
            alive = self.alive(),
            brokers = list::and(self.involved()),
            bootstrap = self.server(),
            file = self.file,
            brokers_config = self.command("kafka-configs.sh", "--describe --entity-type brokers"),
            topics_config = self.command("kafka-configs.sh", "--describe --entity-type topics"),
        );
    }

    fn settings(&self) -> String {
        let mut names = Vec::new();
        if self.bootstrap.is_none() {
            names.push("`BOOTSTRAP` (host:port of a broker)");
        }
        if self.throttle.is_none() {
            names.push("`THROTTLE` (bytes/s per broker and direction, a bare number: 50000000 is 50 MB/s)");
        }
        if names.is_empty() { String::new() } else { format!(" Set {} first.", list::and(names)) }
    }

    fn abort(&self, text: &mut String) {
        let _ = write!(
            text,
            "## When to stop\n\n\
             Stop, and undo the stage that runs, when one of these is seen:\n\n\
             - {min_isr} prints a partition: producers with `acks=all` fail there.\n\
             - {under} prints a partition that this change does not touch.\n\
             - A broker of the plan is down, or its disk passes the limit that you keep.\n\
             - Produce errors, or produce latency or consumer lag beyond what you accept, for longer than a leader\n  \
               election takes.\n\n\
             Do not begin another wave in the meantime. A copy that makes no progress for minutes is no reason to stop:\n\
             the throttle is too low. It has to be above what is produced to the moving partitions of a leader, times the\n\
             replicas that follow. Raise it with the same file: the `--execute` command of the wave, with `--additional`\n\
             and another `--throttle`.\n\n",
            min_isr = self.command("kafka-topics.sh", "--describe --under-min-isr-partitions"),
            under = self.under_replicated(),
        );
    }

    fn end(&self, text: &mut String) {
        let sources = self.plan.intent.sources();
        text.push_str("## At the end\n\n");
        let _ = writeln!(
            text,
            "- No throttle of this change is left: {} and\n  {} show none but those that you put back.",
            self.command("kafka-configs.sh", "--describe --entity-type brokers"),
            self.command("kafka-configs.sh", "--describe --entity-type topics"),
        );
        if !sources.is_empty() {
            let list = sources.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let _ = writeln!(
                text,
                "- Brokers {} are empty: {} lists no partition of them\n  (files go a minute after their replica: \
                 `file.delete.delay.ms`).",
                list::and(sources),
                self.command("kafka-log-dirs.sh", &format!("--describe --broker-list {list}")),
            );
        }
        for out in &self.plan.left_out {
            let _ = writeln!(
                text,
                "- Not in this plan, and still there: `{}` on {}: {}.",
                out.partition,
                list::and(&out.keeps),
                out.reason
            );
        }
        text.push('\n');
    }

    fn throttles_by_hand(&self, text: &mut String) {
        if !self.waves.iter().any(|wave| wave.step == Step::Expand) || self.throttle == Some(Throttle::None) {
            return;
        }
        text.push_str(
            "## Appendix: taking the throttles out by hand\n\n\
             Only if `--verify` must not do it, because other throttles of this cluster have to survive: pass\n\
             `--preserve-throttles` to every `--verify` and `--cancel`, and when the stage is complete run\n\n```\n",
        );
        let server = self.server();
        for topic in self.topics_that_copy() {
            let _ = writeln!(
                text,
                "kafka-configs.sh --bootstrap-server {server} --alter --entity-type topics --entity-name {topic} \
                 --delete-config leader.replication.throttled.replicas,follower.replication.throttled.replicas",
            );
        }
        for broker in self.involved() {
            let _ = writeln!(
                text,
                "kafka-configs.sh --bootstrap-server {server} --alter --entity-type brokers --entity-name {broker} \
                 --delete-config leader.replication.throttled.rate,follower.replication.throttled.rate",
            );
        }
        text.push_str("```\n");
    }

    fn topics_that_copy(&self) -> Vec<&str> {
        let copying = self.plan.moves.iter().filter(|m| m.has(Step::Expand));
        let mut topics: Vec<&str> = copying.map(|m| self.plan.topic_of(&m).name.as_str()).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// Every broker in a list of the plan.
    fn involved(&self) -> Vec<BrokerId> {
        let lists = self.plan.moves.iter().flat_map(|m| m.from.iter().chain(m.to).copied());
        lists.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    fn server(&self) -> String {
        self.bootstrap.map_or_else(|| "\"$BOOTSTRAP\"".into(), str::to_owned)
    }

    fn alive(&self) -> String {
        self.command("kafka-broker-api-versions.sh", "| grep 'id:'")
    }

    fn under_replicated(&self) -> String {
        self.command("kafka-topics.sh", "--describe --under-replicated-partitions")
    }

    fn command(&self, tool: &str, rest: &str) -> String {
        format!(
            "`{tool} --bootstrap-server {}{}{rest}`",
            self.server(),
            if rest.is_empty() { "" } else { " " }
        )
    }

    /// ` --throttle N` where the plan copies and a throttle is wanted.
    fn throttle_flag(&self) -> String {
        match self.throttle {
            None => " --throttle \"$THROTTLE\"".into(),
            Some(Throttle::None) => String::new(),
            Some(Throttle::BytesPerSecond(rate)) => format!(" --throttle {rate}"),
        }
    }

    /// What goes back over the wire if the shrink is undone: bytes of all old replicas.
    fn bytes_back(&self) -> u64 {
        let removed = |m: restow_planner::plan::Move<'_>| {
            m.bytes.unwrap_or(0) * moves::removed(m.from, m.to).len() as u64
        };
        self.plan.moves.iter().map(removed).sum()
    }

    /// Sources, where the intent has some.
    fn leaves(&self) -> String {
        match self.plan.intent.sources() {
            [] => "the old brokers".into(),
            sources => format!("brokers {}", list::and(sources)),
        }
    }

    fn wave_table(&self, wave: &Wave) -> String {
        let mut topics: std::collections::BTreeMap<&str, Vec<i32>> = std::collections::BTreeMap::new();
        for at in &wave.moves {
            let m = self.plan.moves.get(*at);
            topics.entry(self.plan.topic_of(&m).name.as_str()).or_default().push(m.partition);
        }
        let mut table = Table::new(&["topic", "partitions"]);
        for (topic, partitions) in topics {
            table.row([topic.to_owned(), list::ranges(&partitions)]);
        }
        table.render(0)
    }
}
