//! Where the jars come from: Maven copies them once into `target/kafka/VERSION`; our Java programs are compiled beside.

use crate::process::say;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace, found from this crate's manifest.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in a workspace").to_path_buf()
}

/// `Ok` when the programs that real-Kafka tests need are on the PATH, else what is missing.
///
/// # Errors
/// The names of the missing programs.
pub fn available() -> Result<(), String> {
    let missing: Vec<&str> = ["java", "javac", "mvn", "sh"]
        .into_iter()
        .filter(|program| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            !std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("not on the PATH: {}", missing.join(", "))) }
}

/// The first line of every real-Kafka test: `let Some(()) = available_or_skip() else { return };`.
///
/// Without Java or Maven it says loudly that real-Kafka tests are skipped and gives `None`; with
/// `RESTOW_REAL_KAFKA=require` (as in CI) it panics instead, so that a green run cannot be an empty one.
#[must_use]
pub fn available_or_skip() -> Option<()> {
    let Err(missing) = available() else { return Some(()) };
    let required = std::env::var("RESTOW_REAL_KAFKA").is_ok_and(|value| value == "require");
    assert!(!required, "RESTOW_REAL_KAFKA=require, but {missing}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    say(&format!("=== SKIPPED: {test}: real-Kafka tests need java, javac and mvn ({missing}) ==="));
    None
}

/// One installed version: its jars, and our Java programs compiled against them.
#[derive(Debug, Clone)]
pub(crate) struct Install {
    pub(crate) version: String,
    classes: PathBuf,
    jars: PathBuf,
}

impl Install {
    /// The version's jars and classes, fetched and compiled first if this is the first time.
    pub(crate) fn of(version: &str) -> Install {
        let home = home();
        let pom = workspace_root().join("testdata/kafka").join(version).join("pom.xml");
        assert!(pom.is_file(), "no Kafka {version} here: {} does not exist", pom.display());
        let install = Install {
            version: version.to_owned(),
            classes: home.join(format!("{version}-classes")),
            jars: home.join(version),
        };
        let lock = File::create(home.join("install.lock")).expect("the install lock cannot be made");
        lock.lock().expect("the install lock cannot be taken");
        install.fetch(&pom);
        install.compile();
        install
    }

    /// The Java class path of this version.
    pub(crate) fn class_path(&self) -> String {
        format!("{}:{}/*", self.classes.display(), self.jars.display())
    }

    /// The flag that chooses a logging set-up, `broker` or `tool`.
    pub(crate) fn logging(&self, role: &str) -> String {
        let folder = workspace_root().join("testdata/kafka/logging");
        let old = self.version.starts_with("3.") || self.version.starts_with("2.");
        if old {
            format!("-Dlog4j.configuration=file:{}/{role}-log4j.properties", folder.display())
        } else {
            format!("-Dlog4j2.configurationFile={}/{role}-log4j2.properties", folder.display())
        }
    }

    fn fetch(&self, pom: &Path) {
        let wanted = fs::read_to_string(pom).expect("the pom cannot be read");
        let marker = self.jars.join("complete");
        if fs::read_to_string(&marker).is_ok_and(|fetched| fetched == wanted) {
            return;
        }
        say(&format!("fetching Kafka {} with Maven into {}", self.version, self.jars.display()));
        let _ = fs::remove_dir_all(&self.jars);
        run(Command::new("mvn")
            .args(["-q", "-B", "-f"])
            .arg(pom)
            .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", self.jars.display())));
        fs::write(marker, wanted).expect("the marker cannot be written");
    }

    fn compile(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("java/restow");
        let mut sources: Vec<PathBuf> = fs::read_dir(&folder)
            .expect("testing/java cannot be read")
            .map(|entry| entry.expect("testing/java cannot be read").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "java"))
            .collect();
        sources.sort();
        let text: String = sources
            .iter()
            .map(|path| fs::read_to_string(path).expect("a Java source cannot be read"))
            .collect();
        let marker = self.classes.join("compiled-from");
        if fs::read_to_string(&marker).is_ok_and(|compiled| compiled == text) {
            return;
        }
        say(&format!("compiling testing/java against Kafka {}", self.version));
        let _ = fs::remove_dir_all(&self.classes);
        fs::create_dir_all(&self.classes).expect("the folder of classes cannot be made");
        run(Command::new("javac")
            .args(["-proc:none", "-nowarn", "-cp"])
            .arg(format!("{}/*", self.jars.display()))
            .arg("-d")
            .arg(&self.classes)
            .args(&sources));
        fs::write(marker, text).expect("the marker cannot be written");
    }
}

/// `<workspace>/target/kafka`, wherever cargo's own target folder is.
pub(crate) fn home() -> PathBuf {
    let home = workspace_root().join("target/kafka");
    fs::create_dir_all(&home).expect("target/kafka cannot be made");
    home
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
