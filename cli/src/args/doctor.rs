//! `restow doctor`.

use clap::Args;

use super::Bootstrap;
use super::acls::Purpose;

/// Connect to every broker as the other verbs would, and say what stands in the way.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Which cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// What permissions are looked for.
    #[arg(long = "for", value_enum, value_name = "PURPOSE", default_value = "apply")]
    pub purpose: Purpose,
}
