//! Where the nodes of a cluster live: a directory and ports for each.

use crate::install::{PORTS, free_ports};
use crate::kafka::CONTROLLER;
use crate::node::{Node, Program};
use crate::spec::{HEAP_MB, Mode, Place, Spec};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

/// The places of all nodes and the nodes themselves, not yet started.
pub(crate) fn lay_out(spec: &Spec, directory: &Path) -> (BTreeMap<i32, Place>, BTreeMap<i32, Mutex<Node>>) {
    assert!(spec.secured.is_empty() || spec.mode() == Mode::KRaft, "only KRaft clusters can be secured");
    let ids: Vec<i32> = spec.brokers.iter().map(|broker| broker.id).chain([CONTROLLER]).collect();
    let mut ports = free_ports((2 + spec.secured.len()) * ids.len(), PORTS).into_iter();
    let mut port = || ports.next().expect("ports for each node");
    let (mut places, mut nodes) = (BTreeMap::new(), BTreeMap::new());
    for &id in &ids {
        let dir = directory.join(id.to_string());
        fs::create_dir_all(&dir).expect("a directory for the cluster cannot be made");
        let (first, extra) = (port(), port());
        let secured = spec.secured.iter().map(|&kind| (kind, port())).collect();
        let place = Place { id, port: first, extra, secured, dir: dir.display().to_string() };
        let (name, program) = match (id, spec.mode()) {
            (CONTROLLER, Mode::KRaft) => ("the controller".to_owned(), Program::Kafka),
            (CONTROLLER, Mode::ZooKeeper) => ("ZooKeeper".to_owned(), Program::ZooKeeper),
            _ => (format!("broker {id}"), Program::Kafka),
        };
        let node = Node::new(&name, program, first, &dir, spec.heap_mb.unwrap_or(HEAP_MB));
        nodes.insert(id, Mutex::new(node));
        assert!(
            places.insert(id, place).is_none(),
            "node id {id} is given twice ({CONTROLLER} is the controller's)"
        );
    }
    (places, nodes)
}
