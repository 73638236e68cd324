//! Kafka's own Java client and stock tools at any address: a simulator has to satisfy them too.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::admin::Admin;
use crate::install::Install;
use crate::shell::Shell;
use crate::tool::{self, ToolOutput};
use crate::watchdog::Watchdog;

static STARTED: AtomicU64 = AtomicU64::new(0);

/// The Java client of one version, connected to somebody's brokers.
#[derive(Debug)]
pub struct Java {
    admin: Admin,
    install: Install,
    watchdog: Watchdog,
    directory: PathBuf,
    bootstrap: String,
}

impl Java {
    /// Connects the admin client.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn connect(version: &str, bootstrap: &str) -> Java {
        let install = Install::of(version);
        let name = format!("restow-java-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory for the client cannot be made");
        let watchdog = Watchdog::start(&directory);
        let shell = Shell::start(&install, &directory.join("admin.log"));
        watchdog.add(shell.pid());
        let admin = Admin::new(shell, &directory);
        admin.connect(bootstrap);
        Java { admin, install, watchdog, directory, bootstrap: bootstrap.to_owned() }
    }

    /// The admin client.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// A directory that goes away with this, for files of the test.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// `kafka-topics --bootstrap-server … args`.
    #[must_use]
    pub fn topics(&self, args: &[&str]) -> ToolOutput {
        self.run(tool::TOPICS, args)
    }

    /// `kafka-reassign-partitions --bootstrap-server … args`.
    #[must_use]
    pub fn reassign(&self, args: &[&str]) -> ToolOutput {
        self.run(tool::REASSIGN, args)
    }

    /// `kafka-leader-election --bootstrap-server … args`.
    #[must_use]
    pub fn elect(&self, args: &[&str]) -> ToolOutput {
        self.run(tool::ELECT, args)
    }

    fn run(&self, main_class: &str, args: &[&str]) -> ToolOutput {
        let all = [&["--bootstrap-server", &self.bootstrap], args].concat();
        tool::run(&self.install, &self.watchdog, main_class, &all)
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        self.watchdog.remove(self.admin.pid()); // it ends with the field `admin`
    }
}
