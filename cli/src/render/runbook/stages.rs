//! The three stages of a runbook, wave by wave.

use std::fmt::Write;

use restow_planner::plan::Step;

use super::{Runbook, Wave};
use crate::render::units;

impl Runbook<'_> {
    pub(super) fn stage(&self, step: Step, text: &mut String) {
        let number = Step::ALL.iter().filter(|s| **s <= step && self.has(**s)).count();
        let _ = writeln!(text, "## Stage {number}: {step}\n");
        self.what_happens(step, text);
        for wave in self.waves.iter().filter(|wave| wave.step == step) {
            self.wave(wave, text);
        }
        self.complete(step, text);
        match step {
            Step::Expand => self.undo_expand(text),
            Step::Swap => self.undo_swap(text),
            Step::Shrink => self.undo_shrink(text),
        }
    }

    fn has(&self, step: Step) -> bool {
        self.waves.iter().any(|wave| wave.step == step)
    }

    fn what_happens(&self, step: Step, text: &mut String) {
        let what = match step {
            Step::Expand => {
                "New replicas are added behind the old ones and filled from the leaders. Leaders stay where they are. \
                 Until shrink, producers with `acks=all` wait for the new replicas too."
                    .to_owned()
            }
            Step::Swap => format!(
                "The new replicas come first in each list, and an election lets them lead: the first step that clients \
                 see (one metadata refresh a partition). Nothing is copied, so no throttle is set. Brokers with \
                 `auto.leader.rebalance.enable` (the default) would hold these elections themselves within five \
                 minutes: run the election right after its file.\n\n\
                 Begin when stage expand is complete. Before **each** wave, nothing is under-replicated, and {} names \
                 every broker of the plan: an election can pick a broker that died a moment ago.",
                self.alive()
            ),
            Step::Shrink => format!(
                "**The point of no return.** The old replicas are dropped from {}. Nothing is copied. Begin when the new \
                 leaders have run for as long as you want to be sure of them.\n\n\
                 Before **each** wave: {} prints nothing, and {} names every broker of the plan *now*. Both are needed: \
                 a broker that died a moment ago stays in the ISR of an idle partition until the controller fences it \
                 (9 s by default), and a shrink in that moment leaves fewer copies than you think.",
                self.leaves(),
                self.under_replicated(),
                self.alive(),
            ),
        };
        let _ = writeln!(text, "{what}\n");
    }

    fn wave(&self, wave: &Wave, text: &mut String) {
        let name = &wave.name;
        let throttle = if wave.step == Step::Expand { self.throttle_flag() } else { String::new() };
        let _ = write!(
            text,
            "### {name}: {}\n\n```\n{}```\n\n1. Start it:\n\n   ```\n   {} --execute --reassignment-json-file {name}.json{throttle}\n   ```\n\n   \
             prints `Successfully started partition reassignments for …`.\n",
            units::of(wave.moves.len() as u64, "partition"),
            self.wave_table(wave),
            self.tool(),
        );
        if wave.step == Step::Expand {
            let _ = write!(
                text,
                "2. Look until every line says `is completed.` (`is still in progress.` is no error, and exits 0 too):\n\n   \
                 ```\n   {} --verify --preserve-throttles --reassignment-json-file {name}.json\n   ```\n\n\
                 3. Then once without `--preserve-throttles`, which takes the throttles out again:\n\n   \
                 ```\n   {} --verify --reassignment-json-file {name}.json\n   ```\n\n   \
                 It clears them only while nothing moves in the whole cluster, and the lists only of the topics in its \
                 file: so do this after every wave.\n\n",
                self.tool(),
                self.tool(),
            );
        } else {
            let _ = write!(
                text,
                "2. It completes at once. Every line says `is completed.`:\n\n   \
                 ```\n   {} --verify --preserve-throttles --reassignment-json-file {name}.json\n   ```\n\n",
                self.tool(),
            );
        }
        if wave.step == Step::Swap {
            let _ = write!(
                text,
                "3. Let the new replicas lead:\n\n   ```\n   {}\n   ```\n\n   prints `Successfully completed leader \
                 election (PREFERRED) for partitions …`, or `Valid replica already elected for partitions …`.\n\n",
                self.election(name),
            );
        }
    }

    fn complete(&self, step: Step, text: &mut String) {
        let see = match step {
            Step::Expand => "every new replica is in the ISR",
            Step::Swap => "every partition of the files is led by the first broker of its new list",
            Step::Shrink => "every partition of the files has its new list and no other replica",
        };
        let _ = writeln!(
            text,
            "**Complete when** {see}: {} prints nothing, and every `--verify` above says `is completed.` on all lines.\n",
            self.under_replicated()
        );
    }

    fn undo_expand(&self, text: &mut String) {
        let waves = self.names(Step::Expand);
        let _ = writeln!(
            text,
            "### Undo stage expand\n\nCost: nothing is copied; what was copied so far is thrown away. \
             The last wave first. For each wave that is **complete**:\n\n```"
        );
        for name in waves.iter().rev() {
            let _ = writeln!(text, "{} --execute --reassignment-json-file {name}.rollback.json", self.tool());
            let _ = writeln!(text, "{} --verify --reassignment-json-file {name}.rollback.json", self.tool());
        }
        let example = waves.first().map_or("01-expand-01", String::as_str);
        let _ = write!(
            text,
            "```\n\nFor a wave that **still runs**, for instance `{example}` (the same on every version: measured on 3.7.2, \
             3.9.2, 4.0.2 and 4.3.1):\n\n```\n\
             {tool} --execute --additional --reassignment-json-file {example}.rollback.json\n\
             {tool} --cancel --preserve-throttles --reassignment-json-file {example}.rollback.json\n\
             {tool} --list\n\
             {tool} --verify --reassignment-json-file {example}.rollback.json\n```\n\n\
             The twin goes in over the running copies. On some versions that ends them at once, and the cancel prints \
             `None of the specified partition reassignments are active.`; on others (3.7.2, 4.3.1) it hangs until the cancel \
             frees it. Afterwards `--list` no longer shows a partition of the wave, and `--verify` says `is completed.` and takes \
             the throttles out.\n\n\
             From 4.0.2 on, `--cancel --preserve-throttles` with `{example}.json` itself does it in one step. **Before that, never \
             cancel with the file of the expansion**: it cancels nothing, without `--preserve-throttles` it takes the throttles \
             away, and exits 0, so the copies run on unthrottled (measured on 3.7.2 and 3.9.2; 4.0.0 and 4.0.1 were not \
             measured). `kafka-reassign-partitions.sh --version` tells the version of the tool.\n\n",
            tool = self.tool(),
        );
    }

    fn undo_swap(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "### Undo stage swap\n\nCost: nothing is copied; leaders move back. The same election file serves both ways, \
             since it elects whoever is first. The last wave first:\n\n```"
        );
        for name in self.names(Step::Swap).iter().rev() {
            let _ = writeln!(text, "{} --execute --reassignment-json-file {name}.rollback.json", self.tool());
            let _ = writeln!(text, "{}", self.election(name));
        }
        text.push_str("```\n\nThen stage expand can be undone as above.\n\n");
    }

    fn undo_shrink(&self, text: &mut String) {
        let throttle = self.throttle_flag();
        let _ = writeln!(
            text,
            "### Undo stage shrink\n\nCost: **{} are copied back** (as large as they were when the plan was made), and it \
             takes as long as stage expand did. For each wave, the last first; wait for each as in stage expand:\n\n```",
            units::bytes_exact(self.bytes_back())
        );
        for name in self.names(Step::Shrink).iter().rev() {
            let _ = writeln!(
                text,
                "{} --execute --reassignment-json-file {name}.rollback.json{throttle}",
                self.tool()
            );
            let _ = writeln!(text, "{} --verify --reassignment-json-file {name}.rollback.json", self.tool());
        }
        text.push_str("```\n\nThen the other stages can be undone as above.\n\n");
    }

    fn names(&self, step: Step) -> Vec<String> {
        self.waves.iter().filter(|wave| wave.step == step).map(|wave| wave.name.clone()).collect()
    }

    fn tool(&self) -> String {
        format!("kafka-reassign-partitions.sh --bootstrap-server {}", self.server())
    }

    fn election(&self, name: &str) -> String {
        format!(
            "kafka-leader-election.sh --bootstrap-server {} --election-type preferred --path-to-json-file \
             {name}.election.json",
            self.server()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Throttle;
    use crate::render::plan::tests::plan_of;

    fn runbook(throttle: Option<Throttle>, bootstrap: Option<&str>) -> String {
        let plan = plan_of(&[(&[1, 3], &[4, 6]), (&[3, 2], &[6, 5])]);
        let wave =
            |step, name: &str, moves: &[usize]| Wave { step, name: name.into(), moves: moves.to_vec() };
        let waves = [
            wave(Step::Expand, "01-expand-01", &[0]),
            wave(Step::Expand, "01-expand-02", &[1]),
            wave(Step::Swap, "02-swap-01", &[0, 1]),
            wave(Step::Shrink, "03-shrink-01", &[0, 1]),
        ];
        Runbook { plan: &plan, hash: "sha256:abc", file: "plan.json", throttle, bootstrap, waves: &waves }
            .render()
    }

    #[test]
    fn the_commands_are_complete() {
        let text = runbook(Some(Throttle::BytesPerSecond(50_000_000)), Some("b1:9092,b2:9092"));
        for says in [
            "kafka-reassign-partitions.sh --bootstrap-server b1:9092,b2:9092 --execute --reassignment-json-file 01-expand-02.json --throttle 50000000\n",
            "kafka-reassign-partitions.sh --bootstrap-server b1:9092,b2:9092 --execute --reassignment-json-file 02-swap-01.json\n",
            "kafka-leader-election.sh --bootstrap-server b1:9092,b2:9092 --election-type preferred --path-to-json-file 02-swap-01.election.json\n",
            "--cancel --preserve-throttles --reassignment-json-file 01-expand-01.rollback.json",
            "`--cancel --preserve-throttles` with `01-expand-01.json`",
            "--execute --additional --reassignment-json-file 01-expand-01.rollback.json",
            "--execute --reassignment-json-file 03-shrink-01.rollback.json --throttle 50000000\n",
            "50,000,000 bytes/s (50 MB/s) per broker and direction",
            "point of no return",
            "4 MB (4,000,000 bytes) are copied back",
            "`cluster-of-the-story`",
            "| `01-expand-01.json` | 1 | 2 MB | 1 MB | 1 s |",
        ] {
            assert!(text.contains(says), "{says:?} is not in\n{text}");
        }
        assert!(!text.contains('$'), "{text}");
    }

    #[test]
    fn what_is_not_given_is_a_variable() {
        let text = runbook(None, None);
        assert!(text.contains("--bootstrap-server \"$BOOTSTRAP\" --execute --reassignment-json-file 01-expand-01.json --throttle \"$THROTTLE\"\n"));
        assert!(text.contains("Set `BOOTSTRAP`"));
        let text = runbook(Some(Throttle::None), None);
        assert!(!text.contains("--throttle ") && !text.contains("Appendix"), "{text}");
    }

    #[test]
    fn undoing_begins_with_the_last_wave() {
        let text = runbook(None, None);
        let undo = &text[text.find("### Undo stage expand").expect("undo")..];
        let at = |name: &str| undo.find(name).expect(name);
        assert!(at("01-expand-02.rollback.json") < at("01-expand-01.rollback.json"));
    }
}
