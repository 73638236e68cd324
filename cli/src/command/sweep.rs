//! `restow sweep`: throttles and in-flight moves that nothing is behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use restow_client::read::Resource;
use restow_client::{Client, snapshot};
use restow_executor::drive::{FOLLOWER_LIST, LEADER_LIST, Orders, Pace};
use restow_executor::journal::{ConfigKey, FileBacking, Goal, Journal, Memory, fold};
use restow_executor::run::{Task, permitted, permitted_on};
use restow_planner::model::replicas::show;
use restow_planner::model::{BrokerId, Cluster, TopicPartition};
use restow_planner::plan::Plan;
use serde::Serialize;

use super::apply::{exit, work};
use super::session::{self, Session, run_error};
use crate::args::{Format, Sweep};
use crate::connect;
use crate::error::{Error, Exit};
use crate::render::{self, json};

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
    let found = find(&taken.cluster, &swept, &plans);
    tell(&found, format)?;
    if !args.remove.is_empty() {
        let claims = claims(&args.remove, &found)?;
        if !session::confirm(args.yes, "Remove what --remove names?")? {
            eprintln!("nothing was changed");
            return Ok(Exit::Waiting);
        }
        let topics = args.remove.iter().filter_map(|key| match &key.resource {
            Resource::Topic(name) => Some(name.clone()),
            _ => None,
        });
        permitted_on(&client, &topics.collect::<Vec<_>>()).await.map_err(run_error)?;
        let path = state.own_journal();
        state.remember(&path).map_err(|e| Error::file(&path, "remember", &e))?;
        return sweep(&client, args, &path, &Plan::empty(client.cluster_id()), claims, format).await;
    }
    if swept.is_empty() {
        if format == Format::Text {
            println!("no unfinished journal: nothing here is proved to be ours, and nothing is removed");
        }
        return Ok(Exit::Done);
    }
    if !session::confirm(args.yes, "Remove what is ours?")? {
        eprintln!("nothing was changed");
        return Ok(Exit::Waiting);
    }
    for plan in &plans {
        permitted(&client, plan).await.map_err(run_error)?;
    }
    let mut worst = Exit::Done;
    for ((path, _), plan) in swept.iter().zip(&plans) {
        worst = worst.or(sweep(&client, args, path, plan, vec![], format).await?);
    }
    Ok(worst)
}

fn tell(found: &[Found], format: Format) -> Result<(), Error> {
    match format {
        Format::Text => {
            found.iter().for_each(|found| println!("{found}"));
            if found.is_empty() {
                println!("no throttle is set and nothing is in flight");
            }
            Ok(())
        }
        Format::Json => render::print(&json::line(&serde_json::json!({ "event": "found", "found": found }))),
    }
}

/// The plan of a journal; without it moves are listed and not cancelled, and only configs are restored.
fn plan_of(args: &Sweep, memory: &Memory, client: &Client) -> Plan {
    let opened = memory.last.as_ref();
    let hash = opened.map(|opened| opened.plan_hash.as_str()).unwrap_or_default();
    let path = args.plan.clone().or_else(|| opened.map(|opened| PathBuf::from(&opened.plan_path)));
    let found =
        path.as_deref().and_then(|path| super::read_plan(path).ok()).filter(|(_, found)| found == hash);
    found.map_or_else(|| Plan::empty(client.cluster_id()), |(plan, _)| plan)
}

async fn sweep(
    client: &Client,
    args: &Sweep,
    path: &Path,
    plan: &Plan,
    claim: Vec<(ConfigKey, String)>,
    format: Format,
) -> Result<Exit, Error> {
    let mut session = open(client.cluster_id(), path)?.audited(&args.audit)?;
    let opened = session.memory.last.clone();
    let (hash, planned) = opened.map(|opened| (opened.plan_hash, opened.plan_path)).unwrap_or_default();
    let pace = Pace { cancels: true, ..Pace::default() };
    let task = Task { claim, ..Task::new(Goal::Quiesce, &hash, &planned, pace) };
    let report = work(client, plan, &task, &mut session, &Orders::default, format).await?;
    match format {
        Format::Json => render::print(&json::line(&serde_json::json!({
            "event": "swept",
            "journal": path.display().to_string(),
            "in_flight": report.flying.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "left": report.left,
        })))?,
        Format::Text => {
            report.flying.iter().for_each(|partition| println!("{partition}: still in flight, ours"));
            report.left.iter().for_each(|left| println!("left: {left}"));
            if report.left.is_empty() && report.flying.is_empty() {
                println!("{}: nothing of it is left", path.display());
            }
        }
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

/// Something that throttles or moves.
#[derive(Debug, Serialize)]
#[serde(tag = "found", rename_all = "kebab-case")]
enum Found {
    /// A throttle rate, or a list of throttled replicas.
    Throttle {
        #[serde(skip)]
        key: ConfigKey,
        config: String,
        value: String,
        /// The journal that explains it.
        owner: Option<String>,
        /// Entries of a list that the journal does not explain; they stay.
        others: Vec<String>,
    },
    /// A reassignment in flight.
    Move { partition: String, adding: Vec<BrokerId>, removing: Vec<BrokerId>, ours: bool },
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Found::Throttle { config, value, owner, others, .. } => {
                let owner = owner.as_ref().map_or("owner unknown".into(), |path| format!("ours: {path}"));
                write!(f, "{config}={value} ({owner}")?;
                let others =
                    if others.is_empty() { "" } else { &format!("; owner unknown: {}", others.join(",")) };
                write!(f, "{others})")
            }
            Found::Move { partition, adding, removing, ours } => {
                let owner = if *ours { "ours" } else { "owner unknown: never cancelled here" };
                let (adding, removing) = (show(adding), show(removing));
                write!(f, "{partition}: in flight, adding {adding}, removing {removing} ({owner})")
            }
        }
    }
}

/// Everything that throttles or moves, with its owner.
fn find(cluster: &Cluster, swept: &[(PathBuf, Memory)], plans: &[Plan]) -> Vec<Found> {
    let throttle = |resource: Resource, key: &str, value: &str| {
        let key = ConfigKey { resource, key: key.to_owned() };
        let ours = swept.iter().find(|(_, memory)| memory.priors.contains_key(&key));
        let owner = ours.map(|(path, _)| path.display().to_string());
        let entries = ours.and_then(|(_, memory)| memory.entries.get(&key));
        let others = entries.map_or(vec![], |ours| {
            let others = value.split(',').map(str::trim).filter(|entry| !ours.contains(*entry));
            others.map(str::to_owned).collect()
        });
        Found::Throttle { config: key.to_string(), key, value: value.to_owned(), owner, others }
    };
    let mut found = Vec::new();
    for broker in &cluster.brokers {
        let rates = broker.rates.iter();
        found.extend(rates.map(|rate| throttle(Resource::Broker(broker.id), &rate.key, &rate.value)));
    }
    for topic in &cluster.topics {
        let lists = [(LEADER_LIST, &topic.throttled_leaders), (FOLLOWER_LIST, &topic.throttled_followers)];
        for (key, list) in lists {
            let resource = || Resource::Topic(topic.name.clone());
            found.extend(list.iter().map(|list| throttle(resource(), key, list)));
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
        found.push(Found::Move {
            ours: asked.contains(&partition),
            partition: partition.to_string(),
            adding: moving.adding.clone(),
            removing: moving.removing.clone(),
        });
    }
    found
}

/// The values of the throttles that `--remove` names: set, and explained by no journal.
fn claims(wanted: &[ConfigKey], found: &[Found]) -> Result<Vec<(ConfigKey, String)>, Error> {
    let mut claims = Vec::new();
    for wanted in wanted {
        let set = found.iter().find_map(|found| match found {
            Found::Throttle { key, value, owner, .. } if key == wanted => Some((value, owner)),
            _ => None,
        });
        match set {
            None => return Err(Error::usage(format!("--remove: {wanted} is not set"))),
            Some((_, Some(owner))) => {
                let why = format!("--remove: {wanted} is not of unknown owner: {owner} explains it");
                return Err(
                    Error::refused(why).hint("`restow sweep` without --remove restores what was there")
                );
            }
            Some((value, None)) if value.trim() == "*" => {
                let why = format!("--remove: {wanted} is *, which was set for all replicas on purpose");
                return Err(Error::refused(why).hint("remove it with kafka-configs"));
            }
            Some((value, None)) => claims.push((wanted.clone(), value.clone())),
        }
    }
    Ok(claims)
}
