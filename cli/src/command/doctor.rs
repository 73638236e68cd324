//! `restow doctor`: what stands between this machine and a cluster.

use std::time::{Duration, UNIX_EPOCH};

use restow_client::read::permissions::{self, Missing};
use restow_client::read::probe::{self, Probe};
use restow_client::snapshot::{self, SnapshotOptions};
use restow_client::tls::Seen;
use restow_client::{Client, Error as ClientError, read};
use restow_executor::journal::Memory;
use restow_executor::run::strangers;
use restow_planner::model::{BrokerId, Cluster};
use tokio::time::timeout;

use crate::args::{Doctor, Format};
use crate::clock;
use crate::connect::Way;
use crate::error::{Error, Exit};
use crate::render::{self, doctor as show, watch};

/// One broker, as far as it could be reached.
#[derive(Debug)]
pub struct Seat {
    /// The broker.
    pub id: BrokerId,
    /// What it showed, or why it did not.
    pub probe: Result<Probe, ClientError>,
    /// What TLS showed; none without TLS, or where there is no connection.
    pub tls: Option<Seen>,
}

/// The controller.
#[derive(Debug)]
pub enum Mode {
    /// KRaft, with the quorum if it was told.
    Kraft {
        /// Its active controller and voters, or why they are unknown.
        quorum: Result<read::QuorumView, ClientError>,
        /// How far its clock is ahead of ours, in milliseconds; behind where negative.
        skew: Option<i64>,
    },
    /// ZooKeeper.
    ZooKeeper,
}

/// Everything that was looked at.
#[derive(Debug)]
pub struct Visit {
    /// The cluster's id.
    pub cluster: String,
    /// Who we are, as far as our login tells, and by what.
    pub principal: Option<String>,
    /// The SASL mechanism.
    pub mechanism: Option<&'static str>,
    /// Whether it is reached over TLS.
    pub is_secure: bool,
    /// What should be changed about how it is reached.
    pub warnings: Vec<String>,
    /// The brokers by id.
    pub seats: Vec<Seat>,
    /// Who controls it.
    pub mode: Mode,
    /// Permissions that are missing, or why that is unknown.
    pub missing: Result<Vec<Missing>, ClientError>,
    /// The cluster itself with what the snapshot warns of, or why it cannot be read.
    pub taken: Result<(Cluster, Vec<String>), ClientError>,
    /// Throttles that are set, and partitions in flight.
    pub strangers: (Vec<String>, Vec<String>),
}

/// Runs the verb: 0, or 3 if something stands in the way.
pub async fn run(args: &Doctor, format: Format) -> Result<Exit, Error> {
    let way = Way::to(&args.bootstrap)?;
    let client = way.client().await?;
    let mut progress = watch::Phases::new();
    let visit = visit(&way, &client, args, &mut progress).await;
    progress.end();
    let now = clock::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let findings = show::findings(&visit, now);
    match format {
        Format::Text => render::print(&show::text(&visit, &findings))?,
        Format::Json => render::print(&show::json(&visit, &findings))?,
    }
    Ok(if findings.iter().any(|finding| finding.is_in_the_way) { Exit::Refused } else { Exit::Done })
}

async fn visit(way: &Way, client: &Client, args: &Doctor, progress: &mut watch::Phases) -> Visit {
    let mut seats = Vec::new();
    for id in client.brokers() {
        let probe = probe::probe(client, id).await;
        let tls = match (&way.secure, &probe) {
            (Some(secure), Ok(probe)) => {
                let opened = timeout(way.options.connect_timeout, secure.open(&probe.address)).await;
                opened.ok().and_then(Result::ok).map(|(_, seen)| seen)
            }
            _ => None,
        };
        seats.push(Seat { id, probe, tls });
    }
    let purpose = super::acls::purpose(args.purpose);
    let missing = permissions::missing(client, purpose, None).await;
    let mut said = |step: snapshot::Progress| progress.snapshot(&step);
    let taken = snapshot::take(client, &SnapshotOptions::default(), &mut said).await;
    let taken = taken.map(|taken| (taken.cluster, taken.warnings.iter().map(ToString::to_string).collect()));
    let found = taken.as_ref().map(|(cluster, _): &(Cluster, _)| strangers(cluster, &Memory::default()));
    Visit {
        cluster: client.cluster_id().to_owned(),
        principal: client.principal().map(str::to_owned),
        mechanism: way.options.login.as_ref().map(|login| login.sasl.mechanism()),
        is_secure: way.secure.is_some(),
        warnings: way.warnings.clone(),
        seats,
        mode: if client.is_kraft() { kraft(client).await } else { Mode::ZooKeeper },
        missing,
        strangers: found.unwrap_or_default(),
        taken,
    }
}

async fn kraft(client: &Client) -> Mode {
    let wall = || clock::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let before = wall();
    let quorum = probe::quorum(client).await;
    // The answer was made somewhere between question and answer.
    let middle = (before + wall()) / 2;
    let theirs = quorum.as_ref().ok().and_then(|quorum| quorum.time).map(Duration::from_millis);
    let skew = theirs.map(|theirs| theirs.as_millis() as i64 - middle.as_millis() as i64);
    Mode::Kraft { quorum, skew }
}
