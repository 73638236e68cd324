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

use args::{Cli, Format};
use error::Error;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("RESTOW_LOG"))
        .with_writer(std::io::stderr)
        .init();
    let exit = command::run(&cli).unwrap_or_else(|error| {
        report(&error, cli.format);
        error.kind
    });
    exit.into()
}

/// Says why the verb failed: to a person on stderr, to a program as the result on stdout.
fn report(error: &Error, format: Format) {
    if format == Format::Json {
        let _ = render::print(&render::json::error(error));
    } else {
        eprintln!("{error}");
    }
}
