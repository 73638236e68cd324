//! `restow export`: a plan as files for the stock tools, each with its twin, and a runbook.

use std::io;
use std::path::Path;

use restow_planner::file::reassignment::{self, Assignment};
use restow_planner::model::{BrokerId, ReplicaList, TopicPartition};
use restow_planner::plan::{Plan, Step, moves};
use restow_planner::schedule;
use serde_json::json;

use crate::args::{Export, Format};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::runbook::{Runbook, Wave};
use crate::render::{self, json as render_json, units};

/// Writes the directory.
pub fn run(args: &Export, format: Format) -> Result<Exit, Error> {
    let (plan, hash) = super::read_plan(&args.plan)?;
    if plan.moves.is_empty() {
        return Err(Error::usage(format!(
            "{}: the plan moves nothing: there is nothing to export",
            args.plan.display()
        )));
    }
    let waves = waves(&plan, args.max_partitions_per_wave as usize, args.max_bytes_per_wave);
    let servers = args.servers.join(",");
    let runbook = Runbook {
        plan: &plan,
        hash: &hash,
        file: &args.plan.display().to_string(),
        throttle: args.throttle,
        bootstrap: (!servers.is_empty()).then_some(servers.as_str()),
        waves: &waves,
    };
    files::write_dir(&args.dir, |dir| {
        for wave in &waves {
            write_wave(dir, &plan, wave)?;
        }
        let page = runbook.render();
        files::write(&dir.join("runbook.md"), |to| to.write_all(page.as_bytes()))
    })?;
    let names: Vec<&str> = waves.iter().map(|wave| wave.name.as_str()).collect();
    match format {
        Format::Text => {
            let dir = args.dir.display();
            let each =
                Step::ALL.map(|step| (step, waves.iter().filter(|wave| wave.step == step).count() as u64));
            let each: Vec<String> = each
                .iter()
                .filter(|(_, n)| *n > 0)
                .map(|(step, n)| units::of(*n, &format!("{step} file")))
                .collect();
            render::print(&format!(
                "Written {dir}: {}, their twins, runbook.md\nNext: read {dir}/runbook.md\n",
                each.join(", ")
            ))?;
        }
        Format::Json => render::print(&render_json::done(json!({
            "directory": args.dir.display().to_string(),
            "waves": names,
            "hash": hash,
        })))?,
    }
    Ok(Exit::Done)
}

/// The waves of all stages that the plan has, in the order in which they run.
fn waves(plan: &Plan, most: usize, most_bytes: Option<u64>) -> Vec<Wave> {
    let mut all = Vec::new();
    let stages = Step::ALL.into_iter().filter(|step| plan.has(*step));
    for (stage, step) in stages.enumerate() {
        let waves = schedule::waves(plan, step, most, most_bytes);
        let digits = waves.len().to_string().len().max(2);
        for (number, moves) in waves.into_iter().enumerate() {
            let name = format!("{:02}-{step}-{:0digits$}", stage + 1, number + 1);
            all.push(Wave { step, name, moves });
        }
    }
    all
}

fn write_wave(dir: &Path, plan: &Plan, wave: &Wave) -> Result<(), Error> {
    let (mut after, mut before) = (Vec::new(), Vec::new());
    for at in &wave.moves {
        let m = plan.moves.get(*at);
        let partition = plan.partition_of(&m);
        let (old, new) = around(wave.step, m.from, &plan.kept(&m), m.to);
        before.push(assignment(&partition, old)?);
        after.push(assignment(&partition, new)?);
    }
    let write = |ending: &str, list: &[Assignment]| {
        files::write(&dir.join(format!("{}{ending}", wave.name)), |to| reassignment::write(list, to))
    };
    write(".json", &after)?;
    write(".rollback.json", &before)?;
    if wave.step == Step::Swap {
        let partitions: Vec<TopicPartition> = after.into_iter().map(|item| item.partition).collect();
        elect(&dir.join(format!("{}.election.json", wave.name)), &partitions)?;
    }
    Ok(())
}

fn elect(path: &Path, partitions: &[TopicPartition]) -> Result<(), Error> {
    files::write(path, |to| -> io::Result<()> { reassignment::write_election(partitions, to) })
}

/// The lists before and after a step.
fn around(
    step: Step,
    from: &[BrokerId],
    kept: &[BrokerId],
    to: &[BrokerId],
) -> (Vec<BrokerId>, Vec<BrokerId>) {
    match step {
        Step::Expand => (from.to_vec(), moves::expanded(kept, to)),
        Step::Swap => (moves::expanded(kept, to), moves::swapped(kept, to)),
        Step::Shrink => (moves::swapped(kept, to), to.to_vec()),
    }
}

fn assignment(partition: &TopicPartition, list: Vec<BrokerId>) -> Result<Assignment, Error> {
    let replicas = ReplicaList::new(list).map_err(|error| Error::usage(format!("{partition}: {error}")))?;
    Ok(Assignment { partition: partition.clone(), replicas })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::plan::tests::plan_of;

    #[test]
    fn waves_are_numbered_in_the_order_in_which_they_run() {
        let plan = plan_of(&[(&[1, 3], &[4, 6]), (&[3, 2], &[6, 5]), (&[1, 3], &[3, 1])]);
        let names: Vec<String> = waves(&plan, 2, None).into_iter().map(|wave| wave.name).collect();
        assert_eq!(names, ["01-expand-01", "02-swap-01", "02-swap-02", "03-shrink-01"]);
        let names: Vec<String> =
            waves(&plan_of(&[(&[1, 3], &[3, 1])]), 2, None).into_iter().map(|wave| wave.name).collect();
        assert_eq!(names, ["01-swap-01"]);
    }

    #[test]
    fn a_hundred_waves_still_sort() {
        let lists: Vec<(&[i32], &[i32])> = vec![(&[1, 3], &[4, 6]); 100];
        let names: Vec<String> = waves(&plan_of(&lists), 1, None).into_iter().map(|wave| wave.name).collect();
        assert_eq!(names[0], "01-expand-001");
        assert!(names.is_sorted());
    }

    #[test]
    fn p7_each_twin_holds_the_lists_before_the_step() {
        let ids = |list: &[i32]| list.iter().copied().map(BrokerId).collect::<Vec<_>>();
        let (from, to) = (ids(&[1, 3]), ids(&[4, 6]));
        let [expand, swap, shrink] = Step::ALL.map(|step| around(step, &from, &from, &to));
        assert_eq!(expand, (ids(&[1, 3]), ids(&[1, 3, 4, 6])));
        assert_eq!(swap, (expand.1, ids(&[4, 6, 1, 3])));
        assert_eq!(shrink, (swap.1, ids(&[4, 6])));
    }
}
