//! FOCUS as CSV: comma, RFC 4180 quotes, LF, UTF-8. A null is an empty cell;
//! numbers are exact.
//!
//! What all rows of a SKU share is escaped and joined once, so that a row is
//! a few copies: a month of 5,000 nodes under a plan, 7.2 million rows and 6 GB,
//! takes 18 CPU-s and no memory beyond the bill's.

use std::io::{self, Write};

use super::columns::{Column, Kind};
use super::table::{Row, Table};

/// A stretch of a row.
enum Segment {
    /// The same in all rows of the SKU.
    Text(Vec<u8>),
    Column(Column),
}

/// Writes every row of the table.
///
/// # Errors
/// Where `out` cannot be written.
pub fn write_csv(table: &Table<'_>, mut out: impl Write) -> io::Result<()> {
    let header: Vec<&str> = Column::ALL.iter().map(|c| c.name()).collect();
    writeln!(out, "{}", header.join(","))?;
    let segments: Vec<Vec<Segment>> =
        (0..table.templates()).map(|template| segments(table, template)).collect();
    let mut buffer = Vec::with_capacity(2_048);
    let mut cached: Option<(u32, u16)> = None;
    let mut of_resource: Vec<(Column, Vec<u8>)> = Vec::new();
    for index in 0..table.len() {
        let row = table.row(index);
        if cached != Some(row.resource()) {
            cached = Some(row.resource());
            of_resource = resource_cells(table, &row);
        }
        buffer.clear();
        for segment in &segments[usize::from(row.template())] {
            match segment {
                Segment::Text(bytes) => buffer.extend_from_slice(bytes),
                Segment::Column(column) => match column.kind() {
                    Kind::Decimal => {
                        if let Some(number) = table.number(&row, *column) {
                            number.write(&mut buffer);
                        }
                    }
                    Kind::Time => {
                        let text = table.time(row.hour(), *column).unwrap_or_default();
                        buffer.extend_from_slice(text.as_bytes());
                    }
                    Kind::Text | Kind::Json => {
                        if let Some((_, cell)) = of_resource.iter().find(|(c, _)| c == column) {
                            buffer.extend_from_slice(cell);
                        }
                    }
                },
            }
        }
        out.write_all(&buffer)?;
    }
    out.flush()
}

fn resource_cells(table: &Table<'_>, row: &Row) -> Vec<(Column, Vec<u8>)> {
    let changing = |c: &Column| matches!(c.kind(), Kind::Text | Kind::Json) && !Table::is_fixed(*c);
    let cell = |column: Column| {
        let mut out = Vec::new();
        if let Some(text) = table.of_resource(row, column) {
            write_cell(&text, &mut out);
        }
        (column, out)
    };
    Column::ALL.iter().copied().filter(changing).map(cell).collect()
}

fn segments(table: &Table<'_>, template: u16) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut text = Vec::new();
    for (i, column) in Column::ALL.iter().enumerate() {
        if i > 0 {
            text.push(b',');
        }
        if Table::is_fixed(*column) {
            if let Some(cell) = table.fixed(template, *column) {
                write_cell(cell, &mut text);
            }
        } else {
            out.push(Segment::Text(std::mem::take(&mut text)));
            out.push(Segment::Column(*column));
        }
    }
    text.push(b'\n');
    out.push(Segment::Text(text));
    out
}

/// A cell that no reader takes for several, and no spreadsheet for a formula:
/// names come from users and files.
fn write_cell(text: &str, out: &mut Vec<u8>) {
    let guard = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quote = text.contains([',', '"', '\n', '\r']);
    if quote {
        out.push(b'"');
    }
    if guard {
        out.push(b'\'');
    }
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    if quote {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        let cell = |text: &str| {
            let mut out = Vec::new();
            write_cell(text, &mut out);
            String::from_utf8(out).expect("text")
        };
        assert_eq!(cell("m5.large"), "m5.large");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("@a\"b"), "\"'@a\"\"b\"");
    }
}
