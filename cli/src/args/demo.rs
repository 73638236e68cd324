//! `restow demo`.

use clap::Args;

/// Migrate a simulated cluster inside this process, and back.
#[derive(Debug, Args)]
pub struct Demo {
    /// Do not ask (it never does; the flag is here as on every verb that changes a cluster).
    #[arg(long)]
    pub yes: bool,
    /// Serve the simulated cluster on loopback instead, in real time, for restow and the stock tools to be tried on,
    /// until it is interrupted.
    #[arg(long)]
    pub serve: bool,
}
