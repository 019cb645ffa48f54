//! What an import took and what it did not: the table it prints.

use super::terminal::{Format, wrapped};
use super::text;
use crate::import::today::{Coverage, Row};
use crate::{Error, Result};

/// Width of the first column, and the least of the second.
const TOPIC: usize = 15;
const COUNT: usize = 14;

/// The table in a format.
///
/// # Errors
/// When it cannot be written in that format.
pub fn coverage(table: &Coverage, format: Format) -> Result<String> {
    let failed =
        |e: &dyn std::fmt::Display| Error::failed(format!("cannot print what was imported: {e}"));
    match format {
        Format::Table => Ok(lines(table)),
        Format::Markdown => Ok(markdown(table)),
        Format::Json => {
            serde_json::to_string_pretty(table).map(|s| s + "\n").map_err(|e| failed(&e))
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(["topic", "code", "what", "count", "of", "examples"])
                .map_err(|e| failed(&e))?;
            for row in &table.rows {
                let of = row.of.map_or_else(String::new, |of| of.to_string());
                let examples = text::csv_cell(&row.examples.join(", "));
                let what = text::csv_cell(&row.what);
                csv.write_record([
                    row.topic,
                    row.code,
                    &what,
                    &row.count.to_string(),
                    &of,
                    &examples,
                ])
                .map_err(|e| failed(&e))?;
            }
            let bytes = csv.into_inner().map_err(|e| failed(&e))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}

/// How many, and of how many.
fn counted(row: &Row) -> String {
    let count = text::count(row.count);
    row.of.map_or(count.clone(), |of| format!("{count} of {}", text::count(of)))
}

fn lines(table: &Coverage) -> String {
    let mut out = String::new();
    let mut topic = "";
    let widest = table.rows.iter().map(|row| counted(row).chars().count() + 2).max();
    let width = widest.unwrap_or(COUNT).max(COUNT);
    for row in &table.rows {
        let heading = if row.topic == topic { "" } else { row.topic };
        topic = row.topic;
        let head = format!("{heading:TOPIC$}{:<width$}", counted(row));
        let indent = " ".repeat(TOPIC + width);
        out += &wrapped(&sentence(row), &head, &indent);
    }
    out
}

fn sentence(row: &Row) -> String {
    let code = if row.code.is_empty() { String::new() } else { format!(" [{}]", row.code) };
    let examples = if row.examples.is_empty() {
        String::new()
    } else {
        let more = if row.count > row.examples.len() as u64 { ", …" } else { "" };
        format!(": {}{more}", row.examples.join(", "))
    };
    format!("{}{code}{examples}", row.what)
}

fn markdown(table: &Coverage) -> String {
    let mut out = "| | count | what |\n| --- | ---: | --- |\n".to_owned();
    for row in &table.rows {
        let cells = [row.topic, &counted(row), &sentence(row)].map(text::markdown_cell);
        out += "| ";
        out += &cells.join(" | ");
        out += " |\n";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Coverage {
        let mut table = Coverage::default();
        table.count("nodes", "nodes of types with published prices", 2, Some(1_003));
        table.rows.push(Row {
            topic: "left out",
            code: "finished",
            what: "pods that have finished".to_owned(),
            count: 5,
            of: None,
            examples: vec!["a/b|c".to_owned(), "=x".to_owned(), "n".repeat(100)],
        });
        table
    }

    #[test]
    fn every_format_holds_every_row() {
        let text = coverage(&table(), Format::Table).expect("text");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(
            text.starts_with("nodes          2 of 1,003    nodes of types with published"),
            "{text}"
        );
        assert!(text.contains("left out       5             pods that have finished [finished]:"));
        let csv = coverage(&table(), Format::Csv).expect("CSV");
        assert!(csv.contains("\nnodes,,nodes of types with published prices,2,1003,\n"), "{csv}");
        let json = coverage(&table(), Format::Json).expect("JSON");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["rows"][1]["count"], 5);
        let markdown = coverage(&table(), Format::Markdown).expect("Markdown");
        assert!(markdown.contains("a/b\\|c"), "{markdown}");
    }
}
