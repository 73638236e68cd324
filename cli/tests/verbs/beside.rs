//! What a person knows beside a snapshot: topology, rates, several snapshots in one; and made-up fleets.

use std::fs;
use std::path::Path;

use restow_planner::file;
use restow_planner::model::Cluster;

use crate::{Ran, Room};

const TOPOLOGY: &str = "[zones.east]\nracks = [\"az-a\"]\n[zones.west]\nbrokers = [3, 6]\n";
const HEADER: &str = "topic,partition,write_bytes_per_second,read_bytes_per_second,requests_per_second\n";

fn cluster(room: &Room, name: &str) -> Cluster {
    file::snapshot::read(room.read(name).as_bytes(), name).expect("a snapshot")
}

/// The first block of this language in docs/topology.md.
fn documented(language: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/topology.md");
    let page = fs::read_to_string(page).expect("the page");
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a block");
    rest.split_once("```").expect("its end").0.to_owned()
}

impl Room {
    /// Plans the story with more flags, without a file changed if it fails.
    #[track_caller]
    fn refuses(&self, more: &[&str]) -> Ran {
        self.unchanged_by(|| self.plan(&[&["--leave-out-refused"][..], more].concat())).exits(2).fails_once()
    }
}

#[test]
fn the_documented_files_are_read() {
    let room = Room::new();
    room.write("t.toml", &documented("toml"));
    room.write("r.csv", &documented("csv"));
    room.plan(&["--leave-out-refused", "--topology", "t.toml", "--rates", "r.csv"]).exits(0);
    room.restow(&["show", "plan.json"]).exits(0).says("east  1, 2, 4, 5").says("west  3, 6");
    let with = ["--cluster", "cluster.json", "--topology", "t.toml", "--rates", "r.csv"];
    room.restow(&[&["check", "plan.json"][..], &with].concat()).exits(0);
    room.restow(&[&["forecast", "plan.json", "--throttle", "50MB/s"][..], &with].concat()).exits(0);
}

#[test]
fn a_person_binds_topics_to_zones_and_pins_brokers() {
    let room = Room::new();
    room.write("t.toml", "[topics]\n'orders.*' = ['az-a']\n");
    let plan = |more: &[&str]| {
        room.restow(&[&["plan"], more, &["--cluster", "cluster.json", "-o", "p.json"]].concat())
    };
    plan(&["set-rf", "--replication-factor", "3", "--topics", "orders.*", "--topology", "t.toml"]).exits(0);
    room.restow(&["check", "p.json", "--cluster", "cluster.json", "--topology", "t.toml"]).exits(0);
    room.write("t.toml", "[topics]\n'orders' = ['az-a']\n");
    plan(&["repair", "--topology", "t.toml"])
        .exits(2)
        .says("t.toml, line 2, topics.orders: no topic of the snapshot has such a name");
    plan(&["rebalance", "--spread-topics", "--pin-brokers", "1,2"]).exits(0);
    plan(&["drain", "--brokers", "2", "--pin-brokers", "2"])
        .exits(2)
        .says("--pin-brokers: broker 2 is one that");
}

#[test]
fn flags_win_over_the_topology_file() {
    let room = Room::new();
    room.write("t.toml", TOPOLOGY);
    room.plan(&["--leave-out-refused", "--topology", "t.toml", "--map-zone", "west=sunset"]).exits(0);
    room.restow(&["show", "plan.json"]).exits(0).says("sunset  3, 6");
    room.plan(&["--leave-out-refused", "--topology", "t.toml", "--zone", "2=west", "--zone", "5=west"])
        .exits(0);
    room.restow(&["show", "plan.json"]).exits(0).says("west  2, 3, 5, 6");
}

#[test]
fn a_topology_that_does_not_fit_is_named() {
    let room = Room::new();
    for (found, instead, says) in [
        (
            "[3, 6]",
            "[3, 9]",
            "t.toml, line 4, zones.west: broker 9 is not in the snapshot; the brokers are 1, 2, 3,",
        ),
        (
            "\"az-a\"",
            "\"az-x\"",
            "t.toml, line 2, zones.east: no broker is in rack \"az-x\"; the racks are az-a, az-b",
        ),
        (
            "[3, 6]",
            "[3, 1]",
            "t.toml, line 4, zones.west: broker 1 is in zone east too, by its rack \"az-a\" (line 2)",
        ),
        ("racks", "rakcs", "t.toml, line 2: unknown field `rakcs`, expected `racks` or `brokers`"),
        ("[zones.west]", "[zones.west", "t.toml, line 3: "),
    ] {
        room.write("t.toml", &TOPOLOGY.replacen(found, instead, 1));
        room.refuses(&["--topology", "t.toml"]).says(says);
    }
    room.refuses(&["--topology", "missing.toml"]).says("missing.toml: cannot read");
}

#[test]
fn round_trips_come_from_the_file_and_flags_win() {
    let room = Room::with_plan();
    let forecast = |more: &[&str]| {
        let verb = [
            "forecast",
            "plan.json",
            "--cluster",
            "cluster.json",
            "--throttle",
            "50MB/s",
            "--format",
            "json",
        ];
        room.restow(&[&verb[..], more].concat())
    };
    // Sockets bound a copy only over a link whose length is known.
    let sockets = "\"unseen\":[],\"sockets\":{\"receive_buffer\":65536,\"fetchers\":1}}";
    let text = room.read("cluster.json").replace("\"unseen\":[]}", sockets);
    room.write("cluster.json", &text);
    room.write("t.toml", "[rtt]\n\"az-a:az-b\" = \"2s\"\n");
    let free = forecast(&[]).exits(0).out;
    let slow = forecast(&["--rtt", "az-a:az-b=2s"]);
    let from_file = forecast(&["--topology", "t.toml"]);
    assert_eq!((slow.code, &slow.out), (from_file.code, &from_file.out));
    assert_ne!(slow.out, free, "the link is felt");
    let both = forecast(&["--topology", "t.toml", "--rtt", "az-b:az-a=1ms"]);
    assert_eq!(both.out, forecast(&["--rtt", "az-a:az-b=1ms"]).out, "the flag wins");

    room.write("t.toml", "[zones.east]\nracks = [\"az-a\"]\n[rtt]\n\"east:az-b\" = \"2s\"\n");
    forecast(&["--topology", "t.toml"])
        .exits(2)
        .says("t.toml, line 4, rtt.east:az-b: no broker of the plan is in zone east");
    let apply = ["apply", "plan.json", "--bootstrap-server", "127.0.0.1:1", "--throttle", "none", "--yes"];
    room.unchanged_by(|| room.restow(&[&apply[..], &["--topology", "t.toml"]].concat()))
        .exits(2)
        .fails_once()
        .says("t.toml, line 4, rtt.east:az-b");
}

#[test]
fn rates_are_merged_and_the_last_layout_is_kept() {
    let room = Room::new();
    let base = room.read("cluster.json");
    let line =
        |partition: u32, rest: &str| format!("\"topic\":\"orders.v1\",\"partition\":{partition},{rest}");
    assert!(base.contains(&line(0, "\"replicas\"")), "the story has orders.v1-0");
    let with = |name: &str, rate: u64| {
        let rates = format!("\"write_rate\":{rate},\"request_rate\":{}", rate / 100);
        let (found, instead) = (line(0, "\"replicas\""), line(0, &format!("{rates},\"replicas\"")));
        room.write(name, &base.replacen(&found, &instead, 1));
    };
    for (name, rate) in [("a.json", 500), ("b.json", 900), ("c.json", 100)] {
        with(name, rate);
    }
    let rates =
        |name: &str, partition: i32| cluster(&room, name).find("orders.v1", partition).expect("it").rates();
    room.restow(&["snapshot", "merge", "a.json", "b.json", "c.json", "-o", "m.json"])
        .exits(0)
        .says("Merged 3 snapshots of cluster two-az-cluster-of-files")
        .says("Write rates are known of 1 partition, read rates of 0, request rates of 1.");
    let kept = [rates("m.json", 0), rates("m.json", 1)];
    assert_eq!(kept, [[Some(900), None, Some(9)], [None; 3]], "unknown stays unknown");
    room.restow(&["snapshot", "merge", "a.json", "b.json", "c.json", "-o", "p.json", "--percentile", "50"])
        .exits(0);
    assert_eq!(rates("p.json", 0), [Some(500), None, Some(5)]);
    let same = room.read("p.json").replace(",\"write_rate\":500,\"request_rate\":5", "");
    assert_eq!(
        cluster(&room, "cluster.json"),
        file::snapshot::read(same.as_bytes(), "p").expect("a snapshot")
    );

    room.write("other.json", &base.replacen("two-az-cluster-of-files", "another", 1));
    room.unchanged_by(|| room.restow(&["snapshot", "merge", "other.json", "a.json", "-o", "n.json"]))
        .exits(2)
        .fails_once()
        .says(
            "other.json: is of cluster another, and the last snapshot is of cluster two-az-cluster-of-files",
        );
}

#[test]
fn a_rates_file_that_does_not_fit_is_named() {
    let room = Room::new();
    for (text, says) in [
        (
            format!("{HEADER}nothing,,1,1,1\n"),
            "r.csv, line 2, topic nothing: the topic is not in the snapshot",
        ),
        (format!("{HEADER}orders.v1,999,1,1,1\n"), "r.csv, line 2, partition orders.v1-999: the topic has "),
        (
            format!("{HEADER}orders.v1,0,-1,1,1\n"),
            "r.csv, line 2, orders.v1: write_bytes_per_second is -1: expected",
        ),
        (
            "topic,rate\n".to_owned(),
            "r.csv, line 1, header: column \"rate\" is not known: expected topic,partition,",
        ),
        (String::new(), "r.csv: is empty"),
    ] {
        room.write("r.csv", &text);
        room.refuses(&["--rates", "r.csv"]).says(says);
    }
}

#[test]
fn a_fleet_is_one_snapshot_for_each_cluster() {
    let room = Room::new();
    room.restow(&["generate", "--class", "FLEET", "--seed", "5", "-o", "fleet"])
        .exits(0)
        .says("154 clusters: 1,050 brokers, ")
        .says("570,000 partitions");
    assert_eq!(fs::read_dir(room.dir.join("fleet")).expect("the directory").count(), 154);
    let one = cluster(&room, "fleet/fleet-154.json");
    assert_eq!(one.id, "fleet-154-5");
    assert!(one.brokers.iter().all(|broker| broker.node.is_some()), "node types are kept");
    room.restow(&["generate", "--class", "FLEET", "-o", "fleet"]).exits(2).fails_once().says("not empty");
    room.restow(&["generate", "--class", "FLEET", "--rf2", "-o", "f"]).exits(2).fails_once().says("--rf2");
}

#[test]
fn disks_are_as_full_as_asked() {
    let room = Room::new();
    room.restow(&["generate", "--class", "S", "--utilisation", "90", "-o", "s.json"]).exits(0);
    let dirs = cluster(&room, "s.json").brokers;
    let used = |b: &restow_planner::model::Broker| {
        let dir = &b.log_dirs[0];
        let (total, usable) = (dir.total_bytes.expect("known"), dir.usable_bytes.expect("known"));
        u128::from(total - usable) * 100 / u128::from(total)
    };
    let most = dirs.iter().map(used).max();
    assert!(matches!(most, Some(89..=90)), "{most:?}");
}
