//! Edits: what is asked, one grammar for flags and for scenario files.

use super::grow::{By, days_of, growth_of};
use crate::model::BrokerId;

/// One edit of a cluster, or a term that holds for the whole question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// More brokers, empty ones.
    Add {
        /// How many.
        count: u32,
        /// In which zone; `None` where the cluster has none.
        zone: Option<String>,
        /// Of which node type; as the others of the zone if `None`.
        node: Option<String>,
    },
    /// Brokers that go.
    Remove(Vec<BrokerId>),
    /// Brokers of one node type become brokers of another.
    Retype {
        /// Node type that they are of.
        from: String,
        /// Node type that they become.
        to: String,
    },
    /// Another replication factor.
    SetFactor {
        /// Pattern of topics.
        topics: String,
        /// Replicas of each partition.
        factor: u32,
    },
    /// More partitions.
    Partitions {
        /// Pattern of topics.
        topics: String,
        /// Partitions of each.
        count: u32,
    },
    /// The brokers stand in so many zones.
    Zones(u32),
    /// Topics grow or shrink: bytes and all rates.
    Grow {
        /// Pattern of topics; all if `None`.
        topics: Option<String>,
        /// By how much.
        by: By,
    },
    /// Topics are kept for another time.
    Retention {
        /// Pattern of topics.
        topics: String,
        /// Seconds.
        seconds: u64,
    },
    /// A broker is lost.
    LoseBroker(BrokerId),
    /// A zone is lost.
    LoseZone(String),
    /// Any one broker is lost: the worst case.
    LoseAnyBroker,
    /// Any one zone is lost: the worst case.
    LoseAnyZone,
    /// What is planned now.
    Then(Then),
    /// How far ahead yearly growth goes, in days.
    Horizon(u32),
    /// The peak over the mean of rates, in 1/1,000.
    Peak(u32),
    /// What stays free of every limit, in 1/10,000.
    Headroom(u32),
}

/// What is planned after edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// What goes or is lost is placed elsewhere, and the brokers are evened out.
    Rebalance,
    /// What goes or is lost is placed elsewhere, and nothing else moves.
    Drain,
    /// Nothing: replicas on brokers that go are gone.
    None,
}

/// Brokers that one edit adds at most.
const MOST_BROKERS: u32 = 10_000;
/// Partitions of a topic at most: more is a slip of the pen.
const MOST_PARTITIONS: u32 = 100_000;

/// A kind of edit as it is typed.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its name: the flag without its dashes, and the key in a scenario file.
    pub name: &'static str,
    /// What is given; empty where nothing is.
    pub value: &'static str,
    /// What it means.
    pub help: &'static str,
    read: fn(&str) -> Result<Edit, String>,
}

/// Every kind of edit, in the order of the manual.
pub const KINDS: [Kind; 17] = [
    Kind {
        name: "add",
        value: "N[@ZONE][:TYPE]",
        help: "More brokers, empty ones: 2@az-a:m6g.2xlarge. Without a type they are as the others of the zone",
        read: add,
    },
    Kind {
        name: "remove",
        value: "IDS",
        help: "Brokers that go: 4,5. What they hold is placed elsewhere",
        read: remove,
    },
    Kind {
        name: "retype",
        value: "FROM=TO",
        help: "Brokers of one node type become another: m5.xlarge=im4gn.2xlarge",
        read: |text| {
            pair(text, "FROM=TO, as in m5.xlarge=im4gn.2xlarge").map(|(from, to)| Edit::Retype { from, to })
        },
    },
    Kind {
        name: "set-rf",
        value: "TOPICS=N",
        help: "Another replication factor: 'orders.*=3'. TOPICS is a regular expression for whole names",
        read: |text| {
            counted(text, "TOPICS=N, as in orders.*=3")
                .map(|(topics, factor)| Edit::SetFactor { topics, factor })
        },
    },
    Kind {
        name: "partitions",
        value: "TOPICS=N",
        help: "More partitions: 'clicks=256'. Bytes and rates of the topic are spread evenly over all",
        read: partitions,
    },
    Kind {
        name: "zones",
        value: "N",
        help: "The brokers stand in so many zones, and every partition is spread over them",
        read: |text| above_zero(text).map(Edit::Zones),
    },
    Kind {
        name: "grow",
        value: "TOPICS=GROWTH",
        help: "Topics grow, bytes and rates: 'orders.*=+30%', 'clicks=40%/year', 'logs=-3%/month'",
        read: |text| {
            let (topics, by) = pair(text, "TOPICS=GROWTH, as in orders.*=+30% or clicks=40%/year")?;
            Ok(Edit::Grow { topics: Some(topics), by: growth_of(&by)? })
        },
    },
    Kind {
        name: "grow-all",
        value: "GROWTH",
        help: "All topics grow: +30%, 40%/year, 3%/month, or fitted (to --history)",
        read: |text| growth_of(text).map(|by| Edit::Grow { topics: None, by }),
    },
    Kind {
        name: "horizon",
        value: "TIME",
        help: "How far ahead growth by the year or month goes: 18mo, 2y, 90d, 12w",
        read: |text| days_of(text).map(Edit::Horizon),
    },
    Kind {
        name: "retention",
        value: "TOPICS=TIME",
        help: "Topics are kept for another time: 'logs.*=24h', 'audit=30d'. Needs their write rates",
        read: retention,
    },
    Kind { name: "peak", value: "FACTOR", help: "The peak over the mean of all rates: 2.2", read: peak },
    Kind {
        name: "headroom",
        value: "PERCENT",
        help: "What has to stay free of every limit: 25%",
        read: headroom,
    },
    Kind {
        name: "lose-broker",
        value: "ID",
        help: "A broker is lost",
        read: |text| broker(text).map(Edit::LoseBroker),
    },
    Kind {
        name: "lose-zone",
        value: "ZONE",
        help: "A zone is lost",
        read: |text| named(text).map(Edit::LoseZone),
    },
    Kind {
        name: "lose-any-broker",
        value: "",
        help: "Any one broker is lost: the worst case of all",
        read: |text| nothing(text, Edit::LoseAnyBroker),
    },
    Kind {
        name: "lose-any-zone",
        value: "",
        help: "Any one zone is lost: the worst case of all",
        read: |text| nothing(text, Edit::LoseAnyZone),
    },
    Kind {
        name: "then",
        value: "WHAT",
        help: "What is planned here, after the edits before it: rebalance, drain (what goes or is lost is placed elsewhere), none",
        read: then,
    },
];

/// The edit of this kind with this value.
///
/// # Errors
/// What was found and what would be accepted, in words.
pub fn edit(name: &str, value: &str) -> Result<Edit, String> {
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let near =
            known.iter().max_by_key(|known| likeness(known, name)).filter(|near| likeness(near, name) > 1);
        let meant = near.map_or_else(String::new, |near| format!(": did you mean {near}?"));
        return Err(format!("is not an edit{meant} Known are {}", known.join(", ")));
    };
    (kind.read)(value.trim())
}

/// How alike two names are: by the pairs of neighbouring letters that they share, less what one is longer.
fn likeness(known: &str, name: &str) -> isize {
    let pairs =
        |text: &str| -> Vec<[u8; 2]> { text.as_bytes().windows(2).map(|pair| [pair[0], pair[1]]).collect() };
    let theirs = pairs(name);
    let shared = pairs(known).iter().filter(|pair| theirs.contains(pair)).count();
    (2 * shared).cast_signed() - known.len().abs_diff(name.len()).cast_signed()
}

fn add(text: &str) -> Result<Edit, String> {
    const EXPECTED: &str = "expected N[@ZONE][:TYPE], as in 2@az-a:m6g.2xlarge or 3";
    let (rest, node) = match text.split_once(':') {
        Some((rest, node)) => (rest, Some(named(node).map_err(|_| EXPECTED.to_owned())?)),
        None => (text, None),
    };
    let (count, zone) = match rest.split_once('@') {
        Some((count, zone)) => (count, Some(named(zone).map_err(|_| EXPECTED.to_owned())?)),
        None => (rest, None),
    };
    let count = above_zero(count).ok().filter(|count| *count <= MOST_BROKERS);
    let count = count.ok_or_else(|| format!("{text:?}: {EXPECTED}, N at most {MOST_BROKERS}"))?;
    Ok(Edit::Add { count, zone, node })
}

fn partitions(text: &str) -> Result<Edit, String> {
    let (topics, count) = counted(text, "TOPICS=N, as in clicks=256")?;
    match count {
        ..=MOST_PARTITIONS => Ok(Edit::Partitions { topics, count }),
        _ => Err(format!("{count} partitions: expected {MOST_PARTITIONS} at most")),
    }
}

fn remove(text: &str) -> Result<Edit, String> {
    let mut brokers: Vec<BrokerId> = text.split(',').map(broker).collect::<Result<_, _>>()?;
    brokers.sort_unstable();
    brokers.dedup();
    Ok(Edit::Remove(brokers))
}

fn retention(text: &str) -> Result<Edit, String> {
    const EXPECTED: &str = "TOPICS=TIME, as in logs.*=24h or audit=30d";
    let (topics, time) = pair(text, EXPECTED)?;
    let wrong = || format!("{time:?} is not a retention: expected a time above zero like 30m, 24h or 7d");
    let split = time.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let unit = match &time[split..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = time[..split].parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(wrong)?;
    Ok(Edit::Retention { topics, seconds })
}

fn peak(text: &str) -> Result<Edit, String> {
    let peak = decimal(text, 3).filter(|peak| (1_000..=1_000_000).contains(peak));
    let peak =
        peak.ok_or_else(|| format!("{text:?} is not a peak over the mean: expected 1 to 1000, as in 2.2"))?;
    Ok(Edit::Peak(peak as u32))
}

fn headroom(text: &str) -> Result<Edit, String> {
    let part =
        text.strip_suffix('%').and_then(|number| decimal(number.trim_end(), 2)).filter(|part| *part < 10_000);
    let part = part.ok_or_else(|| format!("{text:?} is not a headroom: expected 0% to 99%, as in 25%"))?;
    Ok(Edit::Headroom(part as u32))
}

fn then(text: &str) -> Result<Edit, String> {
    match text {
        "rebalance" => Ok(Edit::Then(Then::Rebalance)),
        "drain" => Ok(Edit::Then(Then::Drain)),
        "none" => Ok(Edit::Then(Then::None)),
        _ => Err(format!("{text:?}: expected rebalance, drain or none")),
    }
}

fn nothing(text: &str, edit: Edit) -> Result<Edit, String> {
    match text {
        "" | "true" => Ok(edit),
        _ => Err(format!("{text:?}: it takes no value (in a file: true)")),
    }
}

fn named(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected a name".into()),
        name => Ok(name.to_owned()),
    }
}

fn broker(text: &str) -> Result<BrokerId, String> {
    match text.trim().parse::<BrokerId>() {
        Ok(id) if id.0 >= 0 => Ok(id),
        _ => Err(format!("{text:?} is not a broker id: expected 0 or more")),
    }
}

fn above_zero(text: &str) -> Result<u32, String> {
    let number = text.trim().parse::<u32>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{text:?}: expected a whole number, 1 or more"))
}

/// What stands before and after the last `=`: a pattern may hold one too.
fn pair(text: &str, expected: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((left, right)) if !left.trim().is_empty() && !right.trim().is_empty() => {
            Ok((left.trim().to_owned(), right.trim().to_owned()))
        }
        _ => Err(format!("{text:?}: expected {expected}")),
    }
}

fn counted(text: &str, expected: &str) -> Result<(String, u32), String> {
    let (topics, count) = pair(text, expected)?;
    let count = above_zero(&count)
        .map_err(|_| format!("{text:?}: expected {expected}, N a whole number, 1 or more"))?;
    Ok((topics, count))
}

/// A number of at most so many decimals, in units of the last of them.
fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > places || !is_plain(whole) || !is_plain(part) || text.ends_with('.') {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_read_as_the_manual_says() {
        let node = |name: &str| Some(name.to_owned());
        let read = |name, value| edit(name, value).unwrap();
        let add = |count, zone, node| Edit::Add { count, zone, node };
        assert_eq!(read("add", "2@az-a:m6g.2xlarge"), add(2, node("az-a"), node("m6g.2xlarge")));
        assert_eq!(read("add", "3"), add(3, None, None));
        assert_eq!(read("add", "1:n2"), add(1, None, node("n2")));
        assert_eq!(read("remove", "5, 4,5"), Edit::Remove(vec![BrokerId(4), BrokerId(5)]));
        assert_eq!(read("set-rf", "orders.*=3"), Edit::SetFactor { topics: "orders.*".into(), factor: 3 });
        assert_eq!(
            read("retention", "logs.*=24h"),
            Edit::Retention { topics: "logs.*".into(), seconds: 86_400 }
        );
        assert_eq!(read("peak", "2.2"), Edit::Peak(2_200));
        assert_eq!(read("headroom", "12.5%"), Edit::Headroom(1_250));
        assert_eq!(read("lose-any-zone", ""), Edit::LoseAnyZone);
        assert_eq!(read("then", "drain"), Edit::Then(Then::Drain));
    }

    #[test]
    fn what_is_no_edit_says_what_would_be() {
        let wrong = |name, value| edit(name, value).unwrap_err();
        assert!(wrong("lose-zon", "a").contains("did you mean lose-zone?"), "{}", wrong("lose-zon", "a"));
        assert!(wrong("xyz", "1").starts_with("is not an edit Known"), "{}", wrong("xyz", "1"));
        for (name, value) in [
            ("add", "0"),
            ("add", "-2@az-a"),
            ("add", "2@"),
            ("remove", "4,-5"),
            ("remove", ""),
            ("retype", "a="),
            ("set-rf", "x=0"),
            ("partitions", "x=-3"),
            ("zones", "two"),
            ("grow", "orders=30"),
            ("grow-all", "-130%"),
            ("horizon", "-2mo"),
            ("retention", "x=0h"),
            ("retention", "x=24"),
            ("peak", "0.5"),
            ("peak", "-2"),
            ("headroom", "100%"),
            ("lose-broker", "five"),
            ("lose-any-broker", "7"),
            ("then", "balance"),
        ] {
            assert!(
                wrong(name, value).contains("expected") || wrong(name, value).contains("takes no"),
                "{name} {value}"
            );
        }
    }
}
