//! Lines that fit a terminal.

/// Characters of a line.
const WIDTH: usize = 80;

/// The text in lines of at most 80 characters, the first after `indent` blanks, the others after two more. A word that is
/// longer stands alone.
pub fn wrap(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = " ".repeat(indent);
    let mut has_word = false;
    for word in text.split_whitespace() {
        if has_word && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = " ".repeat(indent + 2);
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(word);
        has_word = true;
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_between_words() {
        let text = "word ".repeat(40);
        let lines = wrap(&text, 2);
        assert!(
            lines.lines().all(|line| line.chars().count() <= WIDTH) && lines.lines().count() == 3,
            "{lines}"
        );
        assert!(lines.starts_with("  word") && lines.contains("\n    word"));
        assert_eq!(wrap(&"x".repeat(100), 2), format!("  {}\n", "x".repeat(100)));
    }
}
