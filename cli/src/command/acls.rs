//! `restow acls`: the permissions that restow needs, as commands.

use restow_client::read::permissions::{self, Need, On};
use serde_json::json;

use crate::args::{Acls, Format, Purpose};
use crate::error::{Error, Exit};
use crate::render::{self, json as render_json};

/// Prints the commands.
pub fn run(args: &Acls, format: Format) -> Result<Exit, Error> {
    let needs = permissions::needs(purpose(args.purpose));
    let lines: Vec<(Need, String)> = needs
        .into_iter()
        .flat_map(|need| commands(args, need).into_iter().map(move |line| (need, line)))
        .collect();
    match format {
        Format::Text => {
            let text: String =
                lines.iter().map(|(need, line)| format!("# {}\n{line}\n", need.reason())).collect();
            render::print(&text)?;
        }
        Format::Json => {
            let rows: Vec<_> = lines
                .iter()
                .map(|(need, line)| {
                    json!({
                        "operation": need.operation.to_string(),
                        "resource": if need.on == On::Cluster { "cluster" } else { "topic" },
                        "reason": need.reason(),
                        "command": line,
                    })
                })
                .collect();
            render::print(&render_json::done(json!({ "principal": args.principal, "permissions": rows })))?;
        }
    }
    Ok(Exit::Done)
}

/// What the client calls a purpose.
pub fn purpose(purpose: Purpose) -> permissions::Purpose {
    match purpose {
        Purpose::Plan => permissions::Purpose::Plan,
        Purpose::Apply => permissions::Purpose::Apply,
    }
}

fn commands(args: &Acls, need: Need) -> Vec<String> {
    let server = match &args.servers[..] {
        [] => "\"$BOOTSTRAP\"".to_owned(),
        servers => servers.join(","),
    };
    let config = args.command_config.as_ref().map(|path| format!(" --command-config {}", path.display()));
    let begin = format!(
        "kafka-acls.sh --bootstrap-server {server}{} --add --allow-principal '{}'",
        config.unwrap_or_default(),
        args.principal
    );
    if need.on == On::Cluster || args.topic_prefix.is_empty() {
        return vec![format!("{begin} {}", need.flags("*"))];
    }
    let prefixed =
        |prefix: &String| format!("{begin} {} --resource-pattern-type prefixed", need.flags(prefix));
    args.topic_prefix.iter().map(prefixed).collect()
}
