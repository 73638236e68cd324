//! `restow plan …`: from a snapshot to a plan that has passed check.

use std::fmt::Write;

use restow_planner::check::{self, At};
use restow_planner::file::{self, reassignment};
use restow_planner::model::watch::Watch;
use restow_planner::model::{Cluster, Rate};
use restow_planner::place::{self, Options, PlaceError, Placed, Refusal};
use restow_planner::plan::{Bands, Budget, Intent, LeaderMode, Measure, Pacing};
use serde_json::json;

use crate::args::{self, Format, Ground, PlanVerb};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::{
    self, bars, json as render_json, list, plan as show, price, refusals, snapshot, units, watch,
};

/// Plans, checks, writes.
pub fn run(verb: &PlanVerb, format: Format) -> Result<Exit, Error> {
    let ground = ground(verb);
    let cluster = super::read_cluster(&ground.cluster, &ground.zones)?;
    let options = Options {
        accept_differences: ground.accept_config_diff.clone(),
        leave_out_refused: ground.leave_out_refused,
        hold_min_isr: ground.hold_min_isr,
        pinned: ground.pin_brokers.clone(),
        pacing: ground.pacing.map(|pacing| match pacing {
            args::Pacing::Staged => Pacing::Staged,
            args::Pacing::Pipelined => Pacing::Pipelined,
        }),
        ..Options::default()
    };
    let mut phases = watch::Phases::within(ground.time_limit);
    let placed = match verb {
        PlanVerb::Follow(args) => {
            let (from, name) = files::open(&args.reassignment_json_file)?;
            let read = reassignment::read(from, &name)?;
            let lists: Vec<_> = read.into_iter().map(|one| (one.partition, one.replicas.to_vec())).collect();
            place::follow(&cluster, &lists, &options)
        }
        _ => place::plan(&cluster, &intent(verb, &cluster), &options, &mut phases),
    };
    let placed = match placed {
        Ok(mut placed) => {
            if phases.stop() {
                placed.notes.push("--time-limit ended the search: this is the best plan so far".into());
            }
            placed
        }
        Err(PlaceError::Refused { refusals }) => return refuse(&refusals, format),
        Err(error) => return Err(error.into()),
    };
    pass_check(&placed, &cluster)?;
    let hash = files::write(&ground.out, |to| file::plan::write(&placed.plan, to))?;
    match format {
        Format::Text => render::print(&text(ground, &cluster, &placed, &hash))?,
        Format::Json => render::print(&render_json::done(value(ground, &placed, &hash)))?,
    }
    Ok(Exit::Done)
}

fn ground(verb: &PlanVerb) -> &Ground {
    match verb {
        PlanVerb::Migrate(args) => &args.ground,
        PlanVerb::Drain(args) => &args.ground,
        PlanVerb::Add(args) => &args.ground,
        PlanVerb::Rebalance(args) => &args.ground,
        PlanVerb::SetRf(args) => &args.ground,
        PlanVerb::Repair(args) => &args.ground,
        PlanVerb::Leaders(args) => &args.ground,
        PlanVerb::Follow(args) => &args.ground,
    }
}

/// What was typed, as the planner says it.
fn intent(verb: &PlanVerb, cluster: &Cluster) -> Intent {
    let patterns = |topics: &args::Topics| (topics.topics.clone(), topics.exclude.clone());
    match verb {
        PlanVerb::Migrate(args) => {
            let (topics, exclude) = patterns(&args.topics);
            let (from, to) = (sorted(&args.from), sorted(&args.to));
            Intent::Migrate { from, to, topics, exclude, preserve_leaders: args.preserve_leaders }
        }
        PlanVerb::Drain(args) => {
            let (topics, exclude) = patterns(&args.topics);
            Intent::Drain { brokers: sorted(&args.brokers), replace_with: args.replace_with, topics, exclude }
        }
        PlanVerb::Add(args) => {
            let (topics, exclude) = patterns(&args.topics);
            Intent::Add {
                brokers: sorted(&args.brokers),
                bands: bands(&args.bands, cluster),
                topics,
                exclude,
            }
        }
        PlanVerb::Rebalance(args) => {
            let (topics, exclude) = patterns(&args.topics);
            let budget = Budget {
                bytes: args.max_bytes,
                moves: args.max_moves,
                leader_changes: args.max_leader_changes,
                moves_per_broker: args.max_moves_per_broker,
            };
            Intent::Rebalance { bands: bands(&args.bands, cluster), budget, topics, exclude }
        }
        PlanVerb::SetRf(args) => {
            let (topics, exclude) = patterns(&args.topics);
            Intent::SetFactor { factor: args.replication_factor, topics, exclude }
        }
        PlanVerb::Repair(args) => {
            let (topics, exclude) = patterns(&args.topics);
            Intent::Repair { topics, exclude }
        }
        PlanVerb::Leaders(args) => {
            let (topics, exclude) = patterns(&args.topics);
            let mode = match args.within {
                Some(permyriad) => LeaderMode::Within(permyriad / 10),
                None if args.best => LeaderMode::Best,
                None if args.minimal || args.demote.is_empty() => LeaderMode::Minimal,
                None => LeaderMode::Keep,
            };
            Intent::Leaders { mode, demote: sorted(&args.demote), topics, exclude }
        }
        PlanVerb::Follow(_) => Intent::Follow { named: 0, standing: 0 },
    }
}

fn bands(args: &args::Bands, cluster: &Cluster) -> Bands {
    let mut measures = args.measures.clone();
    if measures.is_empty() {
        measures = vec![Measure::Replicas, Measure::Bytes, Measure::Leaders];
        if cluster.known_rates(Rate::Write) > 0 {
            measures.push(Measure::WriteRate);
        }
    }
    measures.sort_unstable();
    measures.dedup();
    let (spread_topics, across_zones) = (args.spread_topics, args.across_zones);
    Bands { measures, tolerance: args.tolerance, spread_topics, across_zones }
}

/// The order in which brokers are typed does not matter: the same intent gives the same bytes.
fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort();
    list
}

fn refuse(refused: &[Refusal], format: Format) -> Result<Exit, Error> {
    let all_can = refused.iter().all(|refusal| refusal.kind.can_be_left_out());
    let hint = if all_can {
        "--leave-out-refused plans the rest, and says which source brokers will not be empty"
    } else {
        "what is refused for the whole plan cannot be left out"
    };
    match format {
        Format::Text => {
            let error =
                Error::refused(format!("refused: {}; no plan was written", refusals::summary(refused)));
            render::print(&format!("Refused\n{}\n", refusals::show(refused)))?;
            Err(error.hint(hint))
        }
        Format::Json => {
            render::print(&render_json::line(&json!({
                "outcome": Exit::Refused.name(),
                "exit": Exit::Refused.code(),
                "refusals": refused,
                "hint": hint,
            })))?;
            Ok(Exit::Refused)
        }
    }
}

/// Whoever checks did not choose: no plan leaves without this verdict.
fn pass_check(placed: &Placed, cluster: &Cluster) -> Result<(), Error> {
    let verdict = check::judge(&placed.plan, cluster, At::Start);
    if verdict.accepted() {
        return Ok(());
    }
    let findings: Vec<String> = verdict.findings.iter().map(|finding| format!("\n  {finding}")).collect();
    Err(Error::refused(format!("the plan does not pass check; no plan was written{}", findings.concat()))
        .hint("this is a defect of restow: please report it with the snapshot"))
}

fn text(ground: &Ground, cluster: &Cluster, placed: &Placed, hash: &str) -> String {
    let plan = &placed.plan;
    let mut text = snapshot::head(cluster) + "\n";
    let _ = write!(text, "Matched {}", units::of(placed.matched_topics as u64, "topic"));
    let partitions = units::of(placed.matched_partitions as u64, "partition");
    let _ = match plan.intent.sources() {
        [] => writeln!(text, ", {partitions}"),
        sources => writeln!(text, ", {partitions} of them on brokers {}", list::and(sources)),
    };
    let _ = writeln!(text, "Moves {}", show::totals(plan));
    let _ = writeln!(text, "{}", price::sentence(plan, &plan.price()));
    let mut section = |heading: &str, body: &str| {
        if !body.is_empty() {
            let _ = write!(text, "\n{heading}\n{body}");
        }
    };
    section("Before and after", &bars::of(plan));
    section("Certificate", &show::certificate(&plan.certificate));
    section("Left out, since it is refused", &refusals::show(&placed.refusals));
    let not_empty = placed.not_empty.iter().map(|(broker, replicas)| {
        format!(
            "  Broker {broker} will not be empty: it keeps {}.\n",
            units::of((*replicas).into(), "replica")
        )
    });
    section("Source brokers", &not_empty.collect::<String>());
    let notes: Vec<String> = placed.notes.iter().map(|note| format!("  {note}\n")).collect();
    section("Notes", &notes.concat());
    let out = ground.out.display();
    let _ = writeln!(text, "\nWritten {out}, {hash}\nNext: restow show {out}");
    text
}

fn value(ground: &Ground, placed: &Placed, hash: &str) -> serde_json::Value {
    let not_empty =
        placed.not_empty.iter().map(|(broker, replicas)| json!({"broker": broker, "replicas": replicas}));
    json!({
        "file": ground.out.display().to_string(),
        "hash": hash,
        "matched": { "topics": placed.matched_topics, "partitions": placed.matched_partitions },
        "moves": placed.plan.moves.len(),
        "certificate": placed.plan.certificate,
        "refusals": placed.refusals,
        "not_empty": not_empty.collect::<Vec<_>>(),
        "notes": placed.notes,
    })
}
