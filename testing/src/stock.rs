//! The stock tools against a running cluster, through its PLAINTEXT listener.

use crate::kafka::Kafka;
use crate::tool::{self, ToolOutput};

impl Kafka {
    /// Runs a Java class of this version of Kafka, for at most two minutes.
    #[must_use]
    pub fn tool(&self, main_class: &str, args: &[&str]) -> ToolOutput {
        tool::run(self.tools(), self.watchdog(), main_class, args)
    }

    /// `kafka-topics --bootstrap-server … args`.
    #[must_use]
    pub fn topics(&self, args: &[&str]) -> ToolOutput {
        self.with_bootstrap(tool::TOPICS, args)
    }

    /// `kafka-reassign-partitions --bootstrap-server … args`.
    #[must_use]
    pub fn reassign(&self, args: &[&str]) -> ToolOutput {
        self.with_bootstrap(tool::REASSIGN, args)
    }

    /// `kafka-leader-election --bootstrap-server … args`.
    #[must_use]
    pub fn elect(&self, args: &[&str]) -> ToolOutput {
        self.with_bootstrap(tool::ELECT, args)
    }

    /// `kafka-configs --bootstrap-server … args`.
    #[must_use]
    pub fn configs(&self, args: &[&str]) -> ToolOutput {
        self.with_bootstrap(tool::CONFIGS, args)
    }

    pub(crate) fn with_bootstrap(&self, main_class: &str, args: &[&str]) -> ToolOutput {
        let bootstrap = self.bootstrap();
        let all: Vec<&str> =
            ["--bootstrap-server", &bootstrap].into_iter().chain(args.iter().copied()).collect();
        self.tool(main_class, &all)
    }
}
