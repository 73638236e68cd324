//! `restow forecast`: how long a plan takes at a throttle, and whether it can finish at all.

use restow_planner::forecast::{self, Pace};
use restow_planner::model::Cluster;
use restow_planner::plan::Plan;
use restow_planner::schedule::{self, Disks, Limits, Load, doomed};

use crate::args::{Forecast, Format, Order, Rtt};
use crate::error::{Error, Exit};
use crate::render::{self, forecast as show};

/// Tells it; a plan that can never finish is refused (exit 3).
pub fn run(args: &Forecast, format: Format) -> Result<Exit, Error> {
    let (plan, _) = super::read_plan(&args.plan)?;
    let cluster = super::read_cluster(&args.cluster, &args.zones)?;
    if cluster.id != plan.cluster_id {
        return Err(Error::usage(format!(
            "the plan is for cluster {}, and {} is of cluster {}",
            plan.cluster_id,
            args.cluster.display(),
            cluster.id
        )));
    }
    let round_trips = super::beside::round_trips(&plan, &args.links, args.zones.topology.as_deref())?;
    let load = load(&plan, &cluster, &round_trips);
    let throttle = args.throttle.rate();
    let disks = Disks::of(&cluster);
    let dooms = doomed(&plan, &load, throttle, Some(disks.clone()));
    let mut pace = Pace::new(Limits::per_broker(args.max_in_flight_per_broker as usize, throttle));
    (pace.order, pace.dwell_s) = (order(args.order), args.dwell.as_secs());
    pace.disks = (plan.pacing == restow_planner::plan::Pacing::Pipelined).then_some(disks);
    let told = forecast::forecast(&plan, &load, &pace);
    let exit = if dooms.is_empty() { Exit::Done } else { Exit::Refused };
    let page = show::Page { plan: &plan, told: &told, dooms: &dooms, throttle, price: args.price_per_gb };
    match format {
        Format::Text => render::print(&page.text())?,
        Format::Json => render::print(&render::json::line(&page.json(exit)))?,
    }
    Ok(exit)
}

/// What the snapshot knows of rates, and a person of links.
pub fn load(plan: &Plan, cluster: &Cluster, round_trips: &[Rtt]) -> Load {
    let mut load = Load::of(plan, cluster);
    for rtt in round_trips {
        load.set_rtt(&rtt.a, &rtt.b, u64::try_from(rtt.time.as_micros()).unwrap_or(u64::MAX));
    }
    load
}

/// The scheduler's order from what was typed.
pub fn order(order: Order) -> schedule::Order {
    match order {
        Order::Fifo => schedule::Order::Fifo,
        Order::SmallestFirst => schedule::Order::SmallestFirst,
        Order::CriticalPortFirst => schedule::Order::CriticalPortFirst,
    }
}
