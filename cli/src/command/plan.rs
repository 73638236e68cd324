//! `restow plan …`: from a snapshot to a plan that has passed check.

use std::fmt::Write;

use restow_planner::check::{self, At};
use restow_planner::file;
use restow_planner::model::Cluster;
use restow_planner::place::{self, Options, PlaceError, Placed, Refusal};
use restow_planner::plan::Intent;
use serde_json::json;

use crate::args::{Format, Migrate};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::{self, json as render_json, list, plan as show, price, refusals, units, watch};

/// `restow plan migrate`.
pub fn migrate(args: &Migrate, format: Format) -> Result<Exit, Error> {
    let cluster = super::read_cluster(&args.cluster, &args.zones)?;
    let intent = Intent::Migrate {
        from: sorted(&args.from),
        to: sorted(&args.to),
        topics: args.topics.clone(),
        exclude: args.exclude.clone(),
        preserve_leaders: args.preserve_leaders,
    };
    let options = Options {
        accept_differences: args.accept_config_diff.clone(),
        leave_out_refused: args.leave_out_refused,
        hold_min_isr: args.hold_min_isr,
        ..Options::default()
    };
    let placed = match place::plan(&cluster, &intent, &options, &mut watch::Phases::new()) {
        Ok(placed) => placed,
        Err(PlaceError::Refused { refusals }) => return refuse(&refusals, format),
        Err(error) => return Err(error.into()),
    };
    pass_check(&placed, &cluster)?;
    let hash = files::write(&args.out, |to| file::plan::write(&placed.plan, to))?;
    match format {
        Format::Text => render::print(&text(args, &cluster, &placed, &hash))?,
        Format::Json => render::print(&render_json::line(&value(args, &placed, &hash)))?,
    }
    Ok(Exit::Done)
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

fn text(args: &Migrate, cluster: &Cluster, placed: &Placed, hash: &str) -> String {
    let plan = &placed.plan;
    let mut text = format!(
        "Cluster {}: {}, {}, {}\n",
        cluster.id,
        units::of(cluster.brokers.len() as u64, "broker"),
        units::of(cluster.topics.len() as u64, "topic"),
        units::of(cluster.partition_count() as u64, "partition"),
    );
    let _ = writeln!(
        text,
        "Matched {}, {} of them on brokers {}",
        units::of(placed.matched_topics as u64, "topic"),
        units::of(placed.matched_partitions as u64, "partition"),
        list::and(&args.from),
    );
    let _ = writeln!(text, "Moves {}", show::totals(plan));
    let _ = writeln!(text, "{}", price::sentence(plan, &plan.price()));
    let mut section = |heading: &str, body: &str| {
        if !body.is_empty() {
            let _ = write!(text, "\n{heading}\n{body}");
        }
    };
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
    let out = args.out.display();
    let _ = writeln!(text, "\nWritten {out}, {hash}\nNext: restow show {out}");
    text
}

fn value(args: &Migrate, placed: &Placed, hash: &str) -> serde_json::Value {
    let not_empty =
        placed.not_empty.iter().map(|(broker, replicas)| json!({"broker": broker, "replicas": replicas}));
    json!({
        "outcome": Exit::Done.name(),
        "exit": Exit::Done.code(),
        "file": args.out.display().to_string(),
        "hash": hash,
        "matched": { "topics": placed.matched_topics, "partitions": placed.matched_partitions },
        "moves": placed.plan.moves.len(),
        "certificate": placed.plan.certificate,
        "refusals": placed.refusals,
        "not_empty": not_empty.collect::<Vec<_>>(),
        "notes": placed.notes,
    })
}
