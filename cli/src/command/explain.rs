//! `restow explain`: why a replica moves, or stays.

use restow_planner::model::TopicPartition;
use restow_planner::plan::Plan;
use serde_json::json;

use crate::args::{Explain, Format};
use crate::error::{Error, Exit};
use crate::render::{self, explain, json as render_json};

/// Explains one partition or one broker.
pub fn run(args: &Explain, format: Format) -> Result<Exit, Error> {
    let (plan, _) = super::read_plan(&args.plan)?;
    let told = match (&args.partition, args.broker) {
        (Some(partition), _) => of_partition(&plan, partition),
        (None, Some(broker)) if plan.broker(broker).is_some() => explain::broker(&plan, broker),
        (None, Some(broker)) => {
            return Err(Error::usage(format!("broker {broker} is not among the plan's brokers")));
        }
        (None, None) => return Err(Error::usage("neither --partition nor --broker")),
    };
    match format {
        Format::Text => render::print(&(told.join("\n") + "\n"))?,
        Format::Json => render::print(&render_json::done(json!({
            "explanation": told,
        })))?,
    }
    Ok(Exit::Done)
}

fn of_partition(plan: &Plan, partition: &TopicPartition) -> Vec<String> {
    if let Some(at) = plan.position_of(partition) {
        return explain::moved(plan, &plan.moves.get(at));
    }
    if let Some(left) = plan.left_out.iter().find(|left| left.partition == *partition) {
        return vec![format!("{partition} is left out: {}", left.reason)];
    }
    vec![format!("{partition} does not move: {}", explain::stays(plan))]
}
