//! Results as JSON objects, one a line.

use restow_planner::plan::{Move, PairBytes, Plan, Spread, Step, moves};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Exit};

/// A result: one line.
pub fn line(value: &Value) -> String {
    format!("{value}\n")
}

/// What a verb made, as a result.
pub fn done(mut made: Value) -> String {
    made["outcome"] = Exit::Done.name().into();
    made["exit"] = Exit::Done.code().into();
    line(&made)
}

/// An error as a result.
pub fn error(error: &Error) -> String {
    line(&json!({
        "outcome": error.kind.name(),
        "exit": error.kind.code(),
        "error": { "message": error.message, "hints": error.hints },
    }))
}

/// A plan: what `restow show` tells, in numbers. The plan file itself is the full truth.
pub fn plan(plan: &Plan, hash: &str, every_move: bool) -> Value {
    let impact = plan.price();
    let with = |step: Step| plan.moves.iter().filter(|m| m.has(step)).count();
    let mut value = json!({
        "hash": hash,
        "cluster_id": plan.cluster_id,
        "intent": plan.intent,
        "pacing": plan.pacing,
        "brokers": plan.brokers,
        "impact": plan.impact,
        "moves": plan.moves.len(),
        "topics": plan.topics,
        "stages": { "expand": with(Step::Expand), "swap": with(Step::Swap), "shrink": with(Step::Shrink) },
        "copies": { "brokers": pairs(&impact.brokers), "zones": pairs(&impact.zones) },
        "replication": {
            "before": spread(&impact.before),
            "expanded": spread(&impact.expanded),
            "after": spread(&impact.after),
        },
        "left_out": plan.left_out,
        "no_worse": plan.no_worse,
        "accepted_differences": plan.accepted_differences,
        "given_up": plan.given_up,
        "certificate": plan.certificate,
    });
    if every_move {
        value["lists"] = plan.moves.iter().map(|m| one(plan, &m)).collect();
    }
    value
}

fn pairs<T: Serialize>(pairs: &[PairBytes<T>]) -> Vec<Value> {
    let pair = |p: &PairBytes<T>| json!({"from": p.from, "to": p.to, "bytes": p.bytes, "copies": p.copies});
    pairs.iter().map(pair).collect()
}

fn spread(spread: &Spread) -> Value {
    json!({"partitions": spread.partitions, "copies": spread.copies, "across_zones": spread.across})
}

fn one(plan: &Plan, m: &Move<'_>) -> Value {
    let [expand, swap, shrink] = moves::lists(&plan.kept(m), m.to).map(|(_, list)| list);
    json!({
        "topic": plan.topic_of(m).name,
        "partition": m.partition,
        "from": m.from,
        "expand": expand,
        "swap": swap,
        "shrink": shrink,
        "bytes": m.bytes,
    })
}
