//! Topic patterns: regular expressions that match whole names.

/// A set of patterns; a name matches if one of them matches all of it.
#[derive(Debug, Clone)]
pub struct Pattern(Vec<regex::Regex>);

/// A pattern that is not a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is not a regular expression: {reason}")]
pub struct BadPattern {
    /// The pattern as given.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Pattern {
    /// The set of these patterns.
    ///
    /// # Errors
    /// The first pattern that is not a regular expression.
    pub fn new(patterns: &[String]) -> Result<Self, BadPattern> {
        let whole = |pattern: &String| {
            regex::Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|error| BadPattern { pattern: pattern.clone(), reason: error.to_string() })
        };
        patterns.iter().map(whole).collect::<Result<_, _>>().map(Pattern)
    }

    /// Whether one of the patterns matches the whole name.
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|regex| regex.is_match(name))
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names() {
        let pattern = Pattern::new(&["a|b.*".into()]).unwrap();
        assert!(pattern.matches("a") && pattern.matches("bcd"));
        assert!(!pattern.matches("xa") && !pattern.matches("ab"));
        assert!(Pattern::new(&["(".into()]).is_err());
    }
}
