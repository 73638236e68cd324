//! Where the jars come from: Maven copies them once into `target/kafka/VERSION`; our Java programs are compiled beside.

use crate::process::{end, say, wait};
use crate::spec::HOST;
use std::fs::{self, File};
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

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
    let missing: Vec<&str> = ["java", "javac", "jar", "keytool", "mvn", "openssl", "sh"]
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
/// Without a JDK, Maven or openssl it says loudly that real-Kafka tests are skipped and gives `None`; with
/// `RESTOW_REAL_KAFKA=require` (as in CI) it panics instead, so that a green run cannot be an empty one.
#[must_use]
pub fn available_or_skip() -> Option<()> {
    let Err(missing) = available() else { return Some(()) };
    let required = std::env::var("RESTOW_REAL_KAFKA").is_ok_and(|value| value == "require");
    assert!(!required, "RESTOW_REAL_KAFKA=require, but {missing}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    say(&format!("=== SKIPPED: {test}: real-Kafka tests need a JDK, Maven and openssl ({missing}) ==="));
    None
}

/// One installed version: its jars, our Java programs compiled against them, and an archive of loaded classes.
#[derive(Debug, Clone)]
pub(crate) struct Install {
    pub(crate) version: String,
    /// What is made from the jars: `classes.jar`, `classes.jsa`.
    made: PathBuf,
    jars: PathBuf,
    class_path: String,
    /// More flags of every JVM.
    pub(crate) flags: Vec<String>,
}

impl Install {
    /// The version's jars and classes, fetched and compiled first if this is the first time.
    pub(crate) fn of(version: &str) -> Install {
        let home = home();
        let pom = workspace_root().join("testdata/kafka").join(version).join("pom.xml");
        assert!(pom.is_file(), "no Kafka {version} here: {} does not exist", pom.display());
        let mut install = Install {
            version: version.to_owned(),
            made: home.join(format!("{version}-classes")),
            jars: home.join(version),
            class_path: String::new(),
            flags: Vec::new(),
        };
        let lock = File::create(home.join("install.lock")).expect("the install lock cannot be made");
        lock.lock().expect("the install lock cannot be taken");
        install.fetch(&pom);
        // In a fixed order: an archive of classes is only good for the class path that it was made with.
        install.class_path = install.made.join("classes.jar").display().to_string();
        for jar in files(&install.jars, "jar") {
            install.class_path.push_str(&format!(":{}", jar.display()));
        }
        if install.runs_our_programs() {
            install.compile();
        }
        install
    }

    /// Whether our Java programs compile against it; older releases only serve as brokers.
    pub(crate) fn runs_our_programs(&self) -> bool {
        !["2.", "3.0.", "3.1.", "3.2.", "3.3.", "3.4.", "3.5.", "3.6."]
            .iter()
            .any(|old| self.version.starts_with(old))
    }

    /// `java` with the class path of this version and a logging set-up, `broker` or `tool`.
    pub(crate) fn java(&self, logging: &str) -> Command {
        let mut command = Command::new("java");
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xlog:disable"]);
        command.arg(format!("-XX:SharedArchiveFile={}", self.made.join("classes.jsa").display()));
        command.arg(self.logging(logging)).args(&self.flags).args(["-cp", &self.class_path]);
        command
    }

    /// The flag that chooses a logging set-up.
    fn logging(&self, role: &str) -> String {
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
        let sources = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("java/restow"), "java");
        let mut text = run(Command::new("java").arg("-version"));
        for path in &sources {
            text.push_str(&fs::read_to_string(path).expect("a Java source cannot be read"));
        }
        let marker = self.made.join("made-from");
        if fs::read_to_string(&marker).is_ok_and(|made| made == text) {
            return;
        }
        say(&format!("compiling testing/java against Kafka {}", self.version));
        let _ = fs::remove_dir_all(&self.made);
        let classes = self.made.join("classes");
        fs::create_dir_all(&classes).expect("the folder of classes cannot be made");
        let javac = ["-proc:none", "-nowarn", "-cp", &self.class_path, "-d"];
        run(Command::new("javac").args(javac).arg(&classes).args(&sources));
        let jar = self.made.join("classes.jar");
        run(Command::new("jar").arg("cf").arg(jar).arg("-C").arg(&classes).arg("."));
        self.archive();
        fs::write(marker, text).expect("the marker cannot be written");
    }

    /// Makes the archive that halves the start of a JVM. Without it all works, only slower.
    fn archive(&self) {
        say("archiving its loaded classes, so that brokers start in half the time");
        let directory = self.made.join("train");
        fs::create_dir_all(&directory).expect("the folder for the archive cannot be made");
        let ports: Vec<String> = free_ports(2, 16_000..20_000).iter().map(ToString::to_string).collect();
        let log = File::create(self.made.join("train.log")).expect("train.log cannot be made");
        let mut child = Command::new("java")
            .args(["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg(format!("-XX:ArchiveClassesAtExit={}", self.made.join("classes.jsa").display()))
            .arg(self.logging("broker"))
            .arg(format!("-Drestow.log={}", self.made.join("train-kafka.log").display()))
            .args(["-cp", &self.class_path, "restow.Train"])
            .arg(&directory)
            .args(ports)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("java cannot be run");
        wait(&mut child, Duration::from_secs(120));
        end(&mut child);
        let _ = fs::remove_dir_all(directory);
        if !self.made.join("classes.jsa").is_file() {
            say(&format!(
                "there is no archive (see {}/train.log): brokers start slowly",
                self.made.display()
            ));
        }
    }
}

/// Ports of a range that nobody listens on. They are below those that the system takes for outgoing connections (32768
/// and up on Linux), else a client could sit on a broker's port while that broker is down. Clusters of tests have a range
/// of their own: a port of theirs looks free while its broker is dead.
pub(crate) fn free_ports(count: usize, range: Range<u16>) -> Vec<u16> {
    // Processes begin at different places, so that they seldom meet.
    let places = u32::from(range.end - range.start) / 200;
    let from = range.start + u16::try_from(std::process::id() % places).unwrap_or(0) * 100;
    let free = |port: &u16| TcpListener::bind((HOST, *port)).is_ok();
    let ports: Vec<u16> = (from..range.end).filter(free).take(count).collect();
    assert_eq!(ports.len(), count, "no {count} free ports from {from} to {}", range.end);
    ports
}

/// The ports of tests' clusters.
pub(crate) const PORTS: Range<u16> = 20_000..32_000;

/// The files of a folder with this extension, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// `<workspace>/target/kafka`, wherever cargo's own target folder is.
pub(crate) fn home() -> PathBuf {
    let home = workspace_root().join("target/kafka");
    fs::create_dir_all(&home).expect("target/kafka cannot be made");
    home
}

/// Runs a command that must succeed; what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let text = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed:\n{text}");
    text
}
