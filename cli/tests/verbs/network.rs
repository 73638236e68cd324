//! Addresses: those behind which there is no Kafka, and that of the simulated one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::{Ran, Room};

fn snapshot(room: &Room, server: &str) -> Ran {
    room.unchanged_by(|| room.restow(&["snapshot", "--bootstrap-server", server, "-o", "new.json"]))
}

/// An address where nobody listens.
pub fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

/// A listener that gives this answer to everybody.
pub fn answering(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut buffer = [0; 512];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(answer);
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
    address
}

#[test]
fn nobody_listens() {
    let room = Room::new();
    let server = closed();
    snapshot(&room, &server).exits(6).fails_once().says(&server);
    let both = format!("{server},{}", closed());
    snapshot(&room, &both).exits(6).fails_once().says(&server);
}

#[test]
fn a_name_that_does_not_exist() {
    let room = Room::new();
    snapshot(&room, "no-such-host.invalid:9092").exits(6).fails_once().says("no-such-host.invalid:9092");
}

#[test]
fn the_port_is_not_kafka() {
    let room = Room::new();
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        &[0, 0, 0, 4, 0, 0, 0, 0],
    ];
    for answer in answers {
        let server = answering(answer);
        snapshot(&room, &server).exits(6).fails_once().says(&server);
    }
}

/// The demo's cluster on loopback. Ends with the test, however that ends.
pub struct Demo {
    process: Child,
    pub server: String,
}

impl Demo {
    pub fn serve() -> Demo {
        let mut process = Command::new(env!("CARGO_BIN_EXE_restow"))
            .args(["demo", "--serve", "--format", "json"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("restow");
        let out = process.stdout.take().expect("its output");
        let mut demo = Demo { process, server: String::new() };
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        demo.server = told["bootstrap_server"].as_str().expect("an address").to_owned();
        demo
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_demo_can_be_served() {
    let demo = Demo::serve();
    let room = Room::new();
    let ran = room.restow(&["snapshot", "--bootstrap-server", &demo.server, "-o", "new.json"]);
    drop(demo);
    ran.exits(0);
    room.restow(&[
        "plan",
        "migrate",
        "--cluster",
        "new.json",
        "--from",
        "1,2,3",
        "--to",
        "4,5,6",
        "-o",
        "p.json",
    ])
    .exits(0);
    room.restow(&["export", "p.json", "--dir", "d", "--max-bytes-per-wave", "5GB"])
        .exits(0)
        .says("2 expand files");
}

#[test]
fn a_made_up_cluster_can_be_planned_on() {
    let room = Room::new();
    room.restow(&["generate", "--class", "S", "--seed", "7", "-o", "s.json"])
        .exits(0)
        .says("2,000 partitions");
    room.restow(&["plan", "migrate", "--cluster", "s.json", "--from", "1,2", "--to", "3,4", "-o", "p.json"])
        .exits(0);
    room.restow(&["generate", "--class", "M", "--hot-spots", "-o", "m.json"]).exits(0).says("30 brokers");
}
