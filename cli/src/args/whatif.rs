//! `restow whatif`.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use restow_planner::whatif::{self, KINDS, Kind, Typed};

use super::{Throttle, Zones, values};

const AFTER: &str = "\
Edits are applied in the order in which they are typed: `--remove 4,5 --then rebalance --lose-any-broker` evens out what
is left, and loses a broker then. What is removed is placed elsewhere before anything is lost, unless --then none says
otherwise. docs/whatif.md explains every edit and every figure.";

/// Say what becomes of a cluster under edits: brokers, layout, growth, failures. Touches no cluster.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Whatif {
    /// A snapshot, or a directory of snapshots: a row for each cluster then.
    #[arg(long, value_name = "FILE|DIR")]
    pub cluster: PathBuf,
    /// Scenarios (TOML): a table for each, its keys are edits in order. They are compared column by column.
    #[arg(short = 'f', long = "scenarios", value_name = "FILE")]
    pub scenarios: Option<PathBuf>,
    /// Node types beside those of --topology (TOML). Repeatable.
    #[arg(long, value_name = "FILE")]
    pub node_types: Vec<PathBuf>,
    /// Older snapshots of the cluster, to which growth is fitted (--grow-all fitted). Repeatable.
    #[arg(long, value_name = "FILE")]
    pub history: Vec<PathBuf>,
    /// Copy rate per broker and direction: with it, what is planned tells its time.
    #[arg(long, value_name = "RATE", value_parser = values::throttle)]
    pub throttle: Option<Throttle>,
    /// What a GB (10^9 bytes) from one zone into another costs, as in 0.02.
    #[arg(long, value_name = "PRICE", value_parser = values::price)]
    pub price_per_gb: Option<u64>,
    /// Every broker in the answer, however many there are.
    #[arg(long)]
    pub brokers: bool,
    /// Write the whole answer (JSON), for `restow report`.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What is edited.
    #[command(flatten)]
    pub edits: Edits,
    /// Corrections of the snapshot.
    #[command(flatten)]
    pub zones: Zones,
}

/// Edits in the order in which they were typed.
#[derive(Debug, Clone, Default)]
pub struct Edits(pub Vec<Typed>);

/// The flag of an edit.
fn arg(kind: &'static Kind) -> Arg {
    let arg = Arg::new(kind.name).long(kind.name).help(kind.help).help_heading("Edits");
    if kind.value.is_empty() {
        return arg.action(ArgAction::SetTrue);
    }
    let read = move |value: &str| {
        let text = format!("--{} {value}", kind.name);
        whatif::edit(kind.name, value).map(|edit| Typed { edit, text, line: 0 })
    };
    arg.value_name(kind.value).action(ArgAction::Append).allow_hyphen_values(true).value_parser(read)
}

impl Args for Edits {
    fn augment_args(command: Command) -> Command {
        KINDS.iter().fold(command, |command, kind| command.arg(arg(kind)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Edits::augment_args(command)
    }
}

impl FromArgMatches for Edits {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut found: Vec<(usize, Typed)> = Vec::new();
        for kind in &KINDS {
            if matches.value_source(kind.name) != Some(ValueSource::CommandLine) {
                continue;
            }
            let at = matches.indices_of(kind.name).into_iter().flatten();
            if kind.value.is_empty() {
                let edit = whatif::edit(kind.name, "").ok();
                let typed = edit.map(|edit| Typed { edit, text: format!("--{}", kind.name), line: 0 });
                found.extend(at.zip(typed));
            } else {
                found.extend(at.zip(matches.get_many::<Typed>(kind.name).into_iter().flatten().cloned()));
            }
        }
        found.sort_by_key(|(at, _)| *at);
        Ok(Edits(found.into_iter().map(|(_, typed)| typed).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Edits::from_arg_matches(matches)?;
        Ok(())
    }
}
