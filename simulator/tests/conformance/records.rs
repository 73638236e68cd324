//! What real brokers answered: one file for each scenario, one section for all versions that answered the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::script::Script;

/// Lines: a step as it stands in the scenario, then what came of it, indented.
pub type Transcript = Vec<String>;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/conformance").join(name)
}

/// All scenarios, by name.
pub fn scripts() -> Vec<Script> {
    let entries = fs::read_dir(folder("scenarios")).expect("testdata/conformance/scenarios");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let script = |path: &PathBuf| {
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
        Script::parse(name, &fs::read_to_string(path).expect("a scenario"))
    };
    files.iter().map(script).collect()
}

/// The record of a scenario: version → transcript.
pub fn read(scenario: &str) -> BTreeMap<String, Transcript> {
    let text = fs::read_to_string(folder("records").join(format!("{scenario}.txt"))).unwrap_or_default();
    let mut record = BTreeMap::new();
    let mut versions: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(head) = line.strip_prefix("== ") {
            versions = head.split(' ').collect();
            continue;
        }
        for version in &versions {
            record.entry((*version).to_owned()).or_insert_with(Transcript::new).push(line.to_owned());
        }
    }
    record
}

/// Writes a record; versions that answered the same share a section.
pub fn write(scenario: &str, record: &BTreeMap<String, Transcript>) {
    let mut sections: Vec<(Vec<&str>, &Transcript)> = Vec::new();
    for (version, transcript) in record {
        match sections.iter_mut().find(|(_, same)| *same == transcript) {
            Some((versions, _)) => versions.push(version),
            None => sections.push((vec![version], transcript)),
        }
    }
    let section = |(versions, lines): &(Vec<&str>, &Transcript)| {
        format!("== {}\n{}\n", versions.join(" "), lines.join("\n"))
    };
    let text: Vec<String> = sections.iter().map(section).collect();
    fs::create_dir_all(folder("records")).expect("testdata/conformance/records");
    fs::write(folder("records").join(format!("{scenario}.txt")), text.join("\n")).expect("a record");
}

/// The steps whose answers differ, recorded against found.
pub fn difference(recorded: &[String], found: &[String]) -> Option<String> {
    if recorded == found {
        return None;
    }
    let steps = |lines: &[String]| -> Vec<Vec<String>> {
        let mut steps: Vec<Vec<String>> = Vec::new();
        for line in lines {
            match steps.last_mut() {
                Some(step) if line.starts_with(' ') => step.push(line.clone()),
                _ => steps.push(vec![line.clone()]),
            }
        }
        steps
    };
    let (recorded, found) = (steps(recorded), steps(found));
    let mut text = Vec::new();
    for n in 0..recorded.len().max(found.len()) {
        let none = Vec::new();
        let (was, is) = (recorded.get(n).unwrap_or(&none), found.get(n).unwrap_or(&none));
        if was != is {
            text.push(was.first().or(is.first()).cloned().unwrap_or_default());
            text.extend(was.iter().skip(1).map(|line| format!("  recorded {line}")));
            text.extend(is.iter().skip(1).map(|line| format!("  found    {line}")));
            if was.first() != is.first() {
                text.push("  the record is of another scenario text: record it again".to_owned());
                break;
            }
        }
    }
    Some(text.join("\n"))
}
