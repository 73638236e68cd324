//! What the planner costs: `cargo bench -p restow-benches`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use restow_planner::generate::{self, Class};
use restow_planner::model::Cluster;
use restow_planner::model::watch::Unwatched;
use restow_planner::plan::Intent;
use restow_planner::{check, file, place};

fn migrate(class: &Class) -> Intent {
    let (from, to) = generate::sources_and_destinations(class);
    Intent::Migrate { from, to, topics: vec![], exclude: vec![], preserve_leaders: false }
}

fn plan(cluster: &Cluster, intent: &Intent) -> place::Placed {
    place::plan(cluster, intent, &place::Options::default(), &mut Unwatched)
        .expect("generated clusters are healthy")
}

fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan migrate");
    group.sample_size(10);
    let three = |class: Class| Class { factor: 3, zones: 3, ..class };
    for (name, class) in [
        ("50k partitions, RF2, 100 to 100 brokers", Class::migrate(50_000, 100, 100)),
        ("100k partitions, RF3, 500 to 500 brokers", three(Class::migrate(100_000, 500, 500))),
        ("200k partitions, RF3, 99 to 99 brokers", three(Class::migrate(200_000, 99, 99))),
    ] {
        let (cluster, intent) = (generate::cluster(&class, 1), migrate(&class));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(plan(&cluster, &intent))));
    }
    group.finish();
}

fn judging(criterion: &mut Criterion) {
    let class = Class::migrate(50_000, 100, 100);
    let (cluster, intent) = (generate::cluster(&class, 1), migrate(&class));
    let plan = plan(&cluster, &intent).plan;
    let mut sealed = Vec::new();
    file::plan::write(&plan, &mut sealed).expect("memory takes everything");
    let mut group = criterion.benchmark_group("50k moves");
    group.sample_size(10);
    group.bench_function("check", |bencher| {
        bencher.iter(|| black_box(check::judge(&plan, &cluster, check::At::Start)));
    });
    group
        .bench_function("write the plan file", |bencher| bencher.iter(|| black_box(file::plan::hash(&plan))));
    group.bench_function("read the plan file", |bencher| {
        bencher.iter(|| black_box(file::plan::read(sealed.as_slice(), "plan.json")));
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let cluster = generate::cluster(&Class::XL, 1);
    let mut bytes = Vec::new();
    file::snapshot::write(&cluster, &mut bytes).expect("memory takes everything");
    let mut group = criterion.benchmark_group("snapshot of 2M partitions, RF3");
    group.sample_size(10);
    group.bench_function("read", |bencher| {
        bencher.iter(|| black_box(file::snapshot::read(bytes.as_slice(), "cluster.json")));
    });
    group.bench_function("write", |bencher| {
        bencher.iter_batched(
            std::io::sink,
            |mut sink| file::snapshot::write(&cluster, &mut sink),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, planning, judging, reading);
criterion_main!(benches);
