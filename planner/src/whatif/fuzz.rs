//! Fuzz target: a scenario file, asked of a small cluster. The tests replay its corpus.

use super::{Answer, Scenario, Setting, answer};
use crate::file::scenarios;
use crate::generate::{self, Class};
use crate::model::watch::Watch;

const NAME: &str = "file.toml";

/// Ends every search at once: what a plan could still save is not what is looked for here.
#[derive(Debug)]
struct Hurried;

impl Watch for Hurried {
    fn stop(&self) -> bool {
        true
    }
}

/// A scenario file. Whether all of it is answered; an error has to be in a person's words.
pub fn scenario(data: &[u8]) -> bool {
    let rows = match scenarios::read(data, NAME) {
        Ok(rows) => rows,
        Err(error) => return is_told(&error.to_string()),
    };
    let mut cluster = generate::cluster(&Class { partitions: 20, ..Class::S.grown() }, 1);
    let types = generate::node_types();
    for (broker, node) in cluster.brokers.iter_mut().zip(&types) {
        broker.node = Some(node.clone());
    }
    // What is fuzzed is one question at a time, not how many.
    let setting = Setting { types: &types, throttle: Some(50_000_000), ..Setting::default() };
    rows.iter().take(4).all(|row| match Scenario::of_row(row, NAME) {
        Ok(scenario) => match answer(&cluster, &scenario, &setting, &mut Hurried) {
            Ok(answer) => is_sound(&answer),
            Err((at, error)) => {
                assert!(at < scenario.edits.len() && !error.to_string().is_empty());
                false
            }
        },
        Err(error) => is_told(&error.to_string()),
    })
}

fn is_told(text: &str) -> bool {
    assert!(text.starts_with(NAME), "{text:?}");
    false
}

/// What holds of every answer: each partition has at most one leader, and those without are offline.
fn is_sound(answer: &Answer) -> bool {
    for state in [&answer.before, &answer.after] {
        let led: u32 = state.brokers.iter().map(|broker| broker.leaders).sum();
        assert_eq!(led + state.offline, state.partitions);
    }
    true
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    const SEEDS: [&str; 6] = [
        "[a]\nadd = [\"2@az-a:r6g.large\", \"1@az-b\"]\nthen = \"rebalance\"\nlose-any-zone = true\n",
        "[a]\nretype = \"r6g.large=im4gn.large\"\nedits = [\"remove 5\", \"then drain\", \"lose-broker 1\", \"then none\"]\n",
        "[a]\nset-rf = { 'topic-.*' = 3 }\npartitions = { 'topic-.*' = 64 }\nzones = 3\n",
        "[a]\ngrow-all = \"40%/year\"\nhorizon = \"18mo\"\ngrow = { '.*' = \"+30%\" }\npeak = 2.2\nheadroom = \"25%\"\n",
        "[a]\nretention = { '.*' = \"24h\" }\nlose-zone = \"az-b\"\n[b]\nlose-any-broker = true\n",
        "[a]\nlose-zon = 1\n",
    ];

    fn corpus() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/scenario")
    }

    #[test]
    fn the_corpus_is_replayed() {
        let mut files: Vec<_> = fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= SEEDS.len(), "the corpus is cut");
        for file in files {
            // Shown with the panic of a test that fails.
            println!("{}", file.display());
            scenario(&fs::read(file).unwrap());
        }
    }

    #[test]
    fn seeds_are_taken() {
        let taken: Vec<bool> = SEEDS.map(|seed| scenario(seed.as_bytes())).into();
        assert_eq!(taken, [true, true, true, true, true, false]);
    }

    /// `cargo test -p restow-planner seeds_are_sown -- --ignored`
    #[test]
    #[ignore = "writes into fuzz/corpus"]
    fn seeds_are_sown() {
        fs::create_dir_all(corpus()).unwrap();
        for (at, seed) in SEEDS.iter().enumerate() {
            fs::write(corpus().join(format!("seed-{at}")), seed).unwrap();
        }
    }
}
