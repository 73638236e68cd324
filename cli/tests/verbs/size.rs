//! Sizing on files.

use serde_json::Value;

use crate::Room;

const TYPES: &str = "\
[node_types.small]
disk_bytes = 50_000_000_000
network_bytes_per_second = 50_000_000
price_per_month = 50.00

[node_types.large]
disk_bytes = 200_000_000_000
network_bytes_per_second = 200_000_000
price_per_month = 190.00

[node_types.nameless]
disk_bytes = 1_000_000_000
";

fn room() -> Room {
    let room = Room::new();
    room.write("types.toml", TYPES);
    room
}

#[test]
fn the_cheapest_mix_is_placed_and_its_plan_written() {
    let room = room();
    let args = ["size", "--cluster", "cluster.json", "--node-types", "types.toml", "-o", "plan.json"];
    let refused = room.unchanged_by(|| room.restow(&args)).exits(3).says("None of them could be placed");
    assert!(refused.out.contains("--hold-min-isr"), "{}", refused.out);
    let args = [&args[..], &["--hold-min-isr"]].concat();
    let ran = room.restow(&args).exits(0).says("placed and checked").says("even in fractions no less than");
    let wide: Vec<&str> = ran.out.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    assert!(ran.out.contains("nameless"), "what is left out is said: {}", ran.out);
    room.restow(&["show", "plan.json"]).exits(0).says("7");

    let json = room.restow(&[&["--format", "json"][..], &args].concat()).exits(0).out;
    let told: Value = serde_json::from_str(&json).unwrap();
    let offer = &told["sizing"]["offers"][0];
    assert!(offer["price"].as_u64() >= offer["bound"].as_u64(), "{offer}");
    let csv = room.restow(&[&["--format", "csv"][..], &args].concat()).exits(0).out;
    assert!(csv.starts_with("offer,zone,node_type,count,offer_price,offer_bound,placed\n1,az-a,"), "{csv}");
}

#[test]
fn what_makes_no_sense_is_said_and_writes_nothing() {
    let room = room();
    room.write("bad.toml", "[node_types.small]\ndisk_bytes = -5\n");
    let ask = |more: &[&str]| {
        let args = ["size", "--cluster", "cluster.json", "-o", "never.json"];
        room.unchanged_by(|| room.restow(&[&args[..], more].concat()))
    };
    ask(&["--node-types", "bad.toml"]).exits(2).fails_once().says("bad.toml, line 2");
    ask(&["--node-types", "nosuch.toml"]).exits(2).fails_once();
    ask(&["--node-types", "types.toml", "--growth", "40%/year"]).exits(2).says("--horizon");
    ask(&["--node-types", "types.toml", "--growth", "40%", "--horizon", "1y"]).exits(2).says("40%/year");
    ask(&["--node-types", "types.toml", "--headroom", "100%"]).exits(2).says("0% to 99%");
    let one_zone: Vec<String> = (1..=6).map(|id| format!("{id}=here")).collect();
    let zones: Vec<&str> = one_zone.iter().flat_map(|zone| ["--zone", zone.as_str()]).collect();
    ask(&[&["--node-types", "types.toml"][..], &zones].concat()).exits(3).says("the loss of a zone");
}
