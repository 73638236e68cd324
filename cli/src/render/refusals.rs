//! What a planner refuses: every partition named, each with its way past.

use std::collections::BTreeSet;
use std::fmt::Write;

use restow_planner::place::Refusal;

use super::{list, units};

/// All refusals: those of one reason and topic together, partitions as ranges.
pub fn show(refusals: &[Refusal]) -> String {
    let mut groups: Vec<(&Refusal, Vec<i32>)> = Vec::new();
    for refusal in refusals {
        let number = refusal.partition.as_ref().map(|p| p.partition);
        // They come ordered by partition, with a few reasons each: the group is among the last.
        match groups.iter_mut().rev().take(16).find(|(first, _)| alike(first, refusal)) {
            Some((_, numbers)) => numbers.extend(number),
            None => groups.push((refusal, number.into_iter().collect())),
        }
    }
    let mut text = String::new();
    for (refusal, numbers) in groups {
        let subject = match (topic(refusal), refusal.broker) {
            (Some(topic), _) => format!("{topic} {}", list::ranges(&numbers)),
            (None, Some(broker)) => format!("broker {broker}"),
            (None, None) => "the plan".to_owned(),
        };
        let _ = writeln!(text, "  {subject}: {}", refusal.reason);
        let _ = writeln!(text, "    past it: {}", refusal.way_past);
    }
    text
}

fn alike(a: &Refusal, b: &Refusal) -> bool {
    topic(a) == topic(b)
        && (a.kind, a.broker, &a.reason, &a.way_past) == (b.kind, b.broker, &b.reason, &b.way_past)
}

fn topic(refusal: &Refusal) -> Option<&str> {
    refusal.partition.as_ref().map(|partition| partition.topic.as_str())
}

/// `3 partitions and 1 reason more are refused`.
pub fn summary(refusals: &[Refusal]) -> String {
    let partitions: BTreeSet<_> = refusals.iter().filter_map(|r| r.partition.as_ref()).collect();
    let partitions = units::of(partitions.len() as u64, "partition");
    match refusals.iter().filter(|r| r.partition.is_none()).count() as u64 {
        0 => partitions,
        general if partitions.starts_with("0 ") => format!("the plan, for {}", units::of(general, "reason")),
        general => format!("{partitions}, and the plan for {}", units::of(general, "reason")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use restow_planner::model::{BrokerId, TopicPartition};
    use restow_planner::place::RefusalKind;

    fn refusal(partition: Option<(&str, i32)>, reason: &str) -> Refusal {
        Refusal {
            kind: RefusalKind::Offline,
            partition: partition.map(|(topic, n)| TopicPartition::new(topic, n)),
            broker: partition.is_none().then_some(BrokerId(4)),
            reason: reason.into(),
            way_past: "do it".into(),
        }
    }

    #[test]
    fn partitions_of_one_reason_stand_together() {
        let all = [
            refusal(None, "fenced"),
            refusal(Some(("a", 0)), "offline"),
            refusal(Some(("a", 0)), "moving"),
            refusal(Some(("a", 1)), "offline"),
            refusal(Some(("b", 1)), "offline"),
        ];
        assert_eq!(
            show(&all),
            "  broker 4: fenced\n    past it: do it\n  a 0-1: offline\n    past it: do it\n  a 0: moving\n    \
             past it: do it\n  b 1: offline\n    past it: do it\n"
        );
        assert_eq!(summary(&all), "3 partitions, and the plan for 1 reason");
        assert_eq!(summary(&all[1..]), "3 partitions");
        assert_eq!(summary(&all[..1]), "the plan, for 1 reason");
    }
}
