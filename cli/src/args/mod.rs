//! What can be typed. Types only: the verbs are in [`crate::command`].

mod acls;
mod apply;
mod bytes;
mod check;
mod demo;
mod doctor;
mod explain;
mod export;
pub mod fault;
mod forecast;
mod generate;
mod incident;
mod plan;
mod reach;
mod rehearse;
mod report;
mod rollback;
mod show;
mod size;
mod snapshot;
mod status;
mod sweep;
mod values;
mod whatif;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use restow_executor::drive::Ignore;

pub use acls::{Acls, Purpose};
pub use apply::{Apply, Gate};
pub use check::Check;
pub use demo::Demo;
pub use doctor::Doctor;
pub use explain::Explain;
pub use export::Export;
pub use forecast::{Forecast, Links, Order};
pub use generate::{ClassName, Generate};
pub use incident::{Pause, Resume, Rethrottle};
pub use plan::{Bands, Ground, Pacing, Plan, PlanVerb, Topics};
pub use reach::{Audit, Bootstrap};
pub use rehearse::Rehearse;
pub use report::Report;
pub use rollback::Rollback;
pub use show::Show;
pub use size::Size;
pub use snapshot::{Merge, Snapshot, SnapshotVerb};
pub use status::Status;
pub use sweep::Sweep;
pub use values::{Rtt, Throttle, Until, ZoneMapping, ZoneOfBroker, throttle};
pub use whatif::Whatif;

const AFTER: &str = "\
Exit codes:
  0  done
  1  internal error
  2  usage, or input that cannot be read
  3  the plan is refused, or does not fit the cluster
  4  waiting at a gate, or stopped by a person
  5  the cluster diverged from the plan
  6  unreachable, or not authorised
  7  finished, but something of ours is left
  8  held past --hold-timeout";

/// Plan and run Kafka partition reassignments, in steps that can be taken back.
#[derive(Debug, Parser)]
#[command(name = "restow", version, after_help = AFTER, propagate_version = true)]
pub struct Cli {
    /// How results are printed: text for people, json for programs, csv for spreadsheets.
    #[arg(long, value_enum, global = true, default_value_t = Output::Text, value_name = "FORMAT")]
    pub format: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs: one JSON object, or one a line for a running verb.
    Json,
    /// For spreadsheets, of verbs whose result is a table.
    Csv,
}

/// How results of verbs without a table are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object, or one a line for a running verb.
    Json,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write what planning needs to know about a cluster into one file.
    Snapshot(Snapshot),
    /// Make a plan from a snapshot. Touches no cluster.
    Plan(Plan),
    /// Explain a plan to a person: what moves, what it costs, what stays.
    Show(Show),
    /// Say why a replica of a plan moves, or stays.
    Explain(Explain),
    /// Judge a plan, or a file for the stock tool, against a snapshot.
    Check(Check),
    /// Write a plan as files and a runbook for kafka-reassign-partitions and kafka-leader-election.
    Export(Export),
    /// Tell how long a plan takes at a throttle, and what it takes meanwhile. Touches no cluster.
    Forecast(Forecast),
    /// Write one HTML page about a plan, a run or a what-if: for people who decide, and for the record.
    Report(Report),
    /// Run a plan on a cluster, from wherever it stands. Stops at gates that are not approved.
    Apply(Apply),
    /// Say where a plan stands on a cluster. Changes nothing.
    Status(Status),
    /// Take a plan back, from any point before its shrink.
    Rollback(Rollback),
    /// Keep a running apply from beginning anything new.
    Pause(Pause),
    /// Let a paused run go on.
    Resume(Resume),
    /// Change the throttle of a running apply.
    Throttle(Rethrottle),
    /// Find throttles and in-flight moves that nothing is behind, and remove those that are ours.
    Sweep(Sweep),
    /// Run a plan on a simulated copy of the cluster, faults and all: touches no cluster.
    Rehearse(Rehearse),
    /// Connect to every broker as the other verbs would, and say what stands in the way. Changes nothing.
    Doctor(Doctor),
    /// Print the kafka-acls commands that allow what restow does, and nothing more.
    Acls(Acls),
    /// Say what becomes of a cluster under edits: brokers, layout, growth, failures. Touches no cluster.
    Whatif(Whatif),
    /// Find the cheapest node types and counts that hold a cluster, and place its partitions on them. Touches no cluster.
    Size(Size),
    /// Write the snapshot of a made-up cluster, or of a fleet of them, to try a plan or to repeat a measurement.
    Generate(Generate),
    /// Migrate a simulated cluster inside this process, and back: no Kafka needed.
    Demo(Demo),
}

/// What a person knows beside a snapshot: zones and node types, corrections of zones, rates.
#[derive(Debug, Args, Default)]
pub struct Zones {
    /// A topology file (TOML): zones of racks and brokers, node types, round-trip times. --zone, --map-zone and --rtt
    /// win over it.
    #[arg(long, value_name = "FILE")]
    pub topology: Option<PathBuf>,
    /// A rates file (CSV: topic,partition,write_bytes_per_second,read_bytes_per_second,requests_per_second), in place of
    /// the rates that the snapshot knows.
    #[arg(long, value_name = "FILE")]
    pub rates: Option<PathBuf>,
    /// The zone of a broker, in place of its rack. Repeatable.
    #[arg(long = "zone", value_name = "BROKER=ZONE", value_parser = values::zone_of_broker)]
    pub of_brokers: Vec<ZoneOfBroker>,
    /// Another name for a zone: brokers of racks OLD and NEW are then in one zone. Repeatable.
    #[arg(long = "map-zone", value_name = "OLD=NEW", value_parser = values::zone_mapping)]
    pub mappings: Vec<ZoneMapping>,
}

/// How fast a run goes.
#[derive(Debug, Args)]
pub struct Pace {
    /// How often the cluster is looked at while nothing ends.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = values::duration)]
    pub poll_interval: Duration,
    /// How long a partition must stand swapped, leader and ISR unbroken, before it is shrunk.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub dwell: Duration,
    /// Give up (exit 8) when nothing could be done for this long. Without it, holds are waited for.
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub hold_timeout: Option<Duration>,
    /// Copies in flight per broker at most: those that come in, and those that it sends, are counted apart.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_in_flight_per_broker: u32,
}

/// What holds a run beside the cluster itself.
#[derive(Debug, Args)]
pub struct Holds {
    /// Begin nothing new while this file exists; its first line is the reason that is shown. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub hold_file: Vec<PathBuf>,
    /// Begin nothing new unless this command (for sh -c, run again and again) exits with 0.
    #[arg(long, value_name = "COMMAND")]
    pub hold_command: Option<String>,
    /// Override a hold, everywhere or for one broker or partition: offline-broker, offline-broker:7, disk:5,
    /// under-replicated, min-isr, foreign-move:3, external. The journal remembers that you did. Repeatable.
    #[arg(long, value_name = "NAME[:SCOPE]", value_parser = values::ignore)]
    pub ignore_hold: Vec<Ignore>,
    /// Begin nothing that would still be in flight at this time (06:00 is local time; 06:00Z, 06:00+02:00; or
    /// 8h from now), and stop then (exit 4) if something is left to do.
    #[arg(long, value_name = "TIME", value_parser = values::until)]
    pub until: Option<Until>,
}

/// Where the journal of a plan is: the file that was named, else `PLAN.journal` beside the plan.
pub fn journal_of(plan: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| beside(plan, "journal"), Path::to_owned)
}

/// The file of this kind that belongs to a plan: `PLAN.KIND`.
pub fn beside(plan: &Path, kind: &str) -> PathBuf {
    let mut name = plan.as_os_str().to_owned();
    name.push(".");
    name.push(kind);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_story_parses() {
        for line in [
            "restow snapshot --bootstrap-server a:9092,b:9092 -o cluster.json --zone 4=az-a --map-zone old=az-a",
            "restow plan migrate --cluster c.json --from 1,2,3 --to 4,5,6 -o p.json --topics a.* --topics b \
             --exclude c --preserve-leaders --leave-out-refused --accept-config-diff retention.ms --map-zone x=y",
            "restow show plan.json --format json",
            "restow check plan.json --cluster cluster.json",
            "restow check --reassignment-json-file f.json --cluster c.json",
            "restow export plan.json --dir change --throttle 50MB/s --bootstrap-server b:1 \
             --max-partitions-per-wave 20",
            "restow apply plan.json --bootstrap-server b:1 --throttle none --yes --approve swap,shrink \
             --journal j --poll-interval 500ms --dwell 1m --hold-timeout 1h --max-in-flight-per-broker 7 \
             --accept-config-diff retention.ms",
            "restow status plan.json --bootstrap-server b:1 --journal j",
            "restow rollback plan.json --bootstrap-server b:1 --throttle 1000000 --yes",
            "restow sweep --bootstrap-server b:1 --journal j --plan p.json --yes",
            "restow snapshot --bootstrap-server a:9092 -o c.json --sample 60s",
            "restow forecast plan.json --cluster c.json --throttle 50MB/s --rtt az-a:az-b=60ms --price-per-gb 0.02 \
             --order critical-port-first --dwell 5s --map-zone x=y --format json",
            "restow sweep --bootstrap-server b:1 --remove broker:5:follower.replication.throttled.rate --format json",
            "restow apply p.json --bootstrap-server b:1 --throttle none --adopt",
            "restow plan migrate --cluster c.json --from 1 --to 2 -o p.json --hold-min-isr",
            "restow plan drain --cluster c.json --brokers 3,4 --replace-with 9 -o p.json --pacing staged",
            "restow plan add --cluster c.json --brokers 7,8 --measures bytes,replicas --tolerance 2.5% -o p.json",
            "restow plan rebalance --cluster c.json -o p.json --max-bytes 5TB --max-moves 100 --max-moves-per-broker 9 \
             --max-leader-changes 10 --topics a.*",
            "restow plan set-rf --cluster c.json --topics a --replication-factor 3 -o p.json",
            "restow plan repair --cluster c.json -o p.json",
            "restow plan leaders --cluster c.json --within 5% --demote 1,2 -o p.json",
            "restow plan follow --cluster c.json --reassignment-json-file a.json -o p.json",
            "restow explain p.json --partition a.b-c-0",
            "restow explain p.json --broker 7",
            "restow demo --yes",
            "restow apply p.json --bootstrap-server b:1 --throttle none --give-up 1 --give-up 2 --set-aside t-0,u-v-3 \
             --hold-file /h --hold-command true --ignore-hold disk:5 --ignore-hold external --until 06:00Z",
            "restow rollback p.json --bootstrap-server b:1 --broker 5 --yes",
            "restow rehearse p.json --cluster c.json --throttle 50MB/s --speed 10m --kafka 3.9.2",
            "restow pause p.json --reason lunch",
            "restow resume p.json",
            "restow throttle p.json 20MB/s",
            "restow snapshot --bootstrap-server a:9092 -o c.json --topology t.toml --rates r.csv --zone 1=x",
            "restow snapshot merge a.json b.json c.json -o d.json --percentile 95",
            "restow plan migrate --cluster c.json --from 1 --to 2 -o p.json --topology t.toml --rates r.csv",
            "restow forecast p.json --cluster c.json --throttle 50MB/s --topology t.toml --rtt a:b=1ms",
            "restow apply p.json --bootstrap-server b:1 --throttle none --topology t.toml",
            "restow snapshot --command-config client.properties -o c.json",
            "restow apply p.json --bootstrap-server b:1 --command-config c --allow-plaintext-credentials --throttle none \
             --audit-log audit.jsonl",
            "restow doctor --bootstrap-server b:1 --for plan",
            "restow acls --principal User:restow --for apply --topic-prefix a. --bootstrap-server b:1 --command-config c",
            "restow report plan.json -o report.html --cluster c.json --throttle 50MB/s --price-per-gb 0.02",
            "restow report plan.json.journal -o report.html --plan plan.json --cluster c.json",
            "restow generate --class fleet --seed 3 -o fleet",
            "restow generate --class M --utilisation 90 -o m.json",
        ] {
            parse(line).unwrap_or_else(|error| panic!("{line}\n{error}"));
        }
    }

    #[test]
    fn a_snapshot_is_taken_or_merged() {
        let snapshot = |line: &str| match parse(line).expect(line).command {
            Command::Snapshot(args) => args,
            other => panic!("{other:?}"),
        };
        let taken = snapshot("restow snapshot --bootstrap-server a:9092,b:9092 -o c.json --zone 1=x");
        let servers = taken.bootstrap.expect("a cluster").servers;
        assert_eq!((servers.len(), taken.out.is_some(), taken.verb.is_none()), (2, true, true));
        let merged = snapshot("restow snapshot merge a.json b.json -o d.json");
        assert!(matches!(merged.verb, Some(SnapshotVerb::Merge(args)) if args.files.len() == 2));
    }

    #[test]
    fn what_is_needed_is_asked_for() {
        for line in [
            "restow apply plan.json --bootstrap-server b:1",
            "restow apply plan.json --throttle none",
            "restow check --cluster c.json",
            "restow check p.json --reassignment-json-file f.json --cluster c.json",
            "restow plan migrate --cluster c.json --from 1 -o p.json",
            "restow apply p.json --bootstrap-server b --throttle none",
            "restow apply p.json --bootstrap-server b:1 --throttle none --approve expand",
            "restow apply p.json --bootstrap-server b:1 --throttle none --ignore-hold guard",
            "restow apply p.json --bootstrap-server b:1 --throttle none --set-aside t",
            "restow apply p.json --bootstrap-server b:1 --throttle none --until noon",
            "restow throttle p.json 50",
            "restow plan drain --cluster c.json -o p.json",
            "restow report plan.json",
            "restow report plan.json -o r.html --throttle 50MB/s",
            "restow plan leaders --cluster c.json --best --minimal -o p.json",
            "restow plan rebalance --cluster c.json --tolerance 5 -o p.json",
            "restow plan rebalance --cluster c.json --measures disk -o p.json",
            "restow plan set-rf --cluster c.json --replication-factor 0 -o p.json",
            "restow snapshot",
            "restow snapshot -o c.json",
            "restow snapshot --bootstrap-server a:9092",
            "restow snapshot merge a.json -o d.json",
            "restow snapshot merge a.json b.json",
            "restow snapshot merge a.json b.json -o d.json --percentile 0",
            "restow snapshot --bootstrap-server a:9092 -o c.json merge a.json b.json -o d.json",
            "restow generate --class M --utilisation 101 -o m.json",
            "restow acls --principal restow --for apply",
            "restow doctor",
        ] {
            assert_eq!(parse(line).expect_err(line).exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn the_journal_lies_beside_the_plan() {
        assert_eq!(journal_of(Path::new("d/plan.json"), None), Path::new("d/plan.json.journal"));
        assert_eq!(journal_of(Path::new("plan.json"), Some(Path::new("j"))), Path::new("j"));
    }
}
