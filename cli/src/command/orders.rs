//! What a person asks of a running `apply`: files beside the plan and what `--hold-…` names, looked at in every
//! tick of the run.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use restow_executor::drive::Orders;
use tokio::process::Command;
use tokio::sync::watch;

use crate::args::{Holds, Until, beside, throttle};
use crate::clock;
use crate::error::Error;

/// Time between two runs of the hold command.
const PAUSE: Duration = Duration::from_secs(5);
/// A hold command that takes longer holds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where orders come from.
#[derive(Debug)]
pub struct Inbox {
    pause: PathBuf,
    throttle: PathBuf,
    hold_files: Vec<PathBuf>,
    command: Option<watch::Receiver<Option<String>>>,
}

/// The file whose presence pauses the runs of a plan.
pub fn pause_file(plan: &Path) -> PathBuf {
    beside(plan, "pause")
}

/// The file that holds the throttle of a running apply.
pub fn throttle_file(plan: &Path) -> PathBuf {
    beside(plan, "throttle")
}

impl Inbox {
    /// Opens it, under the cluster's lock: a throttle that was meant for an earlier process is dropped. A hold
    /// command has run once when this returns, so that there is no moment without its word.
    pub async fn open(plan: &Path, holds: &Holds) -> Inbox {
        let throttle = throttle_file(plan);
        let _ = std::fs::remove_file(&throttle);
        let command = match &holds.hold_command {
            Some(command) => Some(follow(command.clone()).await),
            None => None,
        };
        Inbox { pause: pause_file(plan), throttle, hold_files: holds.hold_file.clone(), command }
    }

    /// What is asked now.
    pub fn read(&self) -> Orders {
        let reason = |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().next().unwrap_or_default().trim().to_owned();
            if line.is_empty() { String::new() } else { format!(": {line}") }
        };
        let paused =
            self.pause.exists().then(|| format!("paused by {}{}", self.pause.display(), reason(&self.pause)));
        let held = self.hold_files.iter().filter(|path| path.exists());
        let mut external: Vec<String> =
            held.map(|path| format!("the hold file {} exists{}", path.display(), reason(path))).collect();
        external.extend(self.command.as_ref().and_then(|told| told.borrow().clone()));
        // A file that is written in another way than by `restow throttle` and makes no sense changes nothing.
        let typed = std::fs::read_to_string(&self.throttle).ok();
        let rate = typed.and_then(|text| throttle(text.trim()).ok()).map(|throttle| throttle.rate());
        Orders { paused, external, throttle: rate }
    }
}

/// Runs a hold command again and again, as long as somebody listens.
async fn follow(command: String) -> watch::Receiver<Option<String>> {
    let (to, told) = watch::channel(ask(&command).await);
    tokio::spawn(async move {
        while !to.is_closed() {
            tokio::time::sleep(PAUSE).await;
            to.send_replace(ask(&command).await);
        }
    });
    told
}

/// Why the command holds; `None` if it exits with 0.
async fn ask(command: &str) -> Option<String> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).kill_on_drop(true);
    let name = format!("the hold command {command:?}");
    match tokio::time::timeout(PATIENCE, shell.output()).await {
        Ok(Ok(done)) if done.status.success() => None,
        Ok(Ok(done)) => {
            let said = String::from_utf8_lossy(&done.stdout);
            let said = said.lines().last().map(|line| format!(": {}", line.trim())).unwrap_or_default();
            Some(format!("{name} ended with {}{said}", done.status))
        }
        Ok(Err(error)) => Some(format!("{name} cannot be run: {error}")),
        Err(_) => Some(format!("{name} did not end in {} s", PATIENCE.as_secs())),
    }
}

/// The moment of `--until`, in milliseconds since 1970: the next time that clocks show it.
pub fn moment(until: Until, now: SystemTime) -> Result<u64, Error> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (minutes, offset) = match until {
        Until::In(time) => return Ok((since + time).as_millis() as u64),
        Until::At(minutes, Some(offset)) => (minutes, offset),
        Until::At(minutes, None) => (minutes, local_offset()?),
    };
    const DAY: i64 = 86_400;
    let now = since.as_secs() as i64;
    let wanted = (i64::from(minutes) - i64::from(offset)) * 60;
    let ahead = (wanted - now).rem_euclid(DAY);
    Ok(((now + ahead) as u64) * 1000)
}

/// Minutes east of UTC, as the machine's `date` tells.
fn local_offset() -> Result<i32, Error> {
    let told = std::process::Command::new("date").arg("+%z").output().ok();
    let text = told.and_then(|told| String::from_utf8(told.stdout).ok()).unwrap_or_default();
    offset(text.trim()).ok_or_else(|| {
        Error::usage("the machine's `date +%z` does not tell its offset from UTC")
            .hint("say --until with an offset, as in 06:00Z or 06:00+02:00")
    })
}

/// `+0230` in minutes.
fn offset(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).filter(|digits| digits.len() == 4)?;
    let number: i32 = digits.parse().ok()?;
    let minutes = number / 100 * 60 + number % 100;
    Some(if text.starts_with('-') { -minutes } else { minutes })
}

/// `--until` as it is shown: with the moment in UTC.
pub fn show(moment: u64) -> String {
    clock::rfc3339(SystemTime::UNIX_EPOCH + Duration::from_millis(moment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_hour_is_the_next_one() {
        const DAY: u64 = 86_400;
        let next = |minutes, offset, now| moment(Until::At(minutes, Some(offset)), at(now)).unwrap() / 1000;
        assert_eq!(next(360, 0, 20_000 * DAY), 20_000 * DAY + 21_600);
        assert_eq!(next(360, 0, 20_000 * DAY + 21_601), 20_001 * DAY + 21_600, "tomorrow");
        assert_eq!(next(360, 120, 20_000 * DAY), 20_000 * DAY + 14_400, "two hours east");
        assert_eq!(next(0, 60, 20_000 * DAY), 20_000 * DAY + 82_800, "midnight there is 23:00 UTC");
        assert_eq!(moment(Until::In(Duration::from_secs(5)), at(10)).unwrap(), 15_000);
        assert_eq!((offset("+0230"), offset("-0500"), offset("CET")), (Some(150), Some(-300), None));
    }
}
