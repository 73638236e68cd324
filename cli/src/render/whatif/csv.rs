//! Answers as comma-separated values: a line for each scenario, moment and broker.

use std::fmt::Write;

use restow_planner::whatif::{Resource, State};

use super::Page;

/// A field, in quotes where it needs them.
pub fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

impl Page<'_> {
    /// For spreadsheets.
    pub fn csv(&self) -> String {
        let mut text = String::from("scenario,when,day,broker,zone,node,serves,leaders");
        for resource in Resource::ALL {
            let name = resource.name().replace(' ', "_");
            let _ = write!(text, ",{name},{name}_unknown,{name}_limit");
        }
        text.push('\n');
        for one in &self.answers.scenarios {
            let Some(answer) = &one.answer else { continue };
            for (when, state) in [("before", &answer.before), ("after", &answer.after)] {
                lines(&mut text, &one.name, when, state);
            }
        }
        text
    }
}

fn lines(text: &mut String, scenario: &str, when: &str, state: &State) {
    for broker in &state.brokers {
        let [zone, node] =
            [&broker.zone, &broker.node].map(|name| field(name.as_deref().unwrap_or_default()));
        let (id, serves, leaders) = (broker.broker, broker.serves, broker.leaders);
        let _ =
            write!(text, "{},{when},{},{id},{zone},{node},{serves},{leaders}", field(scenario), state.day);
        for resource in Resource::ALL {
            let used = broker.of(resource);
            let limit = used.limit.map(|limit| limit.to_string()).unwrap_or_default();
            let _ = write!(text, ",{},{},{limit}", used.known, used.unknown);
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_quoted_where_they_need_it() {
        assert_eq!(
            (field("a b"), field("a,b"), field("a\"b")),
            ("a b".into(), "\"a,b\"".into(), "\"a\"\"b\"".into())
        );
    }
}
