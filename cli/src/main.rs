//! The command `restow`: plan and run Kafka partition reassignments, in steps that can be taken back.

mod args;
mod clock;
mod command;
mod connect;
mod error;
mod files;
mod render;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use args::{Cli, Output};
use error::Error;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt().with_env_filter(log_filter()).with_writer(std::io::stderr).init();
    let exit = command::run(&cli).unwrap_or_else(|error| {
        report(&error, cli.format);
        error.kind
    });
    exit.into()
}

/// What is logged: warnings, unless RESTOW_LOG says otherwise.
fn log_filter() -> EnvFilter {
    let usual = LevelFilter::WARN.into();
    EnvFilter::builder().with_env_var("RESTOW_LOG").with_default_directive(usual).from_env_lossy()
}

/// Says why the verb failed: to a person on stderr, to a program as the result on stdout.
fn report(error: &Error, format: Output) {
    if format == Output::Json {
        let _ = render::print(&render::json::error(error));
    } else {
        eprintln!("{error}");
    }
}
