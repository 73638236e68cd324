//! The rates file (CSV): what producers write to partitions, what consumers read, and in how many requests, from an
//! operator's metrics.
//!
//! ```text
//! topic,partition,write_bytes_per_second,read_bytes_per_second,requests_per_second
//! orders,0,1048576,2097152,340
//! orders,1,5.2e5,,
//! clicks,,30000000,90000000,12000
//! ```
//!
//! Where the partition is empty, the rate is the topic's, and is spread evenly over its partitions. An empty rate
//! leaves what the snapshot knows. Metrics systems print fractions and exponents, so both are read, and rounded.

use std::collections::BTreeMap;
use std::io::Read;

use super::FileError;
use crate::model::{Cluster, MAX_RATE, Rate};

const COLUMNS: [&str; 5] =
    ["topic", "partition", "write_bytes_per_second", "read_bytes_per_second", "requests_per_second"];
/// The first of the rates, which stand in the order of [`Rate::ALL`].
const FIRST_RATE: usize = 2;

/// What a rates file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    file: String,
    /// By topic and partition; `None` is the topic as a whole.
    lines: BTreeMap<(String, Option<u32>), Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    at: usize,
    /// In the order of [`Rate::ALL`].
    rates: [Option<u64>; 3],
}

/// Reads a rates file; `file` is its name in errors.
///
/// # Errors
/// The first thing that makes the file unusable, with its line: a header that is none, a number that is none, a
/// partition that stands twice or beside its topic as a whole.
pub fn read(mut from: impl Read, file: &str) -> Result<Rates, FileError> {
    let mut bytes = Vec::new();
    let cannot = |error: &dyn std::fmt::Display| FileError::whole(file, format!("cannot be read: {error}"));
    from.read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| FileError::whole(file, "is not text in UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty());
    let wrong =
        |at: usize, place: String, reason: String| FileError { file: file.into(), line: at, place, reason };
    let Some((at, first)) = lines.next() else { return Err(FileError::whole(file, "is empty")) };
    let columns = header(first).map_err(|reason| wrong(at, "header".into(), reason))?;
    let mut rates = Rates { file: file.into(), lines: BTreeMap::new() };
    for (at, line) in lines {
        let fields: Vec<&str> = line.split(',').map(plain).collect();
        let read = row(&columns, &fields, at).and_then(|(key, line)| rates.add(key, line));
        read.map_err(|reason| wrong(at, fields.first().map_or(String::new(), |t| (*t).to_owned()), reason))?;
    }
    Ok(rates)
}

/// A field without the quotes that spreadsheets put around it: topic names have neither commas nor quotes.
fn plain(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field)
}

/// Which column stands where.
fn header(line: &str) -> Result<Vec<usize>, String> {
    let accepted = || format!("expected {}", COLUMNS.join(","));
    let mut columns = Vec::new();
    for name in line.split(',').map(plain) {
        let Some(column) = COLUMNS.iter().position(|known| *known == name) else {
            return Err(format!("column {name:?} is not known: {}", accepted()));
        };
        if columns.contains(&column) {
            return Err(format!("column {name:?} stands twice: {}", accepted()));
        }
        columns.push(column);
    }
    match columns.contains(&0) && columns.iter().any(|column| *column >= FIRST_RATE) {
        true => Ok(columns),
        false => Err(format!("no topic, or no rate: {}", accepted())),
    }
}

fn row(columns: &[usize], fields: &[&str], at: usize) -> Result<((String, Option<u32>), Line), String> {
    if fields.len() != columns.len() {
        return Err(format!("{} fields, where the header has {}", fields.len(), columns.len()));
    }
    let field = |column: usize| columns.iter().position(|c| *c == column).map_or("", |at| fields[at]);
    if field(0).is_empty() {
        return Err("the topic is empty".into());
    }
    let partition = match field(1) {
        "" => None,
        text => Some(text.parse::<u32>().map_err(|_| {
            format!("partition {text:?}: expected a number, 0 or more, or nothing for the topic as a whole")
        })?),
    };
    let mut rates = [None; 3];
    for rate in Rate::ALL {
        let column = FIRST_RATE + rate as usize;
        rates[rate as usize] = match field(column) {
            "" => None,
            text => Some(rounded(text).ok_or_else(|| {
                let (name, unit) = (COLUMNS[column], rate.unit());
                format!("{name} is {text}: expected {unit} as a number from 0 to {MAX_RATE}, or nothing where unknown")
            })?),
        };
    }
    Ok(((field(0).to_owned(), partition), Line { at, rates }))
}

/// `1048576`, `5.25` or `1.2e+06`, rounded half up; no floats, so that the same text gives the same number.
fn rounded(text: &str) -> Option<u64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        None => (text, 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok().filter(|e| e.abs() < 30)?),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{part}");
    if whole.is_empty() || digits.len() > 30 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u128 = digits.parse().ok()?;
    let shift = exponent - i32::try_from(part.len()).ok()?;
    let rate = if shift >= 0 {
        number.checked_mul(10u128.checked_pow(shift.unsigned_abs())?)?
    } else {
        // What is shifted out beyond u128 is nothing.
        10u128.checked_pow(shift.unsigned_abs()).map_or(0, |scale| (number + scale / 2) / scale)
    };
    u64::try_from(rate).ok().filter(|rate| *rate <= MAX_RATE)
}

impl Rates {
    fn add(&mut self, key: (String, Option<u32>), line: Line) -> Result<(), String> {
        let (topic, partition) = key.clone();
        let mut of_topic = self.lines.range((topic.clone(), None)..=(topic, Some(u32::MAX)));
        let clash = match partition {
            None => of_topic.next(),
            Some(_) => of_topic.find(|((_, other), _)| other.is_none() || *other == partition),
        };
        if let Some(((_, other), first)) = clash {
            let what =
                if *other == partition { "it stands" } else { "the topic and a partition of it stand" };
            return Err(format!("{what} on line {} too: expected one line for each", first.at));
        }
        self.lines.insert(key, line);
        Ok(())
    }

    /// Sets rates of the cluster's partitions.
    ///
    /// # Errors
    /// The first topic or partition that the cluster lacks. The cluster is then unchanged.
    pub fn apply_to(&self, cluster: &mut Cluster) -> Result<(), FileError> {
        for ((name, partition), line) in &self.lines {
            let wrong = |reason: String| FileError {
                file: self.file.clone(),
                line: line.at,
                place: partition.map_or_else(|| format!("topic {name}"), |n| format!("partition {name}-{n}")),
                reason,
            };
            let Some(topic) = cluster.topic(name) else {
                return Err(wrong(
                    "the topic is not in the snapshot: take the line out, or take a new snapshot".into(),
                ));
            };
            if partition.is_some_and(|number| number >= topic.partitions) {
                return Err(wrong(format!("the topic has {} partitions, from 0 on", topic.partitions)));
            }
        }
        for ((name, partition), line) in &self.lines {
            let Some((first, partitions)) = cluster.topic(name).map(|topic| (topic.first, topic.partitions))
            else {
                continue;
            };
            let (range, parts) = match partition {
                Some(number) => (*number..*number + 1, 1),
                None => (0..partitions, u64::from(partitions)),
            };
            for (at, number) in range.enumerate() {
                // The first ones take the rest, so that the sum is the topic's.
                let part = |value: u64| value / parts + u64::from((at as u64) < value % parts);
                for (rate, value) in Rate::ALL.into_iter().zip(line.rates) {
                    if let Some(value) = value {
                        cluster.set_rate(rate, first + number, Some(part(value)));
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Broker, BrokerId, ClusterBuilder, PartitionRow, Topic};

    const HEADER: &str = "topic,partition,write_bytes_per_second,read_bytes_per_second,requests_per_second\n";

    /// Topic a with three partitions, b with one that is written to at 7 bytes/s.
    fn cluster() -> Cluster {
        let mut build = ClusterBuilder::new("c", vec![Broker::bare(BrokerId(1))]).unwrap();
        for (name, rates) in [("a", &[None; 3][..]), ("b", &[Some(7)])] {
            build.topic(Topic { name: name.into(), ..Topic::default() }).unwrap();
            for write_rate in rates {
                let row = PartitionRow { write_rate: *write_rate, ..PartitionRow::default() };
                build.partition(&PartitionRow { replicas: &[BrokerId(1)], ..row }).unwrap();
            }
        }
        build.finish(String::new(), vec![])
    }

    fn rates(text: &str) -> Vec<[Option<u64>; 3]> {
        let mut cluster = cluster();
        read(text.as_bytes(), "r.csv").unwrap().apply_to(&mut cluster).unwrap();
        cluster.partitions().map(|(_, p)| p.rates()).collect()
    }

    fn fault(lines: &str) -> String {
        let text = format!("{HEADER}{lines}");
        let mut cluster = self::cluster();
        let error = match read(text.as_bytes(), "r.csv") {
            Err(error) => error,
            Ok(rates) => rates.apply_to(&mut cluster).expect_err(lines),
        };
        assert_eq!(cluster, self::cluster(), "bad input changes nothing");
        error.to_string()
    }

    #[test]
    fn rates_of_partitions_and_of_topics() {
        let found = rates(&format!("{HEADER}a,1,100,200,0\nb,0,,5,\n"));
        let (none, one) = ([None; 3], [100, 200, 0].map(Some));
        assert_eq!(found, [none, one, none, [Some(7), Some(5), None]], "unknown is never zero");
        let found = rates(&format!("{HEADER}a,,100,0,5\n"));
        let part = |write, requests| [write, 0, requests].map(Some);
        let whole = [part(34, 2), part(33, 2), part(33, 1), [Some(7), None, None]];
        assert_eq!(found, whole, "the sums are the topic's");
    }

    #[test]
    fn files_as_tools_write_them() {
        let text = "\u{feff}\"topic\",\"write_bytes_per_second\"\r\n\r\n\"b\",\"1.5\"\r\n";
        assert_eq!(rates(text)[3], [Some(2), None, None]);
        assert_eq!(rates("requests_per_second,topic\n12.5,b\n")[3], [Some(7), None, Some(13)]);
        let three = "topic,partition,write_bytes_per_second,read_bytes_per_second\na,0,1,2\n";
        assert_eq!(rates(three)[0], [Some(1), Some(2), None], "columns without a use are left out");
        let numbers =
            [("1.2e+06", 1_200_000), ("0", 0), ("12345.4", 12345), ("5E-1", 1), ("4e-1", 0), ("3e-29", 0)];
        for (text, expected) in numbers {
            assert_eq!(rounded(text), Some(expected), "{text}");
        }
        for bad in ["-1", "", ".5", "NaN", "+Inf", "1e30", "0x10", "1,5", "9e18", "1.2.3", "1e"] {
            assert_eq!(rounded(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (lines, says) in [
            (
                "z,0,1,1,1",
                "line 2, partition z-0: the topic is not in the snapshot: take the line out, or take a new snapshot",
            ),
            ("a,0,1,1,1\na,3,1,1,1", "line 3, partition a-3: the topic has 3 partitions, from 0 on"),
            ("a,0,1,1,1\n\na,0,1,1,1", "line 4, a: it stands on line 2 too: expected one line for each"),
            (
                "a,0,1,1,1\na,,1,1,1",
                "line 3, a: the topic and a partition of it stand on line 2 too: expected one line for each",
            ),
            (
                "a,,1,1,1\na,2,1,1,1",
                "line 3, a: the topic and a partition of it stand on line 2 too: expected one line for each",
            ),
            ("a,0,1,1", "line 2, a: 4 fields, where the header has 5"),
            (
                "a,x,1,1,1",
                "line 2, a: partition \"x\": expected a number, 0 or more, or nothing for the topic as a whole",
            ),
            (",0,1,1,1", "line 2: the topic is empty"),
        ] {
            assert_eq!(fault(lines), format!("r.csv, {says}"));
        }
        for (lines, says) in [
            ("a,0,-5,1,1", "write_bytes_per_second is -5: expected bytes/s as a number from 0 to "),
            ("a,0,1,1,many", "requests_per_second is many: expected requests/s as a number from 0 to "),
        ] {
            let found = fault(lines);
            assert!(found.starts_with(&format!("r.csv, line 2, a: {says}")), "{found}");
        }
        let header = |text: &str| read(text.as_bytes(), "r.csv").unwrap_err().to_string();
        assert!(
            header("topic,bytes\n")
                .starts_with("r.csv, line 1, header: column \"bytes\" is not known: expected topic,")
        );
        assert!(header("topic,partition\na,0\n").starts_with("r.csv, line 1, header: no topic, or no rate"));
        assert!(header("topic,topic\n").contains("stands twice"));
        assert_eq!(header("\n"), "r.csv: is empty");
    }
}
