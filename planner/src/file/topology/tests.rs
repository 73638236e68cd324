use super::*;
use crate::model::{Broker, Cluster, ClusterBuilder};

const GOOD: &str = "\
[zones.az-a]
racks = [\"r1\",
         \"r2\"]
[zones.az-b]
racks = [\"r3\"]
brokers = [5]

[node_types.\"r6g.large\"]
disk_bytes = 500_000_000_000
network_bytes_per_second = 93_750_000
replicas = 1000
price_per_month = 92.4
[node_types.plain]

[nodes]
\"r6g.large\" = [1, 2]
plain = [3]

[rtt]
\"az-a:az-b\" = \"60ms\"
";

/// Brokers 1 to 4 in racks r1 to r4, and 5 without one.
fn cluster() -> Cluster {
    let broker = |id: i32| {
        let rack = (id < 5).then(|| format!("r{id}"));
        Broker { zone: rack.clone(), rack, ..Broker::bare(BrokerId(id)) }
    };
    let build = ClusterBuilder::new("c", (1..=5).map(broker).collect()).unwrap();
    build.finish(String::new(), vec![])
}

fn good() -> TopologyFile {
    read(GOOD.as_bytes(), "t.toml").unwrap()
}

fn fault(text: &str) -> String {
    let read = read(text.as_bytes(), "t.toml");
    let mut cluster = cluster();
    let before = cluster.clone();
    let error = match read {
        Err(error) => error,
        Ok(file) => file.apply_to(&mut cluster).expect_err(text),
    };
    assert_eq!(cluster, before, "bad input changes nothing");
    error.to_string()
}

#[track_caller]
fn edited(found: &str, instead: &str) -> String {
    assert!(GOOD.contains(found), "{found}");
    fault(&GOOD.replacen(found, instead, 1))
}

#[test]
fn zones_and_node_types_are_set() {
    let mut cluster = cluster();
    good().apply_to(&mut cluster).unwrap();
    let zones: Vec<&str> = cluster.brokers.iter().map(|b| b.zone.as_deref().unwrap()).collect();
    assert_eq!(zones, ["az-a", "az-a", "az-b", "r4", "az-b"], "two racks are one zone; r4 stays");
    assert_eq!(cluster.brokers[0].rack.as_deref(), Some("r1"), "the rack is Kafka's");
    let node = cluster.brokers[1].node.clone().unwrap();
    assert_eq!((node.name.as_str(), node.disk_bytes), ("r6g.large", Some(500_000_000_000)));
    assert_eq!((node.network_bytes_per_second, node.replicas), (Some(93_750_000), Some(1000)));
    assert_eq!(node.price_per_month, Some(9240));
    let plain = cluster.brokers[2].node.clone().unwrap();
    assert_eq!((plain.name.as_str(), plain.disk_bytes, plain.price_per_month), ("plain", None, None));
    assert_eq!(cluster.brokers[3].node, None);
    let rtt = Rtt { a: "az-a".into(), b: "az-b".into(), micros: 60_000, line: 20 };
    assert_eq!(good().rtt(), [rtt]);
}

#[test]
fn an_empty_file_says_nothing() {
    let mut same = cluster();
    read(&b"# nothing\n"[..], "t.toml").unwrap().apply_to(&mut same).unwrap();
    assert_eq!(same, cluster());
}

#[test]
fn a_price_with_three_decimals_is_refused() {
    let message = edited("92.4", "92.405");
    assert!(message.starts_with("t.toml, line 12, node_types.r6g.large: price_per_month is 92.405: "));
}

#[test]
fn what_is_no_member_is_named() {
    let message = edited("racks = [\"r3\"]", "rack = [\"r3\"]");
    assert!(message.starts_with("t.toml, line 5: "), "{message}");
    assert!(message.contains("unknown field `rack`, expected `racks` or `brokers`"), "{message}");
    assert!(edited("[rtt]", "[latency]").contains("unknown field `latency`"));
    assert!(edited("replicas = 1000", "replicas = \"many\"").starts_with("t.toml, line 11: "));
    assert!(edited("[nodes]", "[nodes").starts_with("t.toml, line 15: "));
    assert!(fault("\u{0}").starts_with("t.toml, line 1: "));
    let bytes = read(&[0xff, 0xfe][..], "t.toml").unwrap_err().to_string();
    assert_eq!(bytes, "t.toml: is not text in UTF-8");
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    for (found, instead, says) in [
        (
            "brokers = [5]",
            "brokers = [9]",
            "t.toml, line 6, zones.az-b: broker 9 is not in the snapshot; the brokers are 1, 2, 3, 4, 5",
        ),
        (
            "plain = [3]",
            "plain = [7]",
            "t.toml, line 17, nodes.plain: broker 7 is not in the snapshot; the brokers are 1, 2, 3, 4, 5",
        ),
        (
            "\"r2\"]",
            "\"r9\"]",
            "t.toml, line 3, zones.az-a: no broker is in rack \"r9\"; the racks are r1, r2, r3, r4",
        ),
        (
            "brokers = [5]",
            "brokers = [1]",
            "t.toml, line 6, zones.az-b: broker 1 is in zone az-a too, by its rack \"r1\" (line 2): \
             expected one zone for it",
        ),
        (
            "\"r2\"]",
            "\"r2\"]\nbrokers = [5]",
            "t.toml, line 7, zones.az-b: broker 5 is in zone az-a too (line 4): expected one zone for it",
        ),
        (
            "\"r3\"]",
            "\"r2\"]",
            "t.toml, line 5, zones.az-b: rack \"r2\" is in zone az-a too (line 3): expected one zone for it",
        ),
        (
            "plain = [3]",
            "fancy = [3]",
            "t.toml, line 17, nodes: node type \"fancy\" is not defined in node_types; these are: plain, r6g.large",
        ),
        (
            "plain = [3]",
            "plain = [2]",
            "t.toml, line 16, nodes.r6g.large: broker 2 is of type plain too (line 17): expected one type for it",
        ),
        (
            "az-a:az-b",
            "az-a:az-c",
            "t.toml, line 20, rtt.az-a:az-c: no broker is in zone az-c; the zones are az-a, az-b, r4",
        ),
        (
            "az-a:az-b",
            "az-a",
            "t.toml, line 20, rtt: \"az-a\" is not a pair of zones: expected \"az-a:az-b\"",
        ),
        (
            "brokers = [5]",
            "brokers = [-5]",
            "t.toml, line 6, zones.az-b: -5 is not a broker id: expected 0 or more",
        ),
    ] {
        assert_eq!(edited(found, instead), says);
    }
    assert!(edited("60ms", "0ms").contains("rtt.az-a:az-b: \"0ms\" is not a round-trip time"));
    let twice = edited("\"60ms\"", "\"60ms\"\n\"az-b:az-a\" = \"1s\"");
    assert!(
        twice.ends_with("line 21, rtt.az-b:az-a: the pair stands on line 20 too: it counts both ways"),
        "{twice}"
    );
    assert!(edited("racks = [\"r3\"]\nbrokers = [5]", "").contains("line 4, zones.az-b: names neither"));
}

#[test]
fn sizes_are_above_zero() {
    for (line, member, number) in [
        (9, "disk_bytes", "500_000_000_000"),
        (10, "network_bytes_per_second", "93_750_000"),
        (11, "replicas", "1000"),
    ] {
        for bad in ["0", "-1"] {
            let message = edited(&format!("{member} = {number}"), &format!("{member} = {bad}"));
            let place = format!("t.toml, line {line}, node_types.r6g.large: {member} is {bad}: ");
            assert!(message.starts_with(&place), "{message}");
            assert!(message.contains("expected a whole number from 1 to "), "{message}");
        }
    }
}

/// What an entry of `topics` at the end of the file says, or where the first topic may be.
fn topics(entries: &str) -> Result<Vec<String>, String> {
    let mut cluster = crate::generate::cluster(&crate::generate::Class::S, 1);
    let text = format!("[topics]\n{entries}\n");
    let file = read(text.as_bytes(), "t.toml").map_err(|error| error.to_string())?;
    file.apply_to(&mut cluster).map_err(|error| error.to_string())?;
    Ok(cluster.topics[0].zones.clone())
}

#[test]
fn topics_are_bound_to_zones_by_their_whole_names() {
    let first = crate::generate::cluster(&crate::generate::Class::S, 1).topics[0].name.clone();
    assert_eq!(topics(&format!("{first:?} = [\"az-a\"]")).unwrap(), ["az-a"]);
    assert_eq!(topics("'.*' = ['az-b', 'az-a']").unwrap(), ["az-b", "az-a"]);
    let says = |entries: &str| topics(entries).unwrap_err();
    assert_eq!(
        says("'no' = ['az-a']"),
        "t.toml, line 2, topics.no: no topic of the snapshot has such a name"
    );
    assert_eq!(
        says("'.*' = ['az-x']"),
        "t.toml, line 2, topics..*: no broker is in zone az-x; the zones are az-a, az-b"
    );
    let twice = says(&format!("'.*' = ['az-a']\n{first:?} = ['az-b']"));
    assert!(twice.ends_with("expected one entry for it"), "{twice}");
    assert_eq!(says("'.*' = []"), "t.toml, line 2, topics..*: names no zone: expected some, like [\"az-a\"]");
    assert!(says("'(' = ['az-a']").contains("is not a regular expression"));
}
