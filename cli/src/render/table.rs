//! Tables of aligned plain text.

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table with a heading, two blanks between columns.
#[derive(Debug, Clone)]
pub struct Table {
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns; a heading that begins with `>` is aligned to the right.
    pub fn new(headings: &[&str]) -> Self {
        let align = |heading: &&str| if heading.starts_with('>') { Align::Right } else { Align::Left };
        let heading = headings.iter().map(|h| h.trim_start_matches('>').to_owned()).collect();
        Table { align: headings.iter().map(align).collect(), rows: vec![heading] }
    }

    /// Adds a row. Cells that are missing are empty.
    pub fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        let mut row: Vec<String> = cells.into_iter().take(self.align.len()).collect();
        row.resize(self.align.len(), String::new());
        self.rows.push(row);
    }

    /// Whether it has no row under the heading.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The table, each line after `indent` blanks. Columns without any cell are left out.
    pub fn render(&self, indent: usize) -> String {
        let filled = |at: usize| self.is_empty() || self.rows[1..].iter().any(|row| !row[at].is_empty());
        let columns: Vec<usize> = (0..self.align.len()).filter(|at| filled(*at)).collect();
        let width = |at: usize| self.rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.align.len()).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            for at in columns.iter().copied() {
                let cell = &row[at];
                let gap = " ".repeat(widths[at] - cell.chars().count());
                match self.align[at] {
                    Align::Left => line.extend([cell.as_str(), &gap]),
                    Align::Right => line.extend([gap.as_str(), cell]),
                }
                line.push_str("  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_columns_are_left_out() {
        let mut table = Table::new(&["a", "b", "c"]);
        assert_eq!(table.render(0), "a  b  c\n");
        table.row(["1".to_owned(), String::new(), "3".to_owned()]);
        assert_eq!(table.render(0), "a  c\n1  3\n");
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["broker", ">bytes", "zone"]);
        assert!(table.is_empty());
        table.row(["1".to_owned(), "10 MB".to_owned(), "äz".to_owned()]);
        table.row(["12".to_owned(), "7 B".to_owned()]);
        assert_eq!(table.render(2), "  broker  bytes  zone\n  1       10 MB  äz\n  12        7 B\n");
    }
}
