//! How single values are typed: rates, times, addresses, brokers, zones.

use std::time::Duration;

use restow_client::read::Resource;
use restow_executor::drive::{self, Ignore};
use restow_executor::journal::ConfigKey;
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::Measure;

/// A copy rate per broker and direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// No throttle, said in so many words.
    None,
    /// Bytes a second.
    BytesPerSecond(u64),
}

impl Throttle {
    /// The rate in bytes a second; `None` for no throttle.
    pub fn rate(self) -> Option<u64> {
        match self {
            Throttle::None => None,
            Throttle::BytesPerSecond(rate) => Some(rate),
        }
    }
}

/// `--zone BROKER=ZONE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneOfBroker {
    /// The broker.
    pub broker: BrokerId,
    /// Its zone.
    pub zone: String,
}

/// `--map-zone OLD=NEW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneMapping {
    /// The name that brokers have.
    pub old: String,
    /// The name that takes its place.
    pub new: String,
}

/// `--rtt ZONE:ZONE=TIME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rtt {
    /// One zone.
    pub a: String,
    /// The other.
    pub b: String,
    /// There and back.
    pub time: Duration,
}

const RATES: &str = "50MB/s, 50MiB/s, 500kB/s, 1GB/s, 50000000B/s, a bare number of bytes/s, or none";
const UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// The bytes of a unit.
pub(super) fn unit(name: &str) -> Option<u64> {
    UNITS.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

/// A number, and the unit behind it.
pub(super) fn split(text: &str) -> (&str, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    (number, unit.trim_start())
}

/// Below this, a bare number is more likely meant as MB/s than as bytes/s.
const LEAST_BARE_RATE: u64 = 1_000_000;

/// A throttle, as [`RATES`] shows.
pub fn throttle(text: &str) -> Result<Throttle, String> {
    if text == "none" {
        return Ok(Throttle::None);
    }
    let (number, name) = split(text);
    if number.is_empty() {
        return Err(format!("expected {RATES}"));
    }
    let rate = if name.is_empty() {
        let bare: u64 = number.parse().map_err(|_| format!("{number} is not a number of bytes/s"))?;
        if (1..LEAST_BARE_RATE).contains(&bare) {
            return Err(format!("that is {bare} bytes/s: did you mean {bare}MB/s? ({bare}B/s means it)"));
        }
        bare
    } else {
        let Some(size) = name.strip_suffix("/s") else {
            let meant = match unit(name) {
                Some(_) => format!("did you mean {number}{name}/s?"),
                None => format!("expected {RATES}"),
            };
            return Err(format!("{name:?} is not a rate: {meant}"));
        };
        let Some(factor) = unit(size) else {
            return Err(format!("{size:?} is not a unit that is known: expected {RATES}"));
        };
        scaled(number, factor)
            .ok_or_else(|| format!("{text} is not a whole number of bytes/s that Kafka takes"))?
    };
    match rate {
        0 => Err("a throttle of 0 would stop every copy: expected none, or a rate".into()),
        rate if i64::try_from(rate).is_err() => Err(format!("{rate} bytes/s is more than Kafka takes")),
        rate => Ok(Throttle::BytesPerSecond(rate)),
    }
}

/// `number` (digits with at most one point) times `factor`, exactly, if that is a whole number.
pub(super) fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if number.ends_with('.') || part.len() > 9 {
        return None;
    }
    let digits: u128 = format!("{whole}{part}").parse().ok()?;
    let scale = 10u128.pow(part.len() as u32);
    let product = digits.checked_mul(u128::from(factor))?;
    (product % scale == 0).then(|| u64::try_from(product / scale).ok())?
}

/// A length of time: `500ms`, `2s`, `5m`, `1h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a time like 500ms, 2s, 5m or 1h";
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" if !number.is_empty() => return Err(format!("{EXPECTED}: did you mean {number}s?")),
        _ => return Err(EXPECTED.into()),
    };
    let number: u64 = number.parse().map_err(|_| EXPECTED.to_owned())?;
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| format!("{text} is too long"))
}

/// The address of a broker: `host:port`, an IPv6 host in brackets.
pub fn address(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not host:port, as in kafka-1:9092 or [::1]:9092");
    let server = text.trim();
    // The stock tools take a listener's protocol in front.
    let server = server.split_once("://").map_or(server, |(_, rest)| rest);
    let (host, port) = server.rsplit_once(':').ok_or_else(wrong)?;
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    if bare.unwrap_or(host).is_empty() || (bare.is_none() && host.contains(':')) || host.contains('/') {
        return Err(wrong());
    }
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok(server.to_owned()),
        _ => Err(wrong()),
    }
}

/// A principal of Kafka's ACLs: `User:NAME`.
pub fn principal(text: &str) -> Result<String, String> {
    match text.split_once(':') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is not a principal, as in User:restow")),
    }
}

/// What topic names begin with.
pub fn topic_prefix(text: &str) -> Result<String, String> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() || !text.chars().all(is_legal) {
        return Err(format!("{text:?} begins no topic name: letters, digits, '.', '_' and '-'"));
    }
    Ok(text.to_owned())
}

/// The id of a broker.
pub fn broker(text: &str) -> Result<BrokerId, String> {
    match text.parse::<BrokerId>() {
        Ok(id) if id.0 >= 0 => Ok(id),
        _ => Err(format!("{text:?} is not a broker id: expected ids like 1,2,3")),
    }
}

/// A partition as it is printed: `orders-3`.
pub fn partition(text: &str) -> Result<TopicPartition, String> {
    drive::partition(text.trim())
}

/// A part of something, in 1/10,000: `5%`, `2.5%`.
pub fn percent(text: &str) -> Result<u32, String> {
    const EXPECTED: &str = "expected a percentage like 5% or 2.5%, at most 100%";
    let number = text.strip_suffix('%').ok_or(EXPECTED)?;
    let part = scaled(number.trim_end(), 100).filter(|part| *part <= 10_000).ok_or(EXPECTED)?;
    Ok(part as u32)
}

/// Something that brokers have more or less of.
pub fn measure(text: &str) -> Result<Measure, String> {
    match text {
        "replicas" => Ok(Measure::Replicas),
        "bytes" => Ok(Measure::Bytes),
        "write-rate" => Ok(Measure::WriteRate),
        "leaders" => Ok(Measure::Leaders),
        "read-rate" => Ok(Measure::ReadRate),
        _ => Err("expected replicas, bytes, write-rate, leaders or read-rate".into()),
    }
}

/// A hold to override: `disk` or `disk:5`.
pub fn ignore(text: &str) -> Result<Ignore, String> {
    text.parse()
}

/// A throttle config: `broker:5:follower.replication.throttled.rate` or `topic:NAME:KEY`.
pub fn throttle_key(text: &str) -> Result<ConfigKey, String> {
    let rates = [drive::LEADER_RATE, drive::FOLLOWER_RATE];
    let lists = [drive::LEADER_LIST, drive::FOLLOWER_LIST];
    let expected = || {
        format!(
            "expected broker:ID:KEY with {}, or topic:NAME:KEY with {}",
            rates.join(" or "),
            lists.join(" or ")
        )
    };
    let (kind, rest) = text.split_once(':').ok_or_else(expected)?;
    let (name, key) = rest.rsplit_once(':').ok_or_else(expected)?;
    let resource = match kind {
        "broker" if rates.contains(&key) => Resource::Broker(broker(name)?),
        "topic" if lists.contains(&key) && !name.is_empty() => Resource::Topic(name.to_owned()),
        _ => return Err(expected()),
    };
    Ok(ConfigKey { resource, key: key.to_owned() })
}

/// When a run has to be at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// This long from now.
    In(Duration),
    /// The next time that clocks show this many minutes after midnight, this many minutes east of UTC, or at the
    /// machine's own offset.
    At(u32, Option<i32>),
}

/// `06:00`, `06:00Z`, `06:00+02:00`, or a length of time.
pub fn until(text: &str) -> Result<Until, String> {
    const EXPECTED: &str =
        "expected a time of day like 06:00, 06:00Z or 06:00+02:00, or a length of time like 8h";
    let clock = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let is_plain = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        let parse = |part: &str| part.parse::<u32>().ok().filter(|_| is_plain(part));
        let (hour, minute) = (parse(hour)?, parse(minute)?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    if !text.contains(':') {
        return duration(text).map(Until::In).map_err(|_| EXPECTED.to_owned());
    }
    let (time, offset) = match text.find(['Z', '+', '-']) {
        None => (text, None),
        Some(at) => (&text[..at], Some(&text[at..])),
    };
    let offset = match offset {
        None => None,
        Some("Z") => Some(0),
        Some(offset) => {
            let minutes = clock(&offset[1..]).ok_or(EXPECTED)?.cast_signed();
            Some(if offset.starts_with('-') { -minutes } else { minutes })
        }
    };
    clock(time).map(|minutes| Until::At(minutes, offset)).ok_or_else(|| EXPECTED.to_owned())
}

/// `BROKER=ZONE`.
pub fn zone_of_broker(text: &str) -> Result<ZoneOfBroker, String> {
    let (id, zone) = pair(text, "BROKER=ZONE, as in 4=az-a")?;
    Ok(ZoneOfBroker { broker: broker(id)?, zone: zone.to_owned() })
}

/// `OLD=NEW`.
pub fn zone_mapping(text: &str) -> Result<ZoneMapping, String> {
    let (old, new) = pair(text, "OLD=NEW, as in rack-17=az-a")?;
    Ok(ZoneMapping { old: old.to_owned(), new: new.to_owned() })
}

/// `ZONE:ZONE=TIME`.
pub fn rtt(text: &str) -> Result<Rtt, String> {
    const EXPECTED: &str = "expected ZONE:ZONE=TIME, as in az-a:az-b=60ms";
    let (zones, time) = text.rsplit_once('=').ok_or(EXPECTED)?;
    let (a, b) = zones.split_once(':').ok_or(EXPECTED)?;
    let (a, b, time) = (a.trim().to_owned(), b.trim().to_owned(), duration(time.trim())?);
    if a.is_empty() || b.is_empty() || time.is_zero() {
        return Err(EXPECTED.into());
    }
    Ok(Rtt { a, b, time })
}

/// A price, in millionths.
pub fn price(text: &str) -> Result<u64, String> {
    scaled(text, 1_000_000).ok_or_else(|| "expected a price like 0.02, with six decimals at most".into())
}

fn pair<'a>(text: &'a str, expected: &str) -> Result<(&'a str, &'a str), String> {
    match text.split_once('=') {
        Some((left, right)) if !left.trim().is_empty() && !right.trim().is_empty() => {
            Ok((left.trim(), right.trim()))
        }
        _ => Err(format!("expected {expected}")),
    }
}

#[cfg(test)]
mod tests;
