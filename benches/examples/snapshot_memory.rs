//! What reading a snapshot file costs in time and memory. Two steps, so that making the cluster does not count:
//!
//! ```text
//! cargo run --release -p restow-benches --example snapshot_memory -- write /tmp/xl.json
//! cargo run --release -p restow-benches --example snapshot_memory -- read /tmp/xl.json
//! ```
//!
//! Memory is what Linux tells of the process: `VmHWM` (peak) and `VmRSS` (now: the model).

use std::error::Error;
use std::fs::File;

use restow_planner::file::snapshot;
use restow_planner::generate::{self, Class};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [verb, path] = arguments.as_slice() else { return Err("write FILE, or read FILE".into()) };
    // The only clock of the workspace outside tokio: this measures real time.
    #[allow(clippy::disallowed_methods)]
    let start = std::time::Instant::now();
    if verb == "write" {
        snapshot::write(&generate::cluster(&Class::XL, 1), &mut File::create(path)?)?;
        println!("{} bytes in {:?}", std::fs::metadata(path)?.len(), start.elapsed());
        return Ok(());
    }
    let cluster = snapshot::read(File::open(path)?, path)?;
    println!("{} partitions in {:?}", cluster.partition_count(), start.elapsed());
    let status = std::fs::read_to_string("/proc/self/status")?;
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS")) {
        println!("{line}");
    }
    Ok(())
}
