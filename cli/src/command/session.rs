//! What a verb that runs a plan needs: plan, cluster, lock, journal, signals.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use restow_client::Client;
use restow_executor::journal::{FileBacking, Journal, Lock, Memory, State, fold};
use restow_executor::run::Stop;
use restow_planner::plan::Plan;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::args::Audit;
use crate::error::{Error, Exit};
use crate::render::audit::Log;

/// An open journal with the lock that guards it.
#[derive(Debug)]
pub struct Session {
    /// The journal.
    pub journal: Journal,
    /// What stands in it.
    pub memory: Memory,
    /// Where else each change is written down.
    pub audit: Option<Log>,
    _lock: Lock,
}

impl Session {
    /// A journal that is open under this lock.
    pub fn new(journal: Journal, memory: Memory, lock: Lock) -> Self {
        Session { journal, memory, audit: None, _lock: lock }
    }

    /// The same, with an audit log.
    pub fn audited(mut self, args: &Audit) -> Result<Self, Error> {
        self.audit = args.audit_log.as_deref().map(Log::open).transpose()?;
        Ok(self)
    }
}

/// This machine's name.
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = std::env::var("HOSTNAME").unwrap_or(name);
    if name.trim().is_empty() { "unknown".into() } else { name.trim().into() }
}

/// Wall time in milliseconds since 1970.
pub fn wall() -> u64 {
    let since = crate::clock::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// `$XDG_STATE_HOME`, else `~/.local/state`.
fn state_home() -> PathBuf {
    let given = std::env::var_os("XDG_STATE_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    given.unwrap_or_else(|| {
        let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        home.join(".local/state")
    })
}

/// The state directory of a cluster.
pub fn state(cluster: &str) -> Result<State, Error> {
    let home = state_home();
    State::open(&home, cluster).map_err(|error| Error::file(&home, "use as the state directory", &error))
}

/// Takes the lock of a cluster.
pub fn lock(state: &State) -> Result<Lock, Error> {
    let home = state_home();
    match state.lock(&host(), std::process::id()) {
        Ok(Ok(lock)) => Ok(lock),
        Ok(Err(who)) => Err(Error::refused(format!("another restow works on this cluster: {who}"))
            .hint("wait for it to end, or stop it with Ctrl-C: it then says where it stands")),
        Err(error) => Err(Error::file(&home, "lock", &error)),
    }
}

/// Opens the journal of a plan under the cluster's lock.
///
/// Refused while another process holds the lock, while the journal is another plan's, or while a journal of
/// another plan on this cluster is unfinished on this host.
pub fn open(plan: &Plan, hash: &str, path: &Path, audit: &Audit) -> Result<Session, Error> {
    let state = state(&plan.cluster_id)?;
    let held = lock(&state)?;
    let failed = |error: &std::io::Error| Error::file(path, "use as journal", error);
    for other in state.journals().map_err(|e| failed(&e))? {
        let is_same = std::path::absolute(path).is_ok_and(|path| path == other);
        if is_same || !other.exists() {
            continue;
        }
        let memory = fold(&Journal::read(&other).map_err(|error| Error::refused(error.to_string()))?);
        if let Some(opened) = memory.last.filter(|opened| memory.closed.is_none() && opened.plan_hash != hash)
        {
            return Err(Error::refused(format!(
                "the run of another plan on this cluster is unfinished: {} (journal {})",
                opened.plan_path,
                other.display()
            ))
            .hint(format!(
                "finish it with `restow apply {0}`, or take it back with `restow rollback {0}`",
                opened.plan_path
            ))
            .hint("`restow sweep` removes what it left, if it is given up"));
        }
    }
    let backing = FileBacking::open(path).map_err(|error| Error::refused(error.to_string()))?;
    let (journal, records) =
        Journal::open(Box::new(backing)).map_err(|error| Error::refused(error.to_string()))?;
    let memory = fold(&records);
    belongs(&memory, hash, path)?;
    state.remember(path).map_err(|e| failed(&e))?;
    Session::new(journal, memory, held).audited(audit)
}

/// What stands in the journal of a plan, without the lock.
pub fn memory(hash: &str, path: &Path) -> Result<Memory, Error> {
    if !path.exists() {
        return Ok(Memory::default());
    }
    let memory = fold(&Journal::read(path).map_err(|error| Error::refused(error.to_string()))?);
    belongs(&memory, hash, path)?;
    Ok(memory)
}

fn belongs(memory: &Memory, hash: &str, path: &Path) -> Result<(), Error> {
    match &memory.last {
        Some(opened) if opened.plan_hash != hash => Err(Error::refused(format!(
            "{} is the journal of another plan ({}, {}), not of {hash}",
            path.display(),
            opened.plan_path,
            opened.plan_hash
        ))
        .hint("name another journal with --journal")),
        _ => Ok(()),
    }
}

/// Asks a person, on the terminal. Without `--yes` and without a terminal it is a usage error.
pub fn confirm(yes: bool, question: &str) -> Result<bool, Error> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::usage("no terminal to ask on, and no --yes: nothing was changed")
            .hint("read what would be done above, then say --yes"));
    }
    eprint!("{question} [y/N] ");
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    Ok(read.is_ok() && matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Turns Ctrl-C, SIGTERM and SIGHUP into a clean stop; the second one into leaving at once.
pub fn signals() -> Result<watch::Receiver<Stop>, Error> {
    let (to, stop) = watch::channel(Stop::No);
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signal =
            signal(kind).map_err(|error| Error::internal(format!("cannot listen for signals: {error}")))?;
        let to = to.clone();
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                to.send_modify(|stop| *stop = if *stop == Stop::No { Stop::Quiesce } else { Stop::Now });
            }
        });
    }
    // The sender lives in the tasks above, as long as the process.
    Ok(stop)
}

/// The error of a run, with its exit code.
pub fn run_error(error: restow_executor::run::RunError) -> Error {
    use restow_executor::run::RunError;
    match error {
        RunError::Client(error) => error.into(),
        RunError::Journal(error) => Error::internal(error.to_string()),
        missing @ RunError::NotAllowed { .. } => Error::new(Exit::Unreachable, missing.to_string())
            .hint("`restow acls --for apply` prints every line that is needed"),
        other => Error::refused(other.to_string()),
    }
}

/// The cluster that the plan names, or a refusal.
pub fn belongs_to(client: &Client, plan: &Plan) -> Result<(), Error> {
    if client.cluster_id() == plan.cluster_id {
        return Ok(());
    }
    Err(Error::refused(format!(
        "the plan is for cluster {}, and {} answered: nothing was changed",
        plan.cluster_id,
        client.cluster_id()
    ))
    .hint("is --bootstrap-server the right one?"))
}
