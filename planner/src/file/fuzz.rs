//! Fuzz targets: every file that a person can hand to us. `fuzz/` links them with libFuzzer, and the tests here replay
//! the corpora that it keeps.
//!
//! Each takes any bytes, and tells whether they were taken; it panics on what must never be.

use sha2::{Digest, Sha256};

use super::{FileError, plan as plans, rates as rate, reassignment as assignments, snapshot as snapshots};
use crate::check::{self, At};
use crate::generate::{self, Class};
use crate::model::Cluster;

/// A snapshot. What is read is written, and read again as the same.
pub fn snapshot(data: &[u8]) -> bool {
    let Some(cluster) = taken(snapshots::read(data, NAME)) else { return false };
    let mut bytes = Vec::new();
    snapshots::write(&cluster, &mut bytes).expect("memory takes everything");
    assert_eq!(snapshots::read(bytes.as_slice(), NAME).as_ref(), Ok(&cluster));
    true
}

/// A plan without its last line, which is made here: no fuzzer guesses a hash. What is read is written, read again as
/// the same, and judged.
pub fn plan(data: &[u8]) -> bool {
    let hash: String = Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect();
    let sealed = [data, format!("\"hash\":\"sha256:{hash}\"}}\n").as_bytes()].concat();
    let Some((plan, _)) = taken(plans::read(sealed.as_slice(), NAME)) else { return false };
    let mut bytes = Vec::new();
    plans::write(&plan, &mut bytes).expect("memory takes everything");
    assert_eq!(plans::read(bytes.as_slice(), NAME).map(|(plan, _)| plan).as_ref(), Ok(&plan));
    let (at_start, alone) = (check::judge(&plan, &cluster(), At::Start), check::judge_plan_alone(&plan));
    at_start.findings.len() + alone.findings.len() < usize::MAX
}

/// A topology file, on a small cluster.
pub fn topology(data: &[u8]) -> bool {
    let read = super::topology::read(data, NAME);
    taken(read.and_then(|file| file.apply_to(&mut cluster()))).is_some()
}

/// A rates file, on a small cluster.
pub fn rates(data: &[u8]) -> bool {
    taken(rate::read(data, NAME).and_then(|file| file.apply_to(&mut cluster()))).is_some()
}

/// A file of the stock tool. What is read is written, and read again as the same.
pub fn reassignment(data: &[u8]) -> bool {
    let Some(list) = taken(assignments::read(data, NAME)) else { return false };
    let mut bytes = Vec::new();
    assignments::write(&list, &mut bytes).expect("memory takes everything");
    assert_eq!(assignments::read(bytes.as_slice(), NAME).as_ref(), Ok(&list));
    true
}

const NAME: &str = "file.json";

const CLASS: Class = Class::migrate(20, 4, 4);

/// Built anew for each input: it takes some microseconds.
fn cluster() -> Cluster {
    generate::cluster(&CLASS, 1)
}

/// An error has to be in a person's words.
fn taken<T>(read: Result<T, FileError>) -> Option<T> {
    read.map_err(|error| {
        let text = error.to_string();
        assert!(text.starts_with(NAME) && !error.reason.is_empty(), "{text:?}");
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::model::Rate;
    use crate::model::watch::Unwatched;
    use crate::place::{self, Options};
    use crate::plan::Intent;

    type Target = fn(&[u8]) -> bool;

    const TARGETS: [(&str, Target); 5] = [
        ("plan", plan),
        ("rates", rates),
        ("reassignment", reassignment),
        ("snapshot", snapshot),
        ("topology", topology),
    ];

    fn corpus(target: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
    }

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        match target {
            "plan" => plans_of_several_verbs(),
            "snapshot" => {
                let mut rated = cluster();
                for (rate, at) in Rate::ALL.into_iter().zip([0, 0, 1]) {
                    rated.set_rate(rate, at, Some(u64::from(at) + 7));
                }
                [cluster(), rated]
                    .iter()
                    .map(|cluster| bytes(|to| snapshots::write(cluster, to)))
                    .chain([b"{}".to_vec()])
                    .collect()
            }
            "reassignment" => [
                "{\"version\":1,\"partitions\":[\n{\"topic\":\"a\",\"partition\":0,\"replicas\":[1,2],\"log_dirs\":[\"any\",\"/d\"]}\n]}\n",
                "{\"partitions\":[{\"topic\":\"a\\u00e9\",\"partition\":0,\"replicas\":[]}]}",
            ]
            .map(|text| text.as_bytes().to_vec())
            .into(),
            "rates" => [
                "topic,partition,write_bytes_per_second,read_bytes_per_second\nTOPIC,0,1048576,5.2e5\nTOPIC,1,,7\n",
                "\u{feff}\"topic\",\"write_bytes_per_second\"\r\n\"TOPIC\",1e+06\r\n",
                "topic,partition,read_bytes_per_second\nTOPIC,,1\nTOPIC,1,2\n",
                "topic,partition,write_bytes_per_second,read_bytes_per_second,requests_per_second\nTOPIC,,,,12.5\n",
            ]
            .map(|text| text.replace("TOPIC", &cluster().topics[0].name).into_bytes())
            .into(),
            _ => topologies(),
        }
    }

    fn topologies() -> Vec<Vec<u8>> {
        let cluster = cluster();
        let (topic, zone) = (&cluster.topics[0].name, cluster.brokers[0].zone.clone().unwrap_or_default());
        let rack = cluster.brokers[0].rack.clone().unwrap_or_default();
        let whole = format!(
            "[zones.east]\nbrokers = [1, 3, 5, 7]\n[zones.west]\nbrokers = [2, 4, 6, 8]\n\
             [node_types.\"r6g.large\"]\ndisk_bytes = 500_000_000_000\nreplicas = 4000\nprice_per_month = 92.40\n\
             [nodes]\n\"r6g.large\" = [1, 2]\n[rtt]\n\"east:west\" = \"1.5ms\"\n[topics]\n\"{topic}\" = [\"east\"]\n"
        );
        let by_rack = format!("[zones.\"{zone}\"]\nracks = [\"{rack}\"]\n");
        let wrong = "[zones.a]\nbrokers = [99]\n[rtt]\n\"a:b\" = \"1h\"\n[topics]\n\"(\" = []\n".to_owned();
        [whole, by_rack, wrong].map(String::into_bytes).into()
    }

    fn plans_of_several_verbs() -> Vec<Vec<u8>> {
        let (from, to) = generate::sources_and_destinations(&CLASS);
        let all = || (vec![".*".to_owned()], Vec::new());
        let ((topics, exclude), brokers) = (all(), from[..1].to_vec());
        let drain = Intent::Drain { brokers, replace_with: None, topics, exclude };
        let (topics, exclude) = all();
        let migrate = Intent::Migrate { from, to, topics, exclude, preserve_leaders: false };
        let (topics, exclude) = all();
        let grow = Intent::SetFactor { factor: 3, topics, exclude };
        let options = Options { leave_out_refused: true, ..Options::default() };
        let seed = |intent| {
            let placed = place::plan(&cluster(), &intent, &options, &mut Unwatched).unwrap();
            let whole = bytes(|to| plans::write(&placed.plan, to).map(drop));
            let end = whole.iter().rposition(|byte| *byte == b'\n').unwrap();
            let end = whole[..end].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
            whole[..end].to_vec()
        };
        let newer = b"{\"format\":\"restow-plan\",\"version\":2,\n".to_vec();
        [drain, migrate, grow].map(seed).into_iter().chain([newer]).collect()
    }

    fn bytes(write: impl Fn(&mut Vec<u8>) -> std::io::Result<()>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn corpora_are_replayed() {
        for (name, target) in TARGETS {
            let mut files: Vec<_> =
                fs::read_dir(corpus(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            assert!(!files.is_empty(), "{name} has no corpus");
            for file in files {
                // Shown with the panic of a test that fails.
                println!("{}", file.display());
                target(&fs::read(file).unwrap());
            }
        }
    }

    #[test]
    fn some_seeds_are_taken() {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            let taken = seeds.iter().filter(|seed| target(seed)).count();
            assert!(0 < taken, "none of {} seeds of {name} is taken", seeds.len());
        }
    }

    /// For a target whose input has changed: `cargo test -p restow-planner seeds_are_sown -- --ignored`.
    #[test]
    #[ignore = "writes into fuzz/corpus"]
    fn seeds_are_sown() {
        for (name, _) in TARGETS {
            fs::create_dir_all(corpus(name)).unwrap();
            for (at, seed) in seeds(name).iter().enumerate() {
                fs::write(corpus(name).join(format!("seed-{at:02}")), seed).unwrap();
            }
        }
    }
}
