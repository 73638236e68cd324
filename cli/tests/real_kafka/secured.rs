//! Secured listeners: the operator's own client.properties, with restow and with the stock tools.

use std::fs;
use std::time::Duration;

use restow_testing::{Kind, Spec, available_or_skip, wait_until};

use crate::world::{Out, World, files};

#[test]
fn secured_on_4_3_1() {
    let Some(()) = available_or_skip() else { return };
    let world = secured("4.3.1");
    for kind in Kind::ALL {
        Door::to(&world, kind).one_gated_step();
    }
    logins_are_renewed(&world);
    Door::to(&world, Kind::Mtls).there_and_back("3,4", "1,2");
    each_permission_is_missed(&world);
    no_secret_was_said(&world);
}

#[test]
fn secured_on_3_9_2() {
    let Some(()) = available_or_skip() else { return };
    let world = secured("3.9.2");
    for kind in Kind::ALL {
        Door::to(&world, kind).one_gated_step();
    }
    no_secret_was_said(&world);
}

/// Four brokers with a listener for each way to log in, which every 10 s wants to be logged in to anew; 12 MB on the
/// first two.
fn secured(version: &str) -> World {
    let brokers = [(1, "az-a"), (2, "az-b"), (3, "az-a"), (4, "az-b")];
    let spec = Spec::with_brokers(version, &brokers)
        .secured(&Kind::ALL)
        .authorized(&["User:admin"])
        .property("connections.max.reauth.ms", "10000");
    let world = World::start(spec).traced();
    let lists: Vec<Vec<i32>> = [[1, 2], [2, 1]].map(Vec::from).into_iter().cycle().take(6).collect();
    world.kafka.admin().create_topic("orders", &lists, &[]).unwrap();
    world.fill("orders", 12_000, 1_000);
    world.settle();
    for line in acls(&world, "apply") {
        world.kafka.acls(&line).expect_success();
    }
    world
}

/// The lines that restow prints, for the user and for the certificate.
fn acls(world: &World, purpose: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for principal in ["User:restow", "User:CN=restow"] {
        let out =
            world.restow(&["acls", "--principal", principal, "--for", purpose, "--bootstrap-server", "b:1"]);
        let text = out.exits(0).text;
        let told = text.lines().filter(|line| line.starts_with("kafka-acls"));
        lines.extend(told.map(|line| line.replace(" --bootstrap-server b:1", "")));
    }
    assert_eq!(lines.len(), 8, "{lines:?}");
    lines
}

/// One listener of a cluster.
struct Door<'a> {
    world: &'a World,
    kind: Kind,
    servers: String,
    config: String,
}

impl<'a> Door<'a> {
    fn to(world: &'a World, kind: Kind) -> Door<'a> {
        let config = world.kafka.client_properties(kind).display().to_string();
        Door { world, kind, servers: world.kafka.listener(kind), config }
    }

    /// Runs a verb through it, and keeps what it said.
    fn restow(&self, args: &[&str]) -> Out {
        let mut all = args.to_vec();
        all.extend(["--bootstrap-server", &self.servers, "--command-config", &self.config]);
        if self.kind == Kind::PlainClear {
            all.push("--allow-plaintext-credentials");
        }
        self.world.restow(&all)
    }

    fn plan(&self, name: &str, from: &str, to: &str) -> String {
        let plan = format!("{name}-{:?}.json", self.kind);
        self.restow(&["snapshot", "-o", "cluster.json"]).exits(0);
        let args = ["plan", "migrate", "--cluster", "cluster.json", "--from", from, "--to", to, "-o", &plan];
        self.world.restow(&args).exits(0);
        plan
    }

    fn apply(&self, plan: &str, more: &[&str]) -> Out {
        let args = ["apply", plan, "--yes", "--dwell", "1s", "--poll-interval", "500ms", "--sample", "0s"];
        self.restow(&[&args[..], &["--audit-log", "audit.jsonl"], more].concat())
    }

    /// Connects, plans, expands as far as the gate, and takes it back; the stock tool takes the same file.
    fn one_gated_step(&self) {
        let listed = self.world.kafka.through(self.kind).topics(&["--list"]).expect_success();
        assert_eq!(listed.trim(), "orders");
        if self.kind == Kind::PlainClear {
            let flags = ["--bootstrap-server", &self.servers, "--command-config", &self.config];
            let out = self.world.restow(&[&["snapshot", "-o", "refused.json"], &flags[..]].concat());
            out.exits(2).says("--allow-plaintext-credentials");
        }
        let doctor = self.restow(&["doctor"]).exits(0).says("permissions: all that are needed");
        if let Some(mechanism) = self.kind.mechanism() {
            doctor.says(mechanism);
        }
        let before = self.world.state();
        let plan = self.plan("step", "1,2", "3,4");
        self.apply(&plan, &["--throttle", "none"]).exits(4).says("gate before swap");
        assert_eq!(self.world.lists()[&("orders".into(), 0)].len(), 4);
        self.restow(&["rollback", &plan, "--yes", "--poll-interval", "500ms"]).exits(0);
        self.world.is_as(&before);
    }

    /// The whole of a migration, and of the one that leads back.
    fn there_and_back(&self, from: &str, to: &str) {
        for (name, from, to) in [("there", from, to), ("back", to, from)] {
            let plan = self.plan(name, from, to);
            self.apply(&plan, &["--throttle", "none", "--approve", "swap,shrink"]).exits(0);
            let to: Vec<i32> = to.split(',').map(|id| id.parse().unwrap()).collect();
            self.world.is_on(&to, &[]);
        }
    }
}

/// Row 4: a run of a minute, in which each connection is logged in to again and again.
fn logins_are_renewed(world: &World) {
    let door = Door::to(world, Kind::ScramSha512);
    let plan = door.plan("minute", "1,2", "3,4");
    let out = door.apply(&plan, &["--throttle", "200kB/s", "--approve", "swap,shrink"]).exits(0);
    let renewed = out.text.matches("the login is renewed").count();
    assert!(renewed > 10, "{renewed} renewals in:\n{}", out.text);
    for interruption in ["could not be renewed", "failed:"] {
        assert!(!out.text.contains(interruption), "{interruption:?} is in:\n{}", out.text);
    }
    world.is_on(&[3, 4], &[]);
}

/// Row 3: with each line left out in turn, nothing begins, and the line is named.
fn each_permission_is_missed(world: &World) {
    let door = Door::to(world, Kind::ScramSha256);
    let plan = door.plan("missed", "3,4", "1,2");
    let before = world.state();
    let all = acls(world, "apply");
    for line in all.iter().filter(|line| !line.contains("CN=restow")) {
        world.kafka.remove_acls(line).expect_success();
        refuses(&door, &["doctor"], 3, line);
        let out = door.apply(&plan, &["--throttle", "none"]);
        out.exits(6).says(flags(line));
        world.is_as(&before);
        world.kafka.acls(line).expect_success();
    }
    for line in all.iter().filter(|line| !line.contains("CN=restow")) {
        world.kafka.remove_acls(line).expect_success();
    }
    let look = acls(world, "plan");
    let look: Vec<&String> = look.iter().filter(|line| !line.contains("CN=restow")).collect();
    look.iter().for_each(|line| drop(world.kafka.acls(line).expect_success()));
    let is_allowed = || door.restow(&["doctor", "--for", "plan"]).code == 0;
    assert!(wait_until(Duration::from_secs(20), is_allowed), "{look:?}");
    door.restow(&["snapshot", "-o", "seen.json"]).exits(0);
    for line in look {
        world.kafka.remove_acls(line).expect_success();
        refuses(&door, &["snapshot", "-o", "unseen.json"], 6, line);
        assert!(!world.dir.join("unseen.json").exists());
        world.kafka.acls(line).expect_success();
    }
}

/// Waits until a change of ACLs is known to the brokers: then the verb ends so, and names the line and no other.
fn refuses(door: &Door<'_>, args: &[&str], code: i32, line: &str) {
    let mut said = String::new();
    let refused = wait_until(Duration::from_secs(20), || {
        let out = door.restow(args);
        said = out.text;
        out.code == code && said.matches("kafka-acls.sh --add").count() == 1
    });
    assert!(refused && said.contains(flags(line)), "{line}:\n{said}");
}

/// What a line grants; for topics without their names, since who lacks it on one topic is told that one.
fn flags(line: &str) -> &str {
    let flags = &line[line.find("--operation").unwrap()..];
    flags.split(" '").next().unwrap()
}

/// Row 5: nothing that was printed, traced, journalled, planned or audited holds a secret.
fn no_secret_was_said(world: &World) {
    let secrets = world.kafka.secrets();
    let written = files(&world.dir, "");
    assert!(written.iter().any(|path| path.ends_with("audit.jsonl")), "{written:?}");
    for path in written.iter().filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        if let Some(secret) = secrets.iter().find(|secret| text.contains(secret.as_str())) {
            panic!("{} holds a secret: {secret}", path.display());
        }
    }
    let said = fs::read_to_string(world.dir.join("said.log")).unwrap();
    assert!(said.contains("restow_client"), "nothing was traced");
}
