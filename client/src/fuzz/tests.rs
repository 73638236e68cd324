use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::tls::fuzz::tests as stores_and_certificates;
use crate::wire::tests::seeds as wire;

type Target = fn(&[u8]) -> bool;

const TARGETS: [(&str, Target); 7] = [
    ("certificates", certificates),
    ("frames", frames),
    ("peer", peer),
    ("properties", properties),
    ("responses", responses),
    ("sasl", sasl),
    ("stores", stores),
];

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "certificates" => stores_and_certificates::certificates(),
        "frames" => wire::frames(),
        "peer" => wire::peers(),
        "properties" => crate::config::fuzz::tests::seeds(),
        "responses" => wire::responses(),
        "sasl" => crate::sasl::fuzz::tests::seeds(),
        "stores" => stores_and_certificates::stores(),
        _ => Vec::new(),
    }
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
    let answers = seeds("responses");
    let understood = |call: &u8| answers.iter().any(|seed| seed[0] == *call && responses(seed));
    assert!((0..crate::wire::fuzz::CALLS).all(|call| understood(&call)));
}

/// For a target whose input has changed: `cargo test -p restow-client seeds_are_sown -- --ignored`.
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
