//! `restow sweep`: throttles and in-flight moves that nothing is behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use restow_client::read::Resource;
use restow_client::{Client, snapshot};
use restow_executor::drive::{Orders, Pace};
use restow_executor::journal::{FileBacking, Goal, Journal, Memory, fold};
use restow_executor::run::{Outlook, Task};
use restow_planner::model::{Cluster, TopicPartition};
use restow_planner::plan::{Certificate, Intent, Moves, Pacing, Plan};

use super::apply::{exit, work};
use super::session::{self, Session};
use crate::args::{Format, Sweep};
use crate::connect;
use crate::error::{Error, Exit};

/// Runs the verb.
pub async fn run(args: &Sweep, format: Format) -> Result<Exit, Error> {
    let client = connect::client(&args.bootstrap).await?;
    let state = session::state(client.cluster_id())?;
    let journals = match &args.journal {
        Some(path) => vec![path.clone()],
        None => state.journals().map_err(|e| Error::internal(format!("the state directory: {e}")))?,
    };
    let mut swept: Vec<(PathBuf, Memory)> = Vec::new();
    for path in journals.iter().filter(|path| args.journal.is_some() || path.exists()) {
        let memory = fold(&Journal::read(path).map_err(|error| Error::usage(error.to_string()))?);
        let is_here = memory.last.as_ref().is_some_and(|opened| opened.cluster == client.cluster_id());
        if args.journal.is_some() && !is_here {
            return Err(Error::refused(format!("{} is the journal of another cluster", path.display())));
        }
        if is_here && (memory.is_unfinished() || memory.has_left()) {
            swept.push((path.clone(), memory));
        }
    }
    let taken = snapshot::take(&client, &snapshot::SnapshotOptions::default(), &mut |_| {}).await?;
    let plans: Vec<Plan> = swept.iter().map(|(_, memory)| plan_of(args, memory, &client)).collect();
    list(&taken.cluster, &swept, &plans);
    if swept.is_empty() {
        println!("no unfinished journal: nothing here is proved to be ours, and nothing is removed");
        return Ok(Exit::Done);
    }
    if !session::confirm(args.yes, "Remove what is ours?")? {
        println!("nothing was changed");
        return Ok(Exit::Waiting);
    }
    let mut worst = Exit::Done;
    for ((path, _), plan) in swept.iter().zip(&plans) {
        worst = worst.or(sweep(&client, path, plan, format).await?);
    }
    Ok(worst)
}

/// The plan of a journal; without it moves are listed and not cancelled, and only configs are restored.
fn plan_of(args: &Sweep, memory: &Memory, client: &Client) -> Plan {
    let opened = memory.last.as_ref();
    let hash = opened.map(|opened| opened.plan_hash.as_str()).unwrap_or_default();
    let path = args.plan.clone().or_else(|| opened.map(|opened| PathBuf::from(&opened.plan_path)));
    let found =
        path.as_deref().and_then(|path| super::read_plan(path).ok()).filter(|(_, found)| found == hash);
    found.map_or_else(|| nothing(client.cluster_id()), |(plan, _)| plan)
}

fn nothing(cluster: &str) -> Plan {
    Plan {
        cluster_id: cluster.to_owned(),
        intent: Intent::Return { plan: String::new() },
        pacing: Pacing::Staged,
        seed: 0,
        brokers: vec![],
        rules: vec![],
        no_worse: vec![],
        accepted_differences: vec![],
        given_up: vec![],
        left_out: vec![],
        topics: vec![],
        moves: Moves::default(),
        impact: vec![],
        certificate: Certificate::default(),
    }
}

async fn sweep(client: &Client, path: &Path, plan: &Plan, format: Format) -> Result<Exit, Error> {
    let mut session = open(client.cluster_id(), path)?;
    let opened = session.memory.last.clone();
    let task = Task {
        goal: Goal::Quiesce,
        plan_hash: opened.as_ref().map(|opened| opened.plan_hash.clone()).unwrap_or_default(),
        plan_path: opened.map(|opened| opened.plan_path).unwrap_or_default(),
        approve: vec![],
        accept: vec![],
        give_up: vec![],
        aside: vec![],
        pace: Pace { cancels: true, ..Pace::default() },
        outlook: Outlook::default(),
    };
    let report = work(client, plan, &task, &mut session, &Orders::default, format).await?;
    for partition in &report.flying {
        println!("{partition}: still in flight, ours");
    }
    for left in &report.left {
        println!("left: {left}");
    }
    if report.left.is_empty() && report.flying.is_empty() {
        println!("{}: nothing of it is left", path.display());
    }
    Ok(match exit(&report) {
        Exit::Waiting if report.flying.is_empty() => Exit::Done,
        other => other,
    })
}

fn open(cluster: &str, path: &Path) -> Result<Session, Error> {
    let state = session::state(cluster)?;
    let lock = session::lock(&state)?;
    let backing = FileBacking::open(path).map_err(|error| Error::refused(error.to_string()))?;
    let (journal, records) =
        Journal::open(Box::new(backing)).map_err(|error| Error::refused(error.to_string()))?;
    Ok(Session::new(journal, fold(&records), lock))
}

/// Everything that throttles or moves, with its owner.
fn list(cluster: &Cluster, swept: &[(PathBuf, Memory)], plans: &[Plan]) {
    let owner = |resource: &Resource, key: &str| {
        let is_ours = |(_, memory): &&(PathBuf, Memory)| {
            memory.priors.keys().any(|prior| prior.resource == *resource && prior.key == key)
        };
        swept
            .iter()
            .find(is_ours)
            .map_or("owner unknown".into(), |(path, _)| format!("ours: {}", path.display()))
    };
    let mut found = 0;
    for broker in &cluster.brokers {
        for rate in &broker.rates {
            let owner = owner(&Resource::Broker(broker.id), &rate.key);
            println!("broker {}: {}={} ({owner})", broker.id, rate.key, rate.value);
            found += 1;
        }
    }
    for topic in &cluster.topics {
        let lists = [
            (restow_executor::drive::LEADER_LIST, &topic.throttled_leaders),
            (restow_executor::drive::FOLLOWER_LIST, &topic.throttled_followers),
        ];
        for (key, list) in lists {
            let Some(list) = list else { continue };
            println!(
                "topic {}: {key}={list:?} ({})",
                topic.name,
                owner(&Resource::Topic(topic.name.clone()), key)
            );
            found += 1;
        }
    }
    let asked: BTreeSet<TopicPartition> = (swept.iter().zip(plans))
        .flat_map(|((_, memory), plan)| {
            let known = memory.asked.keys().filter(|at| (**at as usize) < plan.moves.len());
            known.map(|at| plan.partition_of(&plan.moves.get(*at as usize))).collect::<Vec<_>>()
        })
        .collect();
    for (index, moving) in &cluster.in_flight {
        let partition = cluster.name_of(*index);
        let owner = if asked.contains(&partition) { "ours" } else { "owner unknown: never cancelled here" };
        println!(
            "{partition}: in flight, adding {:?}, removing {:?} ({owner})",
            ids(&moving.adding),
            ids(&moving.removing)
        );
        found += 1;
    }
    if found == 0 {
        println!("no throttle is set and nothing is in flight");
    }
}

fn ids(list: &[restow_planner::model::BrokerId]) -> Vec<i32> {
    list.iter().map(|id| id.0).collect()
}
