//! Holds the house plan: who may import whom, where third-party crates live, how long files are.
//!
//! The rules stand in the tables of CONTRIBUTING.md. Every rule is also shown a source that breaks it.

#[path = "tidy/book.rs"]
mod book;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/scan.rs"]
mod scan;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use book::{Book, Imports};
use scan::Source;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn the_book() -> Book {
    book::read(&text(&root().join("CONTRIBUTING.md")))
}

fn members() -> Vec<String> {
    let manifest = text(&root().join("Cargo.toml"));
    let line = manifest.lines().find(|line| line.starts_with("members")).expect("members");
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    for member in members() {
        for folder in ["src", "tests", "benches", "examples"] {
            collect(&root().join(&member).join(folder), &format!("{member}/{folder}"), &mut files);
        }
    }
    let mut sources: Vec<Source> = files.iter().map(|(path, name)| scan::scan(name, &text(path))).collect();
    assert!(sources.len() > 20, "only {} sources were found", sources.len());
    rules::mark_test_files(&mut sources);
    sources
}

fn collect(folder: &Path, name: &str, files: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let last = path.file_name().and_then(|last| last.to_str()).expect("a plain name");
        let name = format!("{name}/{last}");
        if path.is_dir() {
            collect(&path, &name, files);
        } else if last.ends_with(".rs") {
            files.push((path, name));
        }
    }
}

fn hold(rule: impl Fn(&Source) -> Vec<String>) {
    let broken: Vec<String> = sources().iter().flat_map(rule).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn crates_import_what_the_table_says() {
    let book = the_book();
    hold(|source| rules::imports(source, &book));
}

#[test]
fn manifests_name_what_the_table_says() {
    let manifest = |member: String| {
        let found = book::dependencies(&text(&root().join(&member).join("Cargo.toml")));
        (member, found)
    };
    let found: BTreeMap<String, Imports> = members().into_iter().map(manifest).collect();
    let broken = rules::manifests(&found, &the_book());
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_planners_rooms_import_downward() {
    let book = the_book();
    hold(|source| rules::levels(source, &book));
}

#[test]
fn third_party_crates_stay_at_home() {
    let book = the_book();
    hold(|source| rules::homes(source, &book));
}

#[test]
fn every_select_is_biased() {
    hold(rules::biased);
}

#[test]
fn files_are_short() {
    hold(rules::length);
}

/// Each rule is shown what breaks it and what does not.
mod the_rules_bite {
    use super::*;

    const TABLES: &str = "\
## Which crate may import which\n\n| crate | code | tests |\n|---|---|---|\n\
| `planner` | | |\n| `client` | `planner` | `simulator` |\n| `simulator` | `planner` | |\n\
\n## The planner's levels\n\n| level | rooms |\n|---|---|\n| L0 | `model` |\n| L3 | `check`, `place` |\n| L5 | `file` |\n\
\n## Homes of third-party crates\n\n| crate | home |\n|---|---|\n| `clap` | `cli/src/args`, `cli/src/main.rs` |\n";

    fn book() -> Book {
        book::read(TABLES)
    }

    fn broken(file: &str, source: &str, rule: fn(&Source, &Book) -> Vec<String>) -> usize {
        rule(&scan::scan(file, source), &book()).len()
    }

    #[test]
    fn imports_of_crates() {
        let wrong = [
            "use restow_client::Client;",
            "fn f() { restow_client::go(); }",
            "fn f(x: &dyn restow_client::Connect) {}",
            "use {restow_client as c, std::fmt};",
            "fn f() { println!(\"{}\", g(restow_client::NAME)); }",
            "#[derive(restow_client::Magic)] struct S;",
            "use restow_simulator::Rules;",
        ];
        for source in wrong {
            assert_eq!(broken("planner/src/model/a.rs", source, rules::imports), 1, "{source}");
        }
        assert_eq!(broken("client/src/a.rs", "use restow_planner::model;", rules::imports), 0);
        let tests = "#[cfg(test)] mod tests { use restow_simulator::Rules; }";
        assert_eq!(broken("client/src/a.rs", tests, rules::imports), 0);
        assert_eq!(broken("client/tests/a.rs", "use restow_simulator::Rules;", rules::imports), 0);
        assert_eq!(broken("client/src/a.rs", "use restow_simulator::Rules;", rules::imports), 1);
        assert_eq!(broken("simulator/tests/a.rs", "use restow_client::Client;", rules::imports), 1);
        assert_eq!(broken("stranger/src/lib.rs", "", rules::imports), 1);
    }

    #[test]
    fn levels_of_the_planner() {
        let wrong = [
            ("check/mod.rs", "use crate::place::plan;"),
            ("check/a.rs", "use super::super::place::plan;"),
            ("check/a.rs", "use crate::{model::BrokerId, place};"),
            ("place/deep/a.rs", "fn f() { crate::check::judge() }"),
            ("check/a.rs", "#[cfg(test)] mod tests { use crate::place; }"),
            ("model/a.rs", "fn f() { assert_eq!(crate::file::VERSION, 1); }"),
            ("unknown/a.rs", ""),
        ];
        for (file, source) in wrong {
            let file = format!("planner/src/{file}");
            assert_eq!(broken(&file, source, rules::levels), 1, "{file}: {source}");
        }
        let right = [
            ("check/mod.rs", "use crate::model::BrokerId; use crate::check::shape;"),
            ("check/shape/a.rs", "use super::super::safety; use self::place::x;"),
            ("file/a.rs", "use crate::place;"),
            ("model/a.rs", "#[cfg(test)] mod tests { use crate::file; }"),
            ("lib.rs", "use crate::place; use crate::check;"),
        ];
        for (file, source) in right {
            let file = format!("planner/src/{file}");
            assert_eq!(broken(&file, source, rules::levels), 0, "{file}: {source}");
        }
    }

    #[test]
    fn homes_of_crates() {
        assert_eq!(broken("cli/src/command/a.rs", "use clap::Parser;", rules::homes), 1);
        assert_eq!(broken("cli/src/argsx.rs", "use clap::Parser;", rules::homes), 1);
        assert_eq!(broken("cli/src/error.rs", "#[derive(clap::ValueEnum)] enum E {}", rules::homes), 1);
        assert_eq!(broken("cli/src/args/a.rs", "use clap::Parser;", rules::homes), 0);
        assert_eq!(broken("cli/src/main.rs", "use clap::Parser;", rules::homes), 0);
        assert_eq!(broken("cli/tests/a.rs", "use clap::Parser;", rules::homes), 0);
    }

    #[test]
    fn selects() {
        let count = |source: &str| rules::biased(&scan::scan("executor/src/a.rs", source)).len();
        assert_eq!(count("async fn f() { tokio::select! { a = x => {} } }"), 1);
        assert_eq!(count("async fn f() { select! { _ = biased => {} } }"), 1);
        assert_eq!(count("fn f() { wrap!(async { tokio::select! { a = x => {} } }) }"), 1);
        assert_eq!(count("fn f() { wrap!(async { tokio::select! { biased; a = x => {} } }) }"), 0);
        assert_eq!(count("async fn f() { tokio::select! { biased; a = x => {} } }"), 0);
    }

    #[test]
    fn lengths() {
        let long = |lines: usize, tests: usize| {
            let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(tests));
            rules::length(&scan::scan("cli/src/a.rs", &format!("{}{tests}", "\n".repeat(lines)))).len()
        };
        assert_eq!((long(400, 900), long(401, 0)), (0, 1));
    }

    #[test]
    fn test_modules_in_files_of_their_own() {
        let mut sources = vec![
            scan::scan("client/src/a/mod.rs", "#[cfg(test)] mod tests;"),
            scan::scan("client/src/a/tests.rs", "use restow_simulator::Rules;"),
            scan::scan("client/src/b/tests.rs", "use restow_simulator::Rules;"),
        ];
        rules::mark_test_files(&mut sources);
        let broken = |at: usize| rules::imports(&sources[at], &book()).len();
        assert_eq!((broken(1), broken(2)), (0, 1));
    }

    #[test]
    fn manifests() {
        let crates = |client: &str, simulator: &str| {
            let found = [("planner", ""), ("client", client), ("simulator", simulator)];
            let found = found.map(|(name, text)| (name.to_owned(), book::dependencies(text)));
            rules::manifests(&BTreeMap::from(found), &book())
        };
        let good = "[dependencies]\nrestow-planner = { workspace = true }\n";
        assert_eq!(crates(good, good), Vec::<String>::new());
        let back = format!("{good}[dev-dependencies]\nrestow-client.workspace = true\n");
        assert_eq!(crates(good, &back).len(), 1);
        let circle = "[dependencies]\nrestow-client = \"1\"\n";
        let broken = crates("[dev-dependencies]\nrestow-simulator = \"1\"\n", circle);
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(broken.iter().any(|line| line.contains("dev-depends on simulator, which depends on client")));
    }
}
