//! Embeds the executor: carries a plan out up to its first gate, and prints what happens.
//!
//! ```text
//! cargo run -p restow-executor --example embed -- plan.json localhost:9092
//! ```

use std::error::Error;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use restow_client::{Client, Options, Tcp};
use restow_executor::drive::{Orders, Pace};
use restow_executor::events::{Event, Watch};
use restow_executor::journal::{FileBacking, Goal, Journal, fold};
use restow_executor::run::{Env, Stop, Task, work};
use restow_planner::file;

/// Prints every event but progress.
struct Printer;

impl Watch for Printer {
    fn event(&mut self, event: &Event) {
        if !matches!(event, Event::Progress(_)) {
            println!("{event:?}");
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(server)) = (args.next(), args.next()) else {
        return Err("usage: embed PLAN HOST:PORT".into());
    };
    let (plan, hash) = file::plan::read(File::open(&path)?, &path)?;
    let client = Client::bootstrap(Arc::new(Tcp), &[server], Options::default()).await?;

    // The journal is the run's memory: open the same file again and the run goes on.
    let backing = FileBacking::open(format!("{path}.journal").as_ref())?;
    let (mut journal, records) = Journal::open(Box::new(backing))?;
    let mut memory = fold(&records);

    let pace = Pace { throttle: Some(50_000_000), poll: Duration::from_secs(2), ..Pace::default() };
    let task = Task::new(Goal::Forward, &hash, &path, pace);
    // Send `Stop::Quiesce` through the other end to stop cleanly.
    let (_to, stop) = tokio::sync::watch::channel(Stop::No);
    let mut env = Env {
        wall: &wall,
        stop,
        orders: &Orders::default,
        watch: &mut Printer,
        host: "example".into(),
        pid: std::process::id(),
    };
    let report = work(&client, &plan, &task, &mut journal, &mut memory, &mut env).await?;
    println!("{:?}", report.outcome);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "wall time is handed in by whoever embeds the executor")]
fn wall() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
