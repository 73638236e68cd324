//! `restow demo --serve`: the simulated cluster on loopback, for other people's clients.

use restow_simulator::{Setup, Simulator};
use serde_json::json;
use tokio::net::TcpListener;

use crate::args::Format;
use crate::command::session::signals;
use crate::error::{Error, Exit};
use crate::render::{self, json as render_json};

/// Serves until it is interrupted. Must be called within a runtime whose clock runs.
pub async fn run(format: Format) -> Result<Exit, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::internal(format!("cannot serve the demo: {error}"));
    let (setup, mut stop) = (Setup::of(&super::bundled()?), signals()?);
    let sim = Simulator::new(&setup).map_err(|e| failed(&e))?;
    for broker in &setup.brokers {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| failed(&e))?;
        sim.serve_tcp(broker.id, listener).map_err(|e| failed(&e))?;
    }
    let bootstrap = sim.bootstrap();
    match format {
        Format::Text => render::print(&format!(
            "Kafka {}, simulated: six brokers, two zones; 1, 2, 3 are old, 4, 5, 6 are new and empty\n\
             {bootstrap}\n\
             Interrupt it (Ctrl-C) to end it; nothing is kept.\n\
             Next: restow snapshot --bootstrap-server {bootstrap} -o cluster.json\n",
            setup.version
        ))?,
        Format::Json => render::print(&render_json::line(&json!({
            "event": "serving",
            "bootstrap_server": bootstrap,
            "version": setup.version,
        })))?,
    }
    let _ = stop.changed().await;
    Ok(Exit::Done)
}
