//! What TLS and SASL cost: snapshots of 50,000 partitions of real brokers over `PLAINTEXT` and over `SASL_SSL` (SCRAM),
//! by turns in one run.
//!
//! ```text
//! cargo run --release -p restow-client --example cost_of_tls
//! ```

#![allow(clippy::disallowed_methods, reason = "real brokers take real time")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use restow_client::snapshot::{self, SnapshotOptions};
use restow_client::tls::Tls;
use restow_client::{Client, Connect, Login, Options, Outside, Secure, Tcp, config};
use restow_testing::{Kafka, Kind, Spec, available_or_skip};

const TOPICS: usize = 50;
const PARTITIONS: usize = 1_000;
const ROUNDS: usize = 7;

fn main() {
    let Some(()) = available_or_skip() else { return };
    let spec = Spec::with_brokers("4.3.1", &[1, 2, 3, 4, 5, 6].map(|id| (id, "az-a")))
        .heap_mb(700)
        .secured(&[Kind::ScramSha512])
        .authorized(&["User:restow"]);
    let kafka = Kafka::start(spec);
    for topic in 0..TOPICS {
        let lists: Vec<Vec<i32>> = (0..PARTITIONS).map(|at| vec![1 + (at % 6) as i32]).collect();
        kafka.admin().create_topic(&format!("topic-{topic}"), &lists, &[]).expect("a topic");
        eprintln!("{} of {} partitions", (topic + 1) * PARTITIONS, TOPICS * PARTITIONS);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Brokers learn of topics one after the other.
    while runtime.block_on(once(&kafka, false)).2 < TOPICS * PARTITIONS {}
    let mut times = [(); 2].map(|()| (Vec::new(), Vec::new()));
    for round in 0..=ROUNDS {
        for (at, (set_up, taken)) in times.iter_mut().enumerate() {
            let (first, rest, partitions) = runtime.block_on(once(&kafka, at == 1));
            assert_eq!(partitions, TOPICS * PARTITIONS);
            // The first round warms the brokers up.
            if round > 0 {
                set_up.push(first);
                taken.push(rest);
            }
        }
    }
    let [plain, secured] = times.map(|(set_up, taken)| (median(set_up), median(taken)));
    for (name, (set_up, taken)) in [("PLAINTEXT", plain), ("SASL_SSL", secured)] {
        println!("{name:<10} set-up {:6.1} ms   snapshot {:7.1} ms", millis(set_up), millis(taken));
    }
    println!("ratio of snapshots {:.2}", millis(secured.1) / millis(plain.1));
}

/// Times of connecting to every broker and of the snapshot then, and the partitions in it.
async fn once(kafka: &Kafka, is_secured: bool) -> (Duration, Duration, usize) {
    let outside = Outside { clock: SystemTime::now, variable: |name| std::env::var(name).ok() };
    let begun = Instant::now();
    let (connect, servers, options): (Arc<dyn Connect>, String, Options) = if is_secured {
        let file = kafka.client_properties(Kind::ScramSha512);
        let config = config::read_file(&file, &outside.variable).expect("a client.properties");
        let tls = Tls::new(&config.security.tls.expect("TLS"), &outside.wall()).expect("stores");
        let login = config.security.sasl.map(|sasl| Login::new(sasl, Arc::new(outside)));
        let options = Options { login, ..Options::default() };
        (Arc::new(Secure::new(tls)), kafka.listener(Kind::ScramSha512), options)
    } else {
        (Arc::new(Tcp), kafka.bootstrap(), Options::default())
    };
    let servers: Vec<String> = servers.split(',').map(str::to_owned).collect();
    let client = Client::bootstrap(connect, &servers, options).await.expect("a cluster");
    for broker in client.brokers() {
        restow_client::read::brokers_at(&client, broker).await.expect("a broker");
    }
    let set_up = begun.elapsed();
    let begun = Instant::now();
    let taken = snapshot::take(&client, &SnapshotOptions::default(), &mut |_| {}).await.expect("a snapshot");
    let taken_in = begun.elapsed();
    (set_up, taken_in, taken.cluster.partition_count())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
