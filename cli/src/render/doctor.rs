//! What the doctor saw, and what to do about it.

use std::time::{Duration, UNIX_EPOCH};

use restow_client::tls::SOON;
use serde_json::{Value, json};

use super::table::Table;
use super::{json as render_json, list, units};
use crate::clock::rfc3339;
use crate::command::doctor::{Mode, Seat, Visit};

/// Clocks that differ by more than this are reported, in milliseconds.
const SKEW: i64 = 5_000;
/// Round trips that take longer than this are reported.
const FAR: Duration = Duration::from_millis(200);
/// Topics of Cruise Control.
const CRUISE_CONTROL: [&str; 3] = [
    "__CruiseControlMetrics",
    "__KafkaCruiseControlPartitionMetricSamples",
    "__KafkaCruiseControlModelTrainingSamples",
];
/// The first feature level of each release (Kafka's `MetadataVersion`).
const RELEASES: [(i16, &str); 14] = [
    (1, "3.0"),
    (2, "3.1"),
    (3, "3.2"),
    (4, "3.3"),
    (8, "3.4"),
    (9, "3.5"),
    (12, "3.6"),
    (15, "3.7"),
    (20, "3.8"),
    (21, "3.9"),
    (22, "4.0"),
    (26, "4.1"),
    (28, "4.2"),
    (30, "4.3"),
];

/// Something that was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether restow cannot do its work because of it.
    pub is_in_the_way: bool,
    /// What it is.
    pub what: String,
    /// What to do.
    pub advice: &'static str,
}

/// All that is to be said about a visit, what is in the way first.
pub fn findings(visit: &Visit, now: Duration) -> Vec<Finding> {
    let mut findings: Vec<Finding> = visit
        .warnings
        .iter()
        .map(|warning| note(warning.clone(), "change it in the client.properties"))
        .collect();
    for seat in &visit.seats {
        of_broker(seat, now, &mut findings);
    }
    of_controller(&visit.mode, &mut findings);
    match &visit.missing {
        Ok(missing) => findings.extend(
            missing
                .iter()
                .map(|missing| block(missing.to_string(), "`restow acls` prints all lines that are needed")),
        ),
        Err(error) => findings
            .push(block(format!("permissions are unknown: {error}"), "see why that broker does not answer")),
    }
    of_cluster(visit, &mut findings);
    findings.sort_by_key(|finding| !finding.is_in_the_way);
    findings
}

fn block(what: String, advice: &'static str) -> Finding {
    Finding { is_in_the_way: true, what, advice }
}

fn note(what: String, advice: &'static str) -> Finding {
    Finding { is_in_the_way: false, what, advice }
}

fn of_broker(seat: &Seat, now: Duration, findings: &mut Vec<Finding>) {
    let id = seat.id;
    let probe = match &seat.probe {
        Ok(probe) => probe,
        Err(error) => {
            let advice = "every broker has to be reachable from here at the address that it advertises: see its \
                          advertised.listeners, name resolution and firewalls";
            return findings.push(block(format!("broker {id} cannot be used: {error}"), advice));
        }
    };
    if !probe.missing_apis.is_empty() {
        let what = format!("broker {id} does not offer {}", list::and(&probe.missing_apis));
        findings.push(block(
            what,
            "restow needs Kafka 2.8 or later, and a broker's listener, not a controller's",
        ));
    }
    if probe.round_trip > FAR {
        let what = format!("broker {id} is {} away", millis(probe.round_trip));
        findings.push(note(what, "run restow nearer to the cluster: a tick asks every broker concerned"));
    }
    let Some(seen) = &seat.tls else { return };
    let end = Duration::from_secs(seen.certificate.not_after);
    if end < now + SOON {
        let what = format!("the certificate of broker {id} ends on {}", rfc3339(UNIX_EPOCH + end));
        findings.push(note(what, "renew it before then: connections are refused afterwards"));
    }
    findings.extend(
        seen.warnings
            .iter()
            .map(|warning| note(format!("broker {id}: {warning}"), "have the certificate made anew")),
    );
}

fn of_controller(mode: &Mode, findings: &mut Vec<Finding>) {
    let Mode::Kraft { quorum, skew } = mode else { return };
    if let Err(error) = quorum {
        findings.push(note(
            format!("the controllers' quorum is unknown: {error}"),
            "Describe on the cluster allows it; restow works without",
        ));
    }
    if let Some(skew) = skew.filter(|skew| skew.abs() > SKEW) {
        let how = if skew > 0 { "ahead of" } else { "behind" };
        let far = units::time(Duration::from_millis(skew.unsigned_abs()));
        findings.push(note(
            format!("the active controller's clock is {far} {how} ours"),
            "set both by NTP: certificates, tokens and journals go by the time of day",
        ));
    }
}

fn of_cluster(visit: &Visit, findings: &mut Vec<Finding>) {
    let (cluster, warnings) = match &visit.taken {
        Ok(taken) => taken,
        Err(error) => {
            return findings.push(block(format!("no snapshot can be taken: {error}"), "see the reason"));
        }
    };
    findings.extend(warnings.iter().map(|warning| note(warning.clone(), "plans do without what is unknown")));
    let fenced = cluster.brokers.iter().filter(|broker| broker.fenced == Some(true)).map(|broker| broker.id);
    let fenced: Vec<_> = fenced.collect();
    if !fenced.is_empty() {
        let what = format!("out of service: brokers {}", list::commas(&fenced));
        findings.push(note(what, "bring them back, or drain them: `restow plan drain`"));
    }
    let foreign: Vec<&str> = CRUISE_CONTROL
        .into_iter()
        .filter(|name| cluster.topics.iter().any(|topic| topic.name == *name))
        .collect();
    if !foreign.is_empty() {
        findings.push(note(
            format!("Cruise Control works here, or did: topic {}", list::and(&foreign)),
            "pause its self-healing while a plan runs, or the two move each other's partitions",
        ));
    }
    let (throttles, in_flight) = &visit.strangers;
    if !throttles.is_empty() {
        let what =
            format!("{} set, the first: {}", units::of(throttles.len() as u64, "throttle"), throttles[0]);
        findings.push(note(what, "`restow sweep` lists them, and removes those that are ours"));
    }
    if !in_flight.is_empty() {
        let what = format!(
            "{} in flight, the first: {}",
            units::of(in_flight.len() as u64, "partition"),
            in_flight[0]
        );
        findings.push(note(what, "apply waits for those of its plan"));
    }
}

/// For a person.
pub fn text(visit: &Visit, findings: &[Finding]) -> String {
    let mut table = Table::new(&[
        "broker",
        "address",
        "TLS",
        "certificate ends",
        "login",
        ">login holds",
        "APIs",
        ">round trip",
    ]);
    for seat in &visit.seats {
        table.row(row(visit, seat));
    }
    let mut text = format!("cluster {}: {}\n", visit.cluster, controller(visit));
    text += &table.render(2);
    if visit.missing.as_ref().is_ok_and(Vec::is_empty) {
        text += "permissions: all that are needed\n";
    }
    for finding in findings {
        let how = if finding.is_in_the_way { "IN THE WAY" } else { "note" };
        text += &format!("{how}: {}\n  {}\n", finding.what, finding.advice);
    }
    text += match findings {
        [] => "nothing stands in the way\n",
        [first, ..] if first.is_in_the_way => "",
        _ => "nothing of it stands in the way\n",
    };
    text
}

fn row(visit: &Visit, seat: &Seat) -> Vec<String> {
    let mut row = vec![seat.id.to_string()];
    let Ok(probe) = &seat.probe else {
        row.extend(["-".into(), String::new(), String::new(), "not reached".into()]);
        return row;
    };
    let login = match (visit.mechanism, &visit.principal) {
        (None, _) => "none".to_owned(),
        (Some(mechanism), None) => mechanism.to_owned(),
        (Some(mechanism), Some(principal)) => format!("{principal} ({mechanism})"),
    };
    let end = |seconds| rfc3339(UNIX_EPOCH + Duration::from_secs(seconds))[..10].to_owned();
    row.extend([
        probe.address.clone(),
        match &seat.tls {
            Some(seen) => seen.protocol.to_owned(),
            None if visit.is_secure => "unknown".into(),
            None => "no".into(),
        },
        seat.tls.as_ref().map_or_else(String::new, |seen| end(seen.certificate.not_after)),
        login,
        probe.session.map_or_else(String::new, units::time),
        if probe.missing_apis.is_empty() {
            "all".into()
        } else {
            format!("{} missing", probe.missing_apis.len())
        },
        millis(probe.round_trip),
    ]);
    row
}

fn controller(visit: &Visit) -> String {
    let Mode::Kraft { quorum, skew } = &visit.mode else { return "ZooKeeper mode".into() };
    let level = visit.seats.iter().filter_map(|seat| seat.probe.as_ref().ok()?.metadata_version).min();
    let mut text = match level {
        None => "KRaft mode".to_owned(),
        Some(level) => format!("KRaft mode, metadata.version {level} ({})", release(level)),
    };
    if let Ok(quorum) = quorum {
        text += &format!(", active controller {} of {}", quorum.leader, list::commas(&quorum.voters));
    }
    if let Some(skew) = skew {
        text += &format!(", its clock {:+.1} s", *skew as f64 / 1000.0);
    }
    text
}

/// The Kafka release that a feature level belongs to.
fn release(level: i16) -> String {
    match RELEASES.iter().rev().find(|(first, _)| *first <= level) {
        Some((first, release)) if (*first, *release) == RELEASES[RELEASES.len() - 1] => {
            format!("Kafka {release} or later")
        }
        Some((_, release)) => format!("Kafka {release}"),
        None => "unknown".into(),
    }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// For a program.
pub fn json(visit: &Visit, findings: &[Finding]) -> String {
    let seats: Vec<Value> = visit.seats.iter().map(seat).collect();
    let (quorum, skew) = match &visit.mode {
        Mode::Kraft { quorum, skew } => (quorum.as_ref().ok(), *skew),
        Mode::ZooKeeper => (None, None),
    };
    let findings: Vec<Value> = findings
        .iter()
        .map(|f| json!({ "in_the_way": f.is_in_the_way, "what": f.what, "advice": f.advice }))
        .collect();
    render_json::done(json!({
        "cluster_id": visit.cluster,
        "principal": visit.principal,
        "mechanism": visit.mechanism,
        "mode": if matches!(visit.mode, Mode::ZooKeeper) { "zookeeper" } else { "kraft" },
        "active_controller": quorum.map(|quorum| quorum.leader),
        "controllers": quorum.map(|quorum| &quorum.voters),
        "clock_ahead_ms": skew,
        "brokers": seats,
        "findings": findings,
    }))
}

fn seat(seat: &Seat) -> Value {
    let probe = match &seat.probe {
        Ok(probe) => probe,
        Err(error) => return json!({ "broker": seat.id, "error": error.to_string() }),
    };
    json!({
        "broker": seat.id,
        "address": probe.address,
        "tls": seat.tls.as_ref().map(|seen| seen.protocol),
        "cipher_suite": seat.tls.as_ref().map(|seen| &seen.cipher_suite),
        "certificate_ends": seat.tls.as_ref()
            .map(|seen| rfc3339(UNIX_EPOCH + Duration::from_secs(seen.certificate.not_after))),
        "login_holds_ms": probe.session.map(|time| time.as_millis() as u64),
        "missing_apis": probe.missing_apis,
        "metadata_version": probe.metadata_version,
        "round_trip_us": probe.round_trip.as_micros() as u64,
    })
}
