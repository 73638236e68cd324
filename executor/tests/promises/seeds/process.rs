//! Our processes, and how they die.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use restow_executor::drive::Orders;
use restow_executor::events::{Event, Watch};
use restow_executor::journal::{Backing, Gate, Goal, Journal, Record, fold};
use restow_executor::run::{Env, Report, RunError, Stop, Task, work};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use super::super::lab;
use super::audit::Audit;
use super::dice::Dice;
use super::scene::Scene;

/// Where a process is killed, counted in times that it appends to its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Before the nth record is written.
    Before(u64),
    /// When it is durable, and before anything is sent.
    After(u64),
    /// This long after it is durable: in the middle of the request, or of its answer.
    During(u64, Duration),
    /// Not at all.
    Never,
}

#[derive(Debug, Default)]
struct Bytes {
    all: Vec<u8>,
    durable: usize,
    appends: u64,
    death: Option<Death>,
    deadline: Option<Instant>,
}

/// A journal in memory whose every record is judged, which kills its process, and loses what was not synced.
#[derive(Debug, Clone)]
pub struct Disk {
    host: usize,
    bytes: Rc<RefCell<Bytes>>,
    audit: Rc<RefCell<Audit>>,
    dying: Rc<Notify>,
}

impl Disk {
    pub fn new(host: usize, audit: Rc<RefCell<Audit>>) -> Self {
        Disk { host, bytes: Rc::default(), audit, dying: Rc::default() }
    }

    /// What a machine without power forgets: all that was not synced, or only its end.
    pub fn crash(&self, dice: &mut Dice) {
        let mut bytes = self.bytes.borrow_mut();
        let unsynced = (bytes.all.len() - bytes.durable) as u64;
        let kept = bytes.durable + dice.range(0, unsynced) as usize;
        bytes.all.truncate(kept);
        bytes.durable = kept;
        drop(bytes);
        let (_, records) = Journal::open(Box::new(self.clone())).expect("a torn end at most");
        self.audit.borrow_mut().forget(self.host, &records);
    }

    /// How often something was appended.
    pub fn appends(&self) -> u64 {
        self.bytes.borrow().appends
    }

    fn arm(&self, death: Death) {
        let mut bytes = self.bytes.borrow_mut();
        (bytes.appends, bytes.death, bytes.deadline) = (0, Some(death), None);
    }

    /// Returns when the process has to die.
    async fn death(&self) {
        loop {
            let deadline = self.bytes.borrow().deadline;
            match deadline {
                Some(deadline) => return tokio::time::sleep_until(deadline).await,
                None => self.dying.notified().await,
            }
        }
    }
}

fn killed() -> io::Error {
    io::Error::other("killed")
}

impl Backing for Disk {
    fn name(&self) -> String {
        "in memory".into()
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.bytes.borrow().all.clone())
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut bytes = self.bytes.borrow_mut();
        bytes.appends += 1;
        if bytes.death == Some(Death::Before(bytes.appends)) {
            return Err(killed());
        }
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let record: Record = serde_json::from_slice(&line[9..]).expect("a record");
            self.audit.borrow_mut().record(self.host, &record);
        }
        bytes.all.extend_from_slice(lines);
        if let Some(Death::During(at, time)) = bytes.death
            && at == bytes.appends
        {
            bytes.deadline = Some(Instant::now() + time);
            self.dying.notify_one();
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut bytes = self.bytes.borrow_mut();
        bytes.durable = bytes.all.len();
        if bytes.death == Some(Death::After(bytes.appends)) { Err(killed()) } else { Ok(()) }
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        let mut bytes = self.bytes.borrow_mut();
        bytes.all.truncate(len as usize);
        bytes.durable = bytes.all.len();
        Ok(())
    }
}

/// The hosts and the judge.
pub struct Stage {
    pub audit: Rc<RefCell<Audit>>,
    pub disks: Vec<Disk>,
    pub began: Instant,
    /// Moves that a person sets aside, as positions in the plan.
    pub aside: RefCell<Vec<u32>>,
    pub processes: RefCell<u64>,
    pub deaths: RefCell<u64>,
}

struct Teller<'a>(&'a Rc<RefCell<Audit>>);

impl Watch for Teller<'_> {
    fn event(&mut self, event: &Event) {
        if !matches!(event, Event::Progress(_)) {
            self.0.borrow().say(|| format!("  {event:?}"));
        }
    }
}

impl Stage {
    pub fn new(scene: &Scene, aloud: bool) -> Self {
        let audit = Rc::new(RefCell::new(Audit::new(scene, aloud)));
        let disks = (0..scene.hosts).map(|host| Disk::new(host, audit.clone())).collect();
        let (aside, processes, deaths) = Default::default();
        Stage { audit, disks, began: Instant::now(), aside, processes, deaths }
    }

    /// One process from its start to its end; none if it was killed or could not reach the cluster.
    pub async fn process(
        &self,
        scene: &Scene,
        host: usize,
        goal: Goal,
        approve: &[Gate],
        death: Death,
        stop: watch::Receiver<Stop>,
    ) -> Option<Report> {
        let number = self.processes.replace_with(|n| *n + 1);
        let name = format!("host-{host}.{number}");
        let disk = &self.disks[host];
        self.audit.borrow().say(|| format!("{name} starts: {goal:?} {approve:?} {death:?}"));
        disk.arm(death);
        let began = self.began;
        let wall = move || 1_700_000_000_000 + began.elapsed().as_millis() as u64;
        let mut teller = Teller(&self.audit);
        let life = async {
            let client = lab::connect(&scene.sim, &name).await?;
            let (mut journal, records) = Journal::open(Box::new(disk.clone())).expect("a sound journal");
            let mut memory = fold(&records);
            let mut env = Env {
                wall: &wall,
                stop,
                orders: &Orders::default,
                watch: &mut teller,
                host: format!("host-{host}"),
                pid: number as u32,
            };
            let aside = self.aside.borrow().clone();
            let task = Task { aside, ..lab::task(goal, approve, &scene.pace) };
            work(&client, &scene.plan, &task, &mut journal, &mut memory, &mut env).await
        };
        let ended = tokio::select! {
            biased;
            () = disk.death() => None,
            ended = life => Some(ended),
        };
        self.audit.borrow_mut().see();
        match ended {
            Some(Ok(report)) => {
                self.audit.borrow().say(|| format!("{name} ends: {:?} {:?}", report.outcome, report.holds));
                Some(report)
            }
            // A pipelined run begins with its approval only.
            Some(Err(RunError::Client(_) | RunError::NotApproved)) => None,
            Some(Err(RunError::Journal(_))) | None => {
                *self.deaths.borrow_mut() += 1;
                None
            }
            Some(Err(error)) => panic!("{name}: {error}"),
        }
    }
}

/// Where the next process dies.
fn death(dice: &mut Dice) -> Death {
    let at = if dice.percent(50) { dice.range(1, 12) } else { dice.range(1, 60) };
    match dice.range(0, 9) {
        0..=1 => Death::Before(at),
        2..=3 => Death::After(at),
        4..=6 => Death::During(at, Duration::from_micros(dice.range(0, 4_000))),
        _ => Death::Never,
    }
}

/// One process after the other on a host, until trouble ends; the last is killed then.
pub async fn shifts(scene: &Scene, stage: &Stage, host: usize, mut dice: Dice, until: Duration) {
    loop {
        let left = until.saturating_sub(scene.sim.clock());
        let pause =
            Duration::from_millis(if dice.percent(50) { dice.range(0, 500) } else { dice.range(0, 20_000) });
        if left <= pause {
            return;
        }
        sleep(pause).await;
        // Hosts want mostly the same, and change their mind together.
        let slice = stage.began.elapsed().as_secs() / 45;
        let back = Dice::new(slice ^ scene.plan.moves.len() as u64).percent(30) != dice.percent(7);
        let goal = if back { Goal::Back } else { Goal::Forward };
        let gates: &[Gate] = match dice.range(0, 3) {
            0 => &[],
            1 => &[Gate::Swap],
            _ => &[Gate::Swap, Gate::Shrink],
        };
        let (to, stop) = watch::channel(Stop::No);
        let stopped = dice.percent(15).then(|| Duration::from_millis(dice.range(0, 30_000)));
        let process = stage.process(scene, host, goal, gates, death(&mut dice), stop);
        let person = async {
            match stopped {
                Some(time) => sleep(time).await,
                None => std::future::pending().await,
            }
            to.send_replace(Stop::Quiesce);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = sleep(until.saturating_sub(scene.sim.clock())) => {}
            () = person => {}
            _ = process => {}
        }
        stage.disks[host].crash(&mut dice);
        stage.audit.borrow_mut().see();
    }
}
