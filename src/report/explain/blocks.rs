//! Headings, paragraphs and tables, for a terminal of 80 columns and for
//! Markdown.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};

use super::super::terminal::{WIDTH, wrapped};
use super::super::text;

/// A piece of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// Stands above what follows.
    Heading(String),
    /// A paragraph; later lines are indented as far as it says.
    Text(String, usize),
    /// An item of a list: what leads it, and its words.
    Item(String, String),
    /// Rows under their headings; the first `left` columns are words, the
    /// others figures. Where it is too wide, column `gives` is broken.
    Table { header: Vec<&'static str>, rows: Vec<Vec<String>>, left: usize, gives: usize },
}

impl Block {
    pub(super) fn text(words: impl Into<String>) -> Block {
        Block::Text(words.into(), 0)
    }

    pub(super) fn heading(words: impl Into<String>) -> Block {
        Block::Heading(words.into())
    }
}

/// For a terminal: no line longer than 80 characters.
pub(super) fn terminal(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Heading(words) => {
                if !out.is_empty() {
                    out.push('\n');
                }
                out += &wrapped(words, "", "");
            }
            Block::Text(words, indent) => out += &wrapped(words, "", &" ".repeat(*indent)),
            Block::Item(lead, words) => out += &wrapped(words, lead, "      "),
            Block::Table { header, rows, left, gives } => {
                out += &columns(header, rows, *left, *gives);
            }
        }
    }
    out
}

fn columns(header: &[&str], rows: &[Vec<String>], left: usize, gives: usize) -> String {
    /// Space between two columns.
    const GAP: usize = 2;
    /// No column is shorter than this.
    const LEAST: usize = 8;
    let length = |s: &str| s.chars().count();
    let widest = |i: usize| {
        let own = rows.iter().filter_map(|r| r.get(i)).map(|c| length(c)).max().unwrap_or(0);
        own.max(header.get(i).map_or(0, |h| length(h)))
    };
    let taken: usize = (0..header.len()).map(|i| widest(i) + GAP).sum::<usize>() - GAP;
    let room = widest(gives).saturating_sub(taken.saturating_sub(WIDTH)).max(LEAST);
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(presets::NOTHING.header_separator(rule));
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for row in rows {
        let cell = |(i, c): (usize, &String)| {
            if i == gives { broken(c, room) } else { c.clone() }
        };
        table.add_row(row.iter().enumerate().map(cell));
    }
    let last = header.len().saturating_sub(1);
    for (i, column) in table.column_iter_mut().enumerate() {
        // The table draws one more space where a border would stand.
        column.set_padding((0, if i == last { 0 } else { GAP as u16 - 1 }));
        if i >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// On as many lines of a width as it takes, three at most: what is longer ends
/// in an ellipsis.
fn broken(text: &str, width: usize) -> String {
    const LINES: usize = 3;
    let mut lines: Vec<String> = Vec::new();
    for word in text::shortened(text, width * LINES).split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if let Some(line) = lines.last_mut()
            && line.chars().count() + 1 + word.len() <= width
        {
            line.push(' ');
            line.extend(word);
            continue;
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.push(word.into_iter().collect());
            word = rest;
        }
        lines.push(word.into_iter().collect());
    }
    if let Some(rest) = lines.get(LINES..).filter(|rest| !rest.is_empty()) {
        let tail = [&lines[LINES - 1], rest.join(" ").as_str()].join(" ");
        lines.truncate(LINES - 1);
        lines.push(text::shortened(&tail, width));
    }
    lines.join("\n")
}

/// For a pull request.
pub(super) fn markdown(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Heading(words) => {
                out += &["**", &text::markdown_cell(words), "**\n"].concat();
            }
            Block::Text(words, _) => {
                out += &text::markdown_cell(words);
                out.push('\n');
            }
            Block::Item(lead, words) => {
                let item = [lead, words.as_str()].concat();
                out += &["- ", &text::markdown_cell(&item), "\n"].concat();
            }
            Block::Table { header, rows, left, .. } => {
                let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
                out += &line(header.iter().map(|h| text::markdown_cell(h)).collect());
                let rule = |i: usize| if i < *left { "---" } else { "---:" };
                out += &line((0..header.len()).map(|i| rule(i).to_owned()).collect());
                for row in rows {
                    out += &line(row.iter().map(|c| text::markdown_cell(c)).collect());
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_that_gives_is_broken_to_the_width() {
        let rows = vec![vec!["x".repeat(90), "1.5".to_owned()], vec!["y".into(), "22.5".into()]];
        let table = Block::Table { header: vec!["name", "USD"], rows, left: 1, gives: 0 };
        let shown = terminal(&[Block::heading("A table"), table]);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "A table");
        assert!(lines.iter().all(|l| l.chars().count() <= WIDTH), "{shown}");
        // 80 less two spaces and four digits, and what is left of 90.
        assert_eq!(lines[3], format!("{}   1.5", "x".repeat(74)));
        assert_eq!(lines[4], "x".repeat(16));
        assert_eq!(lines[5].split_whitespace().collect::<Vec<_>>(), ["y", "22.5"]);
    }

    #[test]
    fn texts_are_broken_between_words_and_end_after_three_lines() {
        assert_eq!(broken("m6i.xlarge under base", 16), "m6i.xlarge under\nbase");
        assert_eq!(broken("(shared charges)", 16), "(shared charges)");
        assert_eq!(broken("a bb ccc", 3), "a\nbb\nccc");
        assert_eq!(broken("abcdefghij", 4), "abcd\nefgh\nij");
        assert_eq!(broken("aa bb cc dd ee", 3), "aa\nbb\ncc…");
    }

    #[test]
    fn markdown_cells_are_escaped() {
        let rows = vec![vec!["a|b".to_owned(), "1".to_owned()]];
        let table = Block::Table { header: vec!["name", "n"], rows, left: 1, gives: 0 };
        assert_eq!(markdown(&[table]), "| name | n |\n| --- | ---: |\n| a\\|b | 1 |\n");
    }
}
