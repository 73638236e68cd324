use super::*;
use crate::model::{
    BrokerId, ClusterBuilder, ConfigDifference, ConfigSource, LogDir, NodeType, PartitionRow, SetConfig,
    Sockets, Topic, TopicId, Unseen,
};

fn broker(id: i32) -> Broker {
    Broker {
        id: BrokerId(id),
        rack: Some("az-a".into()),
        zone: Some("zone \"a\"".into()),
        host: "kafka-1.example".into(),
        port: 9092,
        fenced: Some(false),
        answered: true,
        listeners: Some(vec!["PLAINTEXT".into()]),
        log_dirs: vec![LogDir {
            path: "/data".into(),
            total_bytes: Some(1000),
            usable_bytes: None,
            offline: false,
        }],
        rates: vec![SetConfig {
            key: "follower.replication.throttled.rate".into(),
            value: "7".into(),
            source: ConfigSource::DynamicBroker,
        }],
        sockets: Some(Sockets { receive_buffer: -1, fetchers: 2 }),
        unseen: vec![Unseen { topic: "secret".into(), replicas: 2 }],
        node: (id == 1).then(|| NodeType {
            name: "r6g.large".into(),
            disk_bytes: Some(500),
            network_bytes_per_second: None,
            replicas: Some(9),
            price_per_month: Some(9_240),
        }),
    }
}

fn cluster() -> Cluster {
    let mut build = ClusterBuilder::new("cluster-1", vec![broker(1), broker(2), broker(3)]).unwrap();
    let topic = Topic {
        name: "a.b".into(),
        id: TopicId([7; 16]),
        min_isr: Some((2, ConfigSource::DynamicDefault)),
        throttled_leaders: Some("*".into()),
        ..Topic::default()
    };
    build.topic(topic).unwrap();
    let (one, two, three) = (BrokerId(1), BrokerId(2), BrokerId(3));
    let row = PartitionRow {
        replicas: &[two, one],
        leader: Some(one),
        isr: &[one],
        sizes: &[5, UNKNOWN_SIZE],
        dirs: &[0, UNKNOWN_DIR],
        write_rate: Some(3),
        read_rate: Some(8),
        request_rate: Some(0),
        ..PartitionRow::default()
    };
    build.partition(&row).unwrap();
    let asked = PartitionRow { request_rate: Some(4), ..PartitionRow::default() };
    build.partition(&PartitionRow { replicas: &[three], ..asked }).unwrap();
    build.topic(Topic { name: "empty".into(), ..Topic::default() }).unwrap();
    build.topic(Topic { name: "z".into(), internal: true, ..Topic::default() }).unwrap();
    build.partition(&PartitionRow { adding: &[two], removing: &[one], ..row }).unwrap();
    let difference = ConfigDifference {
        topic: "a.b".into(),
        key: "retention.ms".into(),
        values: vec![("1".into(), vec![one]), ("2".into(), vec![two, three])],
    };
    build.finish("2026-01-02T03:04:05Z".into(), vec![difference])
}

fn written(cluster: &Cluster) -> String {
    let mut bytes = Vec::new();
    write(cluster, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn fault(text: &str) -> String {
    read(text.as_bytes(), "cluster.json").unwrap_err().to_string()
}

#[test]
fn what_is_written_is_read() {
    let empty = ClusterBuilder::new("none", vec![]).unwrap().finish(String::new(), vec![]);
    for cluster in [cluster(), empty] {
        let text = written(&cluster);
        assert_eq!(read(text.as_bytes(), "f").unwrap(), cluster, "{text}");
        assert_eq!(written(&read(text.as_bytes(), "f").unwrap()), text);
    }
}

#[test]
fn rates_are_written_where_they_are_known() {
    let text = written(&cluster());
    assert!(text.contains(",\"write_rate\":3,\"read_rate\":8,\"request_rate\":0}"), "zero is known: {text}");
    assert!(text.contains("\"sizes\":[null],\"request_rate\":4}"), "{text}");
    let without = [("write_rate", 3), ("read_rate", 8), ("request_rate", 0), ("request_rate", 4)]
        .iter()
        .fold(text, |text, (member, rate)| text.replace(&format!(",\"{member}\":{rate}"), ""));
    let plain = read(without.as_bytes(), "f").unwrap();
    assert!(plain.partitions().all(|(_, p)| p.rates() == [None; 3]));
    assert_eq!(written(&plain), without, "what nobody knows is not written");
}

#[test]
fn members_that_this_version_does_not_know_are_skipped() {
    let text = written(&cluster());
    let more = text
        .replace("\"partition\":", "\"rack_aware\":{\"x\":[1,null]},\"partition\":")
        .replace("\"cluster_id\"", "\"by\":[{}],\"cluster_id\"")
        .replace("\"internal\"", "\"owner\":null,\"internal\"");
    assert_eq!(read(more.as_bytes(), "f").unwrap(), cluster());
}

#[test]
fn another_format_or_a_newer_version_is_refused() {
    let text = written(&cluster());
    assert_eq!(
        fault(&text.replace("\"version\":1", "\"version\":2")),
        "cluster.json, line 1, version: version 2 of restow-cluster, where this restow reads 1 to 1: \
         use a newer restow"
    );
    assert_eq!(
        fault(&text.replace("restow-cluster", "restow-plan")),
        "cluster.json, line 1, format: a restow-plan file, where restow-cluster is expected"
    );
    let other =
        "not a restow-cluster file: its first members are \"format\":\"restow-cluster\" and \"version\"";
    assert_eq!(fault("{\"partitions\":[]}"), format!("cluster.json, line 1, partitions: {other}"));
    assert_eq!(fault(""), "cluster.json: is empty");
    assert!(fault("hello").starts_with("cluster.json, line 1: is not JSON: "));
    assert!(fault("[]").contains("expected a restow-cluster file"));
}

#[test]
fn a_cut_file_is_refused_wherever_it_is_cut() {
    let text = written(&cluster());
    for end in 1..text.trim_end().len() {
        let message = fault(&text[..end]);
        assert!(message.ends_with("the file ends in the middle: it was cut"), "{end}: {message}");
    }
    let lines: Vec<&str> = text.lines().collect();
    let without = |at: usize| {
        let kept = lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line);
        fault(&kept.collect::<Vec<_>>().join("\n"))
    };
    let first = lines.iter().position(|line| line.starts_with("{\"topic\":\"a.b\",\"partition\":0")).unwrap();
    let line = first + 1;
    assert_eq!(
        without(first),
        format!(
            "cluster.json, line {line}, partition a.b-1: comes too early: the next line of its topic is partition 0"
        )
    );
    assert!(
        without(first + 1)
            .ends_with("topic a.b: 1 partitions, where the list of topics announces 2: lines are missing")
    );
}

#[test]
fn a_bad_partition_line_is_named() {
    let text = written(&cluster());
    let line = 1 + text.lines().position(|line| line.contains("\"partition\":0")).unwrap();
    let first = |found: &str, instead: &str| {
        assert!(text.contains(found), "{found}");
        let message = fault(&text.replacen(found, instead, 1));
        let place = format!("cluster.json, line {line}, partition a.b-0: ");
        message.strip_prefix(&place).map(str::to_owned).ok_or(message)
    };
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(
        first("\"sizes\":[5,null]", "\"sizes\":[-5,null]"),
        ok("-5 in a list of sizes in bytes, 0 or more, and null where unknown")
    );
    assert!(first("\"sizes\":[5,null]", "\"sizes\":[18446744073709551615,1]").is_ok());
    assert!(first("\"sizes\":[5,null]", "\"sizes\":[9223372036854775807,1]").is_ok());
    assert_eq!(first("\"sizes\":[5,null]", "\"sizes\":[5]"), ok("1 sizes for 2 replicas"));
    assert_eq!(first("\"dirs\":[0,null]", "\"dirs\":[1,null]"), ok("log dir 1 of broker 2, which has 1"));
    assert_eq!(first("\"replicas\":[2,1]", "\"replicas\":[2,9,1]"), ok("2 sizes for 3 replicas"));
    assert_eq!(
        first("\"replicas\":[2,1]", "\"replicas\":[1,9]"),
        ok("broker 9 is not among the cluster's brokers")
    );
    assert_eq!(
        first("\"replicas\":[2,1]", "\"replicas\":[1,1]"),
        ok("broker 1 stands twice in the replica list")
    );
    let most = "288230376151711743";
    assert_eq!(
        first("\"read_rate\":8", "\"read_rate\":288230376151711744"),
        ok(&format!("a read rate of 288230376151711744 bytes/s, where at most {most} are read"))
    );
    assert_eq!(
        first("\"request_rate\":0", "\"request_rate\":288230376151711744"),
        ok(&format!("a request rate of 288230376151711744 requests/s, where at most {most} are read"))
    );
    assert_eq!(
        first("\"request_rate\":0", "\"request_rate\":-1"),
        ok("invalid value: integer `-1`, expected u64")
    );
    assert_eq!(
        first("\"request_rate\":0", "\"request_rate\":0,\"request_rate\":0"),
        ok("member \"request_rate\" stands twice")
    );
    assert_eq!(first(",\"isr\":[1]", ""), ok("member \"isr\" is missing"));
    assert_eq!(first(",\"isr\":[1]", ",\"isr\":[1],\"isr\":[1]"), ok("member \"isr\" stands twice"));
    assert!(first("\"leader\":1", "\"leader\":\"one\"").unwrap().contains("expected i32"));
}

#[test]
fn lines_stand_once_and_in_the_order_of_the_topics() {
    let text = written(&cluster());
    let twice = text.replacen("{\"topic\":\"a.b\",\"partition\":1", "{\"topic\":\"a.b\",\"partition\":0", 1);
    assert!(fault(&twice).ends_with(
        "partition a.b-0: stands twice or out of order: the next line of its topic is partition 1"
    ));
    let apart = text.replacen("{\"topic\":\"z\"", "{\"topic\":\"a.b\"", 1);
    assert!(fault(&apart).contains("partition a.b-0: stands twice or out of order"));
    let unknown = text.replacen("{\"topic\":\"z\"", "{\"topic\":\"y\"", 1);
    assert!(fault(&unknown).ends_with("partition y-0: its topic is not in the list of topics"));
    let more = text.replacen("\"partitions\":2}", "\"partitions\":1}", 1);
    assert!(fault(&more).ends_with("partition a.b-1: the list of topics announces 1 partitions only"));
    let same = text.replacen("{\"id\":2,", "{\"id\":1,", 1);
    assert_eq!(
        fault(&same),
        "cluster.json, line 5, brokers[1]: broker 1 stands twice: each broker has one line"
    );
    let line = 1 + text.lines().position(|line| line.starts_with("{\"name\":\"empty\"")).unwrap();
    let same = text.replacen("{\"name\":\"empty\"", "{\"name\":\"a.b\"", 1);
    let message = "topic \"a.b\" stands twice: each topic has one line";
    assert_eq!(fault(&same), format!("cluster.json, line {line}, topics[1]: {message}"));
    let order = text.replacen("{\"name\":\"empty\"", "{\"name\":\"a\"", 1);
    assert!(fault(&order).contains("topics[1]: topic \"a\" stands twice, or after"));
    let node = text.replacen("\"disk_bytes\":500", "\"disk_bytes\":0", 1);
    assert!(fault(&node).contains("line 4, brokers[0]: invalid value: integer `0`, expected a nonzero u64"));
    let listed = text.replacen("\"port\":9092", "\"port\":-1", 1);
    assert!(fault(&listed).contains("line 4, brokers[0]: invalid value: integer `-1`, expected u16"));
}
#[test]
fn a_file_that_another_tool_laid_out_anew_is_read_too() {
    let text = written(&cluster());
    let one_line = text.replace('\n', "");
    assert_eq!(read(one_line.as_bytes(), "f").unwrap(), cluster());
    let spread = text.replace(',', ",\n  ").replace('[', "[\n ");
    assert_eq!(read(spread.as_bytes(), "f").unwrap(), cluster());
    let short = one_line.replacen("\"partitions\":1}", "\"partitions\":3}", 1);
    assert_eq!(
        fault(&short),
        "cluster.json, line 1, topic z: 1 partitions, where the list of topics announces 3: lines are missing"
    );
}

#[test]
fn members_may_stand_after_the_partitions() {
    let text = written(&cluster()).replace("\n]}", "\n],\n\"more\":[1,\n2],\"taken_by\":\"me\"}");
    assert_eq!(read(text.as_bytes(), "f").unwrap(), cluster());
    let twice = text.replace("\"more\":[1,\n2]", "\n\"cluster_id\":\"b\"");
    let line = 1 + twice.lines().position(|line| line.contains("\"b\"")).unwrap();
    assert_eq!(
        fault(&twice),
        format!("cluster.json, line {line}, cluster_id: member \"cluster_id\" stands twice")
    );
}

#[test]
fn lines_are_joined_by_commas() {
    let text = written(&cluster());
    assert!(
        fault(&text.replacen("},\n{\"topic\"", "}\n{\"topic\"", 1))
            .ends_with("a comma has to stand between partitions")
    );
    assert!(fault(&text.replacen("}\n]}", "},\n]}", 1)).ends_with("a partition has to follow the comma"));
    let broken = text.replacen("\"replicas\":[2,1]", "\"replicas\":[2,\n1]", 1);
    assert_eq!(read(broken.as_bytes(), "f").unwrap(), cluster());
    assert!(fault(&text.replacen("]}\n", "]} x\n", 1)).contains("is not JSON"), "something after a line");
    assert!(fault(&format!("{text}x")).contains("is not JSON: trailing characters"));
}
