//! The simulator is Kafka: scenarios in `testdata/conformance/scenarios`, what real brokers answered to them in
//! `testdata/conformance/records`, and the same client on both sides.
//!
//! ```text
//! cargo test -p restow-simulator --test conformance                      all records on the simulator; two versions live
//! RESTOW_CONFORMANCE=verify … -- --ignored every_version                 all scenarios on real brokers of all versions
//! RESTOW_CONFORMANCE=record … -- --ignored every_version                 the same, and the records are written anew
//! RESTOW_CONFORMANCE_VERSIONS=4.3.1,3.9.2-zk RESTOW_CONFORMANCE_ONLY=cancel   only these versions; only names with this
//! ```

// Real processes in real time.
#![allow(clippy::disallowed_methods)]

mod client;
mod cluster;
mod play;
mod produce;
mod records;
mod requests;
mod script;
mod settings;
mod stage;

use futures_util::StreamExt as _;
use restow_simulator::rules::Rules;
use restow_testing::available_or_skip;

use play::{Player, play};
use records::Transcript;
use script::Script;
use stage::Stage;

/// How many scenarios that hurt no broker are played at once on one real cluster.
const AT_ONCE: usize = 12;

/// What runs on real brokers in every `cargo test`: the scenarios that hurt no broker.
const LIVE: [&str; 2] = ["4.3.1", "3.9.2-zk"];

fn wanted() -> Vec<Script> {
    let only = std::env::var("RESTOW_CONFORMANCE_ONLY").unwrap_or_default();
    records::scripts()
        .into_iter()
        .filter(|script| only.split(',').any(|part| script.name.contains(part)))
        .collect()
}

fn versions(otherwise: &[&str]) -> Vec<String> {
    let given = std::env::var("RESTOW_CONFORMANCE_VERSIONS");
    given.map_or_else(
        |_| otherwise.iter().map(|v| (*v).to_owned()).collect(),
        |given| given.split(',').map(str::to_owned).collect(),
    )
}

/// One thread, virtual time: every scenario has a cluster of its own.
fn simulated(version: &str, script: &Script) -> Transcript {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let stage = Stage::simulated(version);
        settings::prepare(&Player::new(stage.clone(), "prepare").await).await;
        play(&stage, script).await
    })
}

/// One cluster for all: what hurts no broker at once, then the others one after the other.
fn real(version: &str, scripts: &[Script], mut found: impl FnMut(&Script, Transcript)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stage = Stage::real(version);
        settings::prepare(&Player::new(stage.clone(), "prepare").await).await;
        let (hurting, harmless): (Vec<&Script>, Vec<&Script>) =
            scripts.iter().partition(|script| script.hurts);
        let play_one = |script: &Script| {
            let (stage, script) = (stage.clone(), script.clone());
            async move {
                let transcript = play(&stage, &script).await;
                (script, transcript)
            }
        };
        let mut played =
            futures_util::stream::iter(harmless.into_iter().map(play_one)).buffer_unordered(AT_ONCE);
        while let Some((script, transcript)) = played.next().await {
            found(&script, transcript);
        }
        for script in hurting {
            let transcript = play(&stage, script).await;
            found(script, transcript);
            stage.mend();
            settings::recovered(&Player::new(stage.clone(), "recovered").await).await;
        }
    });
}

fn report(differences: &[String]) {
    assert!(differences.is_empty(), "\n{}\n{} differences", differences.join("\n\n"), differences.len());
}

#[test]
fn the_simulator_answers_as_every_record_says() {
    let mut differences = Vec::new();
    for script in wanted() {
        let record = records::read(&script.name);
        for version in versions(&Rules::KNOWN) {
            let Some(recorded) = record.get(&version) else {
                differences.push(format!("--- {} on {version}: there is no record", script.name));
                continue;
            };
            let found = simulated(&version, &script);
            if let Some(difference) = records::difference(recorded, &found) {
                differences.push(format!("--- {} on {version}\n{difference}", script.name));
            }
        }
    }
    report(&differences);
}

/// Against the records; or, when they are made, into them. Real brokers race, the more the busier the machine is: what
/// differs is played once more, alone on a fresh cluster, and counts if it differs again.
fn on_real_brokers(version: &str, scripts: &[Script]) -> Vec<String> {
    if std::env::var("RESTOW_CONFORMANCE").is_ok_and(|how| how == "record") {
        real(version, scripts, |Script { name, .. }, found| {
            let mut record = records::read(name);
            record.insert(version.to_owned(), found);
            records::write(name, &record);
        });
        return Vec::new();
    }
    let first = compared(version, scripts);
    if first.is_empty() {
        return Vec::new();
    }
    let texts: Vec<&str> = first.iter().map(|(_, text)| text.as_str()).collect();
    eprintln!("played once more, since they differ:\n{}", texts.join("\n"));
    let again = scripts.iter().filter(|script| first.iter().any(|(name, _)| *name == script.name));
    let again: Vec<Script> = again.map(|script| Script { hurts: true, ..script.clone() }).collect();
    compared(version, &again).into_iter().map(|(_, text)| text).collect()
}

/// The scenarios that differ from their records, with how.
fn compared(version: &str, scripts: &[Script]) -> Vec<(String, String)> {
    let mut differences = Vec::new();
    real(version, scripts, |Script { name, .. }, found| {
        let record = records::read(name);
        let none = Transcript::new();
        let difference = records::difference(record.get(version).unwrap_or(&none), &found);
        differences.extend(difference.map(|text| (name.clone(), format!("--- {name} on {version}\n{text}"))));
    });
    differences
}

#[test]
fn real_brokers_still_answer_as_recorded() {
    let Some(()) = available_or_skip() else { return };
    let harmless: Vec<Script> = wanted().into_iter().filter(|script| !script.hurts).collect();
    let differences: Vec<String> =
        LIVE.iter().flat_map(|version| on_real_brokers(version, &harmless)).collect();
    report(&differences);
}

#[test]
#[ignore = "ten minutes or more on real brokers: see the top of this file"]
fn every_version() {
    let Some(()) = available_or_skip() else { return };
    let scripts = wanted();
    let all = versions(&Rules::KNOWN);
    let differences: Vec<String> =
        all.iter().flat_map(|version| on_real_brokers(version, &scripts)).collect();
    report(&differences);
}

/// A record shows what was answered; the simulator's own answers beside it help while one is written.
#[test]
#[ignore = "prints; compares nothing"]
fn print_simulated() {
    for script in wanted() {
        for version in versions(&Rules::KNOWN) {
            println!("== {} {version}\n{}\n", script.name, simulated(&version, &script).join("\n"));
        }
    }
}
