use super::*;

fn rate(text: &str) -> u64 {
    throttle(text).unwrap_or_else(|error| panic!("{text}: {error}")).rate().expect(text)
}

#[test]
fn rates_are_exact() {
    assert_eq!(rate("50MB/s"), 50_000_000);
    assert_eq!(rate("50MiB/s"), 52_428_800);
    assert_eq!(rate("1.5MB/s"), 1_500_000);
    assert_eq!(rate("0.1GB/s"), 100_000_000);
    assert_eq!(rate("500kB/s"), 500_000);
    assert_eq!(rate("500KB/s"), 500_000);
    assert_eq!(rate("2GiB/s"), 2 << 30);
    assert_eq!(rate("50 MB/s"), 50_000_000);
    assert_eq!(rate("50B/s"), 50);
    assert_eq!(rate("1000000"), 1_000_000);
    assert_eq!(throttle("none"), Ok(Throttle::None));
}

#[test]
fn a_small_bare_number_is_asked_back() {
    assert_eq!(throttle("50").unwrap_err(), "that is 50 bytes/s: did you mean 50MB/s? (50B/s means it)");
    assert!(throttle("999999").unwrap_err().contains("did you mean"));
}

#[test]
fn what_is_not_a_rate_is_refused() {
    for (text, says) in [
        ("", "expected 50MB/s"),
        ("fast", "expected 50MB/s"),
        ("-5MB/s", "expected 50MB/s"),
        ("50MB", "did you mean 50MB/s?"),
        ("50mbps", "expected 50MB/s"),
        ("50Mb/s", "not a unit"),
        ("0", "would stop every copy"),
        ("0MB/s", "would stop every copy"),
        ("0.5B/s", "whole number"),
        ("1.MB/s", "whole number"),
        ("1.2.3MB/s", "whole number"),
        (".MB/s", "whole number"),
        ("1.5", "is not a number of bytes/s"),
        ("9223372036854775808B/s", "more than Kafka takes"),
        ("99999999999999999999999999999999999999999GB/s", "whole number"),
    ] {
        let error = throttle(text).expect_err(text);
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn times_have_units() {
    assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
    assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
    assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
    assert!(duration("30").unwrap_err().ends_with("did you mean 30s?"));
    for text in ["", "s", "-1s", "1d", "1.5s", "99999999999999999999s", "9999999999999999999h"] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn an_hour_is_a_time_of_day_or_a_length() {
    assert_eq!(until("06:00"), Ok(Until::At(360, None)));
    assert_eq!(until("06:00Z"), Ok(Until::At(360, Some(0))));
    assert_eq!(until("23:59+02:30"), Ok(Until::At(1439, Some(150))));
    assert_eq!(until("00:00-05:00"), Ok(Until::At(0, Some(-300))));
    assert_eq!(until("8h"), Ok(Until::In(Duration::from_secs(28_800))));
    for text in ["", "6:00", "24:00", "06:60", "06:00+2", "noon", "06:00 Z", "8", "06:00:00"] {
        assert!(until(text).is_err(), "{text}");
    }
}

#[test]
fn a_throttle_is_named_by_where_it_is_set() {
    for good in
        ["broker:5:follower.replication.throttled.rate", "topic:a.b:leader.replication.throttled.replicas"]
    {
        assert!(throttle_key(good).is_ok(), "{good}");
    }
    for bad in [
        "broker:5",
        "broker:x:follower.replication.throttled.rate",
        "topic:a:follower.replication.throttled.rate",
        "broker:5:log.retention.ms",
        "topic:a:retention.ms",
        "topic::leader.replication.throttled.replicas",
    ] {
        assert!(throttle_key(bad).is_err(), "{bad}");
    }
}

#[test]
fn addresses_have_ports() {
    for good in ["kafka-1:9092", "[::1]:9092", "10.0.0.1:1", " b:1 "] {
        assert!(address(good).is_ok(), "{good}");
    }
    for bad in ["kafka", "kafka:", ":9092", "a:b:1", "a:0", "a:70000", "http://a", "a:1/x", "[]:1", ""] {
        assert!(address(bad).is_err(), "{bad}");
    }
    assert_eq!(address("PLAINTEXT://b:1"), Ok("b:1".into()));
}

#[test]
fn brokers_and_zones() {
    assert_eq!(broker("7"), Ok(BrokerId(7)));
    assert!(broker("-1").is_err() && broker("a").is_err() && broker("").is_err());
    let zone = zone_of_broker("4=az-a").unwrap();
    assert_eq!((zone.broker, zone.zone.as_str()), (BrokerId(4), "az-a"));
    assert!(zone_of_broker("az-a=4").is_err() && zone_of_broker("4=").is_err());
    let link = rtt("az-a:az-b=60ms").unwrap();
    assert_eq!((link.a.as_str(), link.b.as_str(), link.time.as_millis()), ("az-a", "az-b", 60));
    assert!(["a=1ms", "a:b", "a:b=0ms", ":b=1ms", "a:b=1"].iter().all(|text| rtt(text).is_err()));
    assert_eq!((price("0.02"), price("3")), (Ok(20_000), Ok(3_000_000)));
    assert!(price("0.0000001").is_err() && price("-1").is_err() && price("").is_err());
    assert_eq!(zone_mapping("a=b").unwrap(), ZoneMapping { old: "a".into(), new: "b".into() });
    assert!(zone_mapping("a").is_err());
}
