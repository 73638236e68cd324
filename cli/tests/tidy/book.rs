//! The tables of CONTRIBUTING.md and the manifests: what the rules are.

use std::collections::{BTreeMap, BTreeSet};

/// What a crate may import, by the names of their folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imports {
    /// Everywhere.
    pub code: BTreeSet<String>,
    /// In tests, examples and benches besides.
    pub tests: BTreeSet<String>,
}

/// The rules of CONTRIBUTING.md.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Our crates.
    pub crates: BTreeMap<String, Imports>,
    /// The planner's rooms with their levels.
    pub levels: BTreeMap<String, usize>,
    /// Third-party crates with the only places that may name them.
    pub homes: BTreeMap<String, Vec<String>>,
}

/// Reads the tables.
pub fn read(text: &str) -> Book {
    let mut book = Book::default();
    for row in table(text, "## Which crate may import which") {
        let [name, code, tests] = row.as_slice() else { panic!("three columns: {row:?}") };
        let imports = Imports { code: names(code).collect(), tests: names(tests).collect() };
        book.crates.extend(names(name).map(|name| (name, imports.clone())));
    }
    for row in table(text, "## The planner's levels") {
        let [level, rooms] = row.as_slice() else { panic!("two columns: {row:?}") };
        let level = level.trim().trim_start_matches('L').parse().expect("a level like L0");
        book.levels.extend(names(rooms).map(|room| (room, level)));
    }
    for row in table(text, "## Homes of third-party crates") {
        let [name, places] = row.as_slice() else { panic!("two columns: {row:?}") };
        let places: Vec<String> = names(places).collect();
        book.homes.extend(names(name).map(|name| (name, places.clone())));
    }
    assert!(
        !book.crates.is_empty() && !book.levels.is_empty() && !book.homes.is_empty(),
        "a table is missing"
    );
    book
}

/// The rows under the first table after a heading, without its head.
fn table<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let mut lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let is_row = |line: &&str| line.starts_with('|');
    let first = lines.by_ref().find(|line| is_row(line) || line.starts_with("## "));
    assert!(first.is_some_and(|line| is_row(&line)), "no table under {heading:?}");
    let rows = lines.take_while(is_row).skip(1);
    rows.map(|row| row.trim_matches('|').split('|').collect()).collect()
}

/// What stands in backquotes.
fn names(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// Our crates among the dependencies of a manifest: for code, and for tests.
pub fn dependencies(manifest: &str) -> Imports {
    let mut found = Imports::default();
    let mut section = "";
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some(rest) = line.strip_prefix("restow-") {
            let name = rest.split([' ', '.', '=']).next().unwrap_or_default().to_owned();
            match section {
                "dependencies" | "build-dependencies" => found.code.insert(name),
                "dev-dependencies" => found.tests.insert(name),
                _ => false,
            };
        }
    }
    found
}

/// Everything that a crate reaches over code dependencies.
pub fn reach(name: &str, crates: &BTreeMap<String, Imports>) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        for dependency in crates.get(&next).iter().flat_map(|imports| &imports.code) {
            if known.insert(dependency.clone()) {
                open.push(dependency.clone());
            }
        }
    }
    known
}
