//! How a fault of a rehearsal is typed: `VERB BROKER [to RATE] at WHEN [for TIME]`.

use std::fmt;
use std::time::Duration;

use super::values;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The broker's process is killed.
    Kill(i32),
    /// A killed or stopped broker is started.
    Restart(i32),
    /// The broker stops in an orderly way.
    Stop(i32),
    /// The broker freezes.
    Pause(i32),
    /// The broker's disks write at most so many bytes a second.
    Slow(i32, u64),
    /// The broker does not reach the controller.
    Cut(i32),
    /// The controller is lost.
    Controller,
}

/// When it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When so much of the bytes is copied.
    Percent(u64),
    /// So long after the start.
    Time(Duration),
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub what: Trouble,
    /// When.
    pub when: When,
    /// For how long; none is for ever.
    pub lasts: Option<Duration>,
    /// As it was typed.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Trouble {
    /// The broker that it concerns.
    pub fn broker(self) -> Option<i32> {
        match self {
            Trouble::Kill(id) | Trouble::Restart(id) | Trouble::Stop(id) | Trouble::Pause(id) => Some(id),
            Trouble::Slow(id, _) | Trouble::Cut(id) => Some(id),
            Trouble::Controller => None,
        }
    }
}

const SHAPE: &str = "expected VERB BROKER at WHEN, as in: kill 5 at 40%; slow 6 to 5MB/s at 10%; pause 3 at 2h for 1m; \
                     restart 5 at 60%; stop 4 at 10m for 5m; cut 2 at 5% for 30s; controller at 20% for 1m";

/// A fault.
pub fn fault(text: &str) -> Result<Fault, String> {
    let mut words = text.split_whitespace();
    let verb = words.next().ok_or(SHAPE)?;
    let mut next = |what: &str| words.next().ok_or_else(|| format!("{what} is missing: {SHAPE}"));
    let broker = match verb {
        "controller" => 0,
        _ => {
            let id = next("the broker")?;
            id.parse().map_err(|_| format!("{id:?} is not a broker id: {SHAPE}"))?
        }
    };
    let mut word = next("at")?;
    let what = match verb {
        "kill" => Trouble::Kill(broker),
        "restart" => Trouble::Restart(broker),
        "stop" => Trouble::Stop(broker),
        "pause" => Trouble::Pause(broker),
        "cut" => Trouble::Cut(broker),
        "controller" => Trouble::Controller,
        "slow" => {
            let rate =
                if word == "to" { next("the rate")? } else { return Err(format!("slow to what? {SHAPE}")) };
            let rate = values::throttle(rate)?.rate().ok_or("slow needs a rate")?;
            word = next("at")?;
            Trouble::Slow(broker, rate)
        }
        other => return Err(format!("{other:?} is no fault: {SHAPE}")),
    };
    if word != "at" {
        return Err(format!("{word:?} where at was expected: {SHAPE}"));
    }
    let at = next("when")?;
    let when = match at.strip_suffix('%').map(str::parse) {
        Some(Ok(percent @ 0..=100)) => When::Percent(percent),
        Some(_) => return Err(format!("{at} is no percentage from 0% to 100%")),
        None => When::Time(values::duration(at)?),
    };
    let lasts = match (words.next(), words.next(), words.next()) {
        (None, ..) => None,
        (Some("for"), Some(time), None) => Some(values::duration(time)?),
        _ => return Err(format!("after {at} only \"for TIME\" may come: {SHAPE}")),
    };
    Ok(Fault { what, when, lasts, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_spoken() {
        let read = |text| fault(text).map(|f| (f.what, f.when, f.lasts));
        assert_eq!(read("kill 5 at 40%"), Ok((Trouble::Kill(5), When::Percent(40), None)));
        assert_eq!(
            read("slow 6 to 5MB/s at 10%"),
            Ok((Trouble::Slow(6, 5_000_000), When::Percent(10), None))
        );
        let (two_hours, minute) = (Duration::from_secs(7200), Duration::from_secs(60));
        assert_eq!(
            read("pause 3 at 2h for 1m"),
            Ok((Trouble::Pause(3), When::Time(two_hours), Some(minute)))
        );
        assert_eq!(
            read("controller at 20% for 1m"),
            Ok((Trouble::Controller, When::Percent(20), Some(minute)))
        );
        for bad in [
            "",
            "kill",
            "kill x at 1%",
            "kill 5",
            "kill 5 at 101%",
            "slow 6 at 5%",
            "burn 5 at 1%",
            "kill 5 at 1% to 3",
        ] {
            assert!(fault(bad).is_err(), "{bad}");
        }
    }
}
