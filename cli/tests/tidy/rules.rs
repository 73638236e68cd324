//! The rules. Each gives what breaks it, with file and line.

use std::collections::BTreeMap;

use super::book::{self, Book, Imports};
use super::scan::{Mention, Source};

/// Lines that a file may have before its tests.
pub const MOST_LINES: usize = 400;

/// Files that are tests because another file declares them under `#[cfg(test)]` become test code.
pub fn mark_test_files(sources: &mut [Source]) {
    let declared: Vec<(String, Vec<String>)> = (sources.iter())
        .flat_map(|source| source.test_modules.iter().map(|path| (source.krate().to_owned(), path.clone())))
        .collect();
    for source in sources {
        let module = source.module();
        if declared.iter().any(|(krate, path)| source.krate() == krate && module.starts_with(path)) {
            source.mentions.iter_mut().for_each(|mention| mention.test = true);
            source.lines = 0;
        }
    }
}

/// Crates import what the table says.
pub fn imports(source: &Source, book: &Book) -> Vec<String> {
    let Some(allowed) = book.crates.get(source.krate()) else {
        return vec![format!("{}: crate {} is not in the table", source.file, source.krate())];
    };
    let wrong = |mention: &&Mention| {
        let Some(name) = mention.path[0].strip_prefix("restow_") else { return false };
        let may = name == source.krate()
            || allowed.code.contains(name)
            || (mention.test && allowed.tests.contains(name));
        book.crates.contains_key(name) && !may
    };
    let found = source.mentions.iter().filter(wrong);
    found
        .map(|m| format!("{}:{}: {} may not import {}", source.file, m.line, source.krate(), m.path[0]))
        .collect()
}

/// The planner's rooms import downward only; `check` and `place` do not know each other, tests included.
pub fn levels(source: &Source, book: &Book) -> Vec<String> {
    let (Some(room), "planner") = (source.room(), source.krate()) else { return Vec::new() };
    if room == "lib" {
        return Vec::new();
    }
    let Some(level) = book.levels.get(room) else {
        return vec![format!("{}: the room {room} has no level", source.file)];
    };
    let wrong = |mention: &&Mention| {
        let [first, other, ..] = mention.path.as_slice() else { return false };
        let apart = matches!((room, other.as_str()), ("check", "place") | ("place", "check"));
        let upward = book.levels.get(other).is_some_and(|theirs| theirs >= level) && other != room;
        first == "crate" && (apart || (upward && !mention.test))
    };
    let found = source.mentions.iter().filter(wrong);
    found.map(|m| format!("{}:{}: {room} may not import {}", source.file, m.line, m.path[1])).collect()
}

/// Third-party crates are named in their homes only. Integration tests may name them anywhere.
pub fn homes(source: &Source, book: &Book) -> Vec<String> {
    if !source.file.contains("/src/") {
        return Vec::new();
    }
    let at_home = |places: &Vec<String>| {
        places.iter().any(|place| {
            source.file == *place
                || source.file == format!("{place}.rs")
                || source.file.starts_with(&format!("{place}/"))
        })
    };
    let wrong = |mention: &&Mention| book.homes.get(&mention.path[0]).is_some_and(|places| !at_home(places));
    let found = source.mentions.iter().filter(wrong);
    found.map(|m| format!("{}:{}: {} is not at home here", source.file, m.line, m.path[0])).collect()
}

/// Every `select!` is biased, so that one seed gives one trace.
pub fn biased(source: &Source) -> Vec<String> {
    source.unbiased.iter().map(|line| format!("{}:{line}: select! without biased;", source.file)).collect()
}

/// Files stay short. Integration tests are tests, so they are not counted.
pub fn length(source: &Source) -> Vec<String> {
    let counted = source.file.contains("/src/");
    if counted && source.lines > MOST_LINES {
        vec![format!("{}: {} lines before its tests, {MOST_LINES} at most", source.file, source.lines)]
    } else {
        Vec::new()
    }
}

/// Manifests name no more of our crates than the table, and nobody's tests need what needs it.
pub fn manifests(found: &BTreeMap<String, Imports>, book: &Book) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, has) in found {
        let Some(may) = book.crates.get(name) else {
            wrong.push(format!("{name}/Cargo.toml: the crate is not in the table"));
            continue;
        };
        wrong.extend(has.code.difference(&may.code).map(|d| format!("{name}/Cargo.toml: depends on {d}")));
        let tests: Vec<_> =
            has.tests.iter().filter(|d| !may.tests.contains(*d) && !may.code.contains(*d)).collect();
        wrong.extend(tests.iter().map(|d| format!("{name}/Cargo.toml: dev-depends on {d}")));
        let back = has.tests.iter().filter(|d| book::reach(d, found).contains(name));
        wrong.extend(back.map(|d| format!("{name}/Cargo.toml: dev-depends on {d}, which depends on {name}")));
    }
    let missing = book.crates.keys().filter(|name| !found.contains_key(*name));
    wrong.extend(missing.map(|name| format!("CONTRIBUTING.md: crate {name} does not exist")));
    wrong
}
