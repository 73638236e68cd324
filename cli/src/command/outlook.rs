//! What is known and expected of the copies of a run, before it begins.

use std::time::Duration;

use restow_client::{Client, snapshot};
use restow_executor::drive::Pace;
use restow_executor::journal::Memory;
use restow_executor::run::Outlook;
use restow_planner::forecast;
use restow_planner::model::Cluster;
use restow_planner::plan::{Pacing, Plan, moves};
use restow_planner::schedule::{Disks, Load, doomed};

use crate::args::{Apply, Format};
use crate::error::Error;
use crate::render::units;

/// Brokers that are asked at once.
const PARALLEL: usize = 16;

/// Measures what producers write, refuses a plan that can never finish (exit 3), and tells what is expected. Of a
/// run that goes on the copies are half done: it is only measured.
pub async fn foresee(
    client: &Client,
    plan: &Plan,
    args: &Apply,
    pace: &Pace,
    memory: &Memory,
    cluster: &mut Cluster,
    format: Format,
) -> Result<Outlook, Error> {
    let say = |text: String| {
        if format == Format::Text {
            eprintln!("{text}");
        }
    };
    if pace.throttle.is_some() && !args.sample.is_zero() {
        say(format!("watching what producers write for {} (--sample)", units::time(args.sample)));
        let warnings = snapshot::sample(client, cluster, args.sample, PARALLEL, &mut |_| {}).await;
        warnings.iter().for_each(|warning| say(format!("warning: {warning}")));
    }
    let round_trips = super::beside::round_trips(plan, &args.links, args.topology.as_deref())?;
    let load = super::forecast::load(plan, cluster, &round_trips);
    if !load.has_rtt() && crosses_zones(plan) {
        say("warning: round-trip times between zones are unknown (--rtt, --topology): what a connection carries is not judged"
            .into());
    }
    let is_fresh = !memory.asked_anything;
    let dooms = doomed(plan, &load, pace.throttle, is_fresh.then(|| Disks::of(cluster)));
    if let (true, Some(first)) = (is_fresh, dooms.first()) {
        let hint = "restow forecast shows what a throttle comes to";
        return Err(Error::refused(format!("the plan can never finish: {first}")).hint(hint));
    }
    dooms.iter().for_each(|doom| say(format!("warning: {doom}")));
    if !is_fresh {
        return Ok(Outlook { load, forecast: None });
    }
    let outlook = of(plan, cluster, load, pace);
    if let Some(span) = outlook.forecast.as_ref().and_then(|told| told.total) {
        let time = |seconds| units::time(Duration::from_secs(seconds));
        let high = span.high.map_or_else(|| "unknown".into(), time);
        say(format!(
            "expected to take {} (between {} and {high}){}",
            time(span.likely),
            time(span.low),
            if plan.pacing == Pacing::Staged { ", waiting at gates not counted" } else { "" }
        ));
    }
    Ok(outlook)
}

/// What is expected of a plan that has not begun.
pub fn of(plan: &Plan, cluster: &Cluster, load: Load, pace: &Pace) -> Outlook {
    let mut model = forecast::Pace::new(pace.limits());
    (model.order, model.dwell_s) = (pace.order, pace.dwell.as_secs());
    model.disks = (plan.pacing == Pacing::Pipelined).then(|| Disks::of(cluster));
    let told = forecast::forecast(plan, &load, &model);
    Outlook { load, forecast: Some(told) }
}

fn crosses_zones(plan: &Plan) -> bool {
    plan.moves.iter().any(|m| {
        let zone = plan.zone(m.leader.unwrap_or(m.from[0]));
        moves::added(m.from, m.to).into_iter().any(|id| plan.zone(id) != zone)
    })
}
