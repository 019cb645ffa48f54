//! A table as header and records of bytes, with every fault of the file as a
//! whole worded once. The readers of single formats build on it.
//!
//! Tables are CSV files. Another kind of file reads alike through [`Rows`].

use std::io::Read;
use std::path::Path;

use csv::ByteRecord;

use super::source::{BadRow, bad_value};
use crate::error::{Error, Result};
use crate::text::sealed::{Last, Seal, Sealed};
use crate::text::{self, Bounded, RecordEnd, excerpt};

/// Records of a file that is no CSV, their cells as the text that a CSV file
/// would hold; empty for null.
pub trait Rows {
    /// Which columns are going to be asked for; others need not be read.
    ///
    /// # Errors
    /// When one of them holds what has no text.
    fn choose(&mut self, columns: &[usize]) -> Result<()>;

    /// Reads the next record; false at the end of the file.
    ///
    /// # Errors
    /// When reading fails.
    fn advance(&mut self) -> Result<bool>;

    /// A cell of the last record, of a column that was chosen.
    fn cell(&self, column: usize) -> &[u8];

    /// Number of the last record, from 1.
    fn number(&self) -> u64;
}

/// An open table.
pub struct Table {
    name: String,
    header: Vec<String>,
    source: Source,
}

enum Source {
    Csv(Csv),
    Rows(Box<dyn Rows>),
}

/// An open CSV file. Commas, quotes as in RFC 4180, LF or CRLF.
struct Csv {
    reader: csv::Reader<Sealed<Bounded>>,
    end: RecordEnd,
    seal: Seal,
    record: ByteRecord,
    line: u64,
}

impl Table {
    /// Opens a file, plain or gzip, and reads its header.
    ///
    /// # Errors
    /// When it cannot be read, is empty, or has no text header.
    pub fn open(path: &Path) -> Result<Self> {
        Table::new(text::open(path)?, &path.display().to_string())
    }

    /// Reads the header of `input`, which errors call `name`.
    ///
    /// # Errors
    /// When it cannot be read, is empty, or has no text header.
    pub fn new(input: Box<dyn Read>, name: &str) -> Result<Self> {
        Table::separated_by(b',', input, name)
    }

    /// As [`Table::new`] for cells that another byte than a comma separates.
    ///
    /// # Errors
    /// As [`Table::new`].
    pub fn separated_by(separator: u8, input: Box<dyn Read>, name: &str) -> Result<Self> {
        let (bounded, end) = Bounded::new(input);
        let (sealed, seal) = Sealed::new(bounded);
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(separator)
            .flexible(true)
            .buffer_capacity(64 << 10)
            .from_reader(sealed);
        let mut source = Csv { reader, end, seal, record: ByteRecord::new(), line: 0 };
        if !source.advance(name)? {
            return Err(Error::input(format!("`{name}` is empty; expected a CSV header")));
        }
        let mut header = Vec::new();
        for cell in &source.record {
            let cell = std::str::from_utf8(cell).ok().filter(|c| !c.contains('\0'));
            let Some(cell) = cell else {
                return Err(Error::input(format!(
                    "`{name}` is not a CSV file: its first line is not text"
                )));
            };
            header.push(cell.to_owned());
        }
        Ok(Table { name: name.to_owned(), header, source: Source::Csv(source) })
    }

    /// The rows of a file that errors call `name`, with these columns.
    #[must_use]
    pub fn of_rows(name: &str, header: Vec<String>, rows: Box<dyn Rows>) -> Self {
        Table { name: name.to_owned(), header, source: Source::Rows(rows) }
    }

    /// Which columns are going to be asked for: of others, cells may be empty.
    ///
    /// # Errors
    /// When one of them holds what has no text.
    pub fn choose(&mut self, columns: &[usize]) -> Result<()> {
        match &mut self.source {
            Source::Csv(_) => Ok(()),
            Source::Rows(rows) => rows.choose(columns),
        }
    }

    /// Names of the columns as they stand in the file.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Where each of these columns stands.
    ///
    /// # Errors
    /// When one is missing: the file is no `what`, such as `an openb pod list`.
    pub fn require<const N: usize>(&self, columns: [&str; N], what: &str) -> Result<[usize; N]> {
        let mut at = [0; N];
        let mut missing = Vec::new();
        for (slot, name) in at.iter_mut().zip(columns) {
            match self.find(name) {
                Some(column) => *slot = column,
                None => missing.push(format!("`{name}`")),
            }
        }
        if missing.is_empty() {
            return Ok(at);
        }
        let columns = missing.join(", ");
        Err(Error::input(format!("`{}` is not {what}: it lacks the columns {columns}", self.name)))
    }

    /// Where a column stands, if it does.
    #[must_use]
    pub fn find(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|h| h.trim() == column)
    }

    /// What errors call the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Line on which the last record starts, or its number where a file has no
    /// lines; from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        match &self.source {
            Source::Csv(csv) => csv.line,
            Source::Rows(rows) => rows.number(),
        }
    }

    /// What [`Table::line`] counts: `line` or `row`.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match &self.source {
            Source::Csv(_) => "line",
            Source::Rows(_) => "row",
        }
    }

    /// A cell of the last record; empty where the record is too short.
    #[must_use]
    pub fn cell(&self, column: usize) -> &[u8] {
        match &self.source {
            Source::Csv(csv) => csv.record.get(column).unwrap_or_default(),
            Source::Rows(rows) => rows.cell(column),
        }
    }

    /// The last record as text, for messages.
    #[must_use]
    pub fn row_text(&self) -> String {
        let cells: Vec<&[u8]> = match &self.source {
            Source::Csv(csv) => csv.record.iter().collect(),
            Source::Rows(rows) => (0..self.header.len()).map(|i| rows.cell(i)).collect(),
        };
        excerpt(&cells.join(&b','), 200)
    }

    /// A [`BadRow`] about a cell of the last record.
    #[must_use]
    pub fn fault(&self, column: usize, cause: &str) -> BadRow {
        let name = self.header.get(column).map_or("", |h| h.trim());
        let mut bad = bad_value(name, self.cell(column), cause, b"");
        bad.text = self.row_text();
        bad
    }

    /// Reads the next record; false at the end of the file.
    ///
    /// # Errors
    /// When reading fails, a record has no end, or a quote is not closed.
    pub fn advance(&mut self) -> Result<bool> {
        match &mut self.source {
            Source::Csv(csv) => csv.advance(&self.name),
            Source::Rows(rows) => rows.advance(),
        }
    }

    /// Whether the last record has as many cells as the header.
    ///
    /// # Errors
    /// When it has not.
    pub fn check_width(&self) -> std::result::Result<(), BadRow> {
        let (found, expected) = match &self.source {
            Source::Csv(csv) => (csv.record.len(), self.header.len()),
            Source::Rows(_) => return Ok(()),
        };
        if found == expected {
            return Ok(());
        }
        Err(BadRow {
            column: String::new(),
            cause: format!("has {found} fields where the header has {expected}"),
            text: self.row_text(),
        })
    }
}

impl Csv {
    fn advance(&mut self, name: &str) -> Result<bool> {
        let more = self.reader.read_byte_record(&mut self.record).map_err(|e| {
            let cause = match e.kind() {
                csv::ErrorKind::Io(io) => io.to_string(),
                _ => e.to_string(),
            };
            // The row that starts next: within it, lines are no longer rows.
            let place = match self.line {
                0 => "in its header".to_owned(),
                line => format!("after line {line}"),
            };
            Error::input(format!("cannot read `{name}` {place}: {cause}"))
        })?;
        if more {
            match self.seal.last(&self.record) {
                Last::Record => {}
                Last::Seal => {
                    self.record.clear();
                    return Ok(false);
                }
                Last::Open => {
                    let what = Seal::unclosed(&self.record, self.reader.position());
                    return Err(Error::input(format!("`{name}` has {what}")));
                }
            }
        }
        self.end.mark();
        // The csv crate ends a record at CR and counts the LF to the next one.
        let behind = u64::from(self.end.is_crlf() && self.line > 0);
        self.line = self.record.position().map_or(self.line, |at| at.line() + behind);
        Ok(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write as _};

    fn table(bytes: &[u8]) -> Result<Table> {
        let input = text::unpack(Cursor::new(bytes.to_vec())).expect("memory");
        Table::new(input, "t.csv")
    }

    #[test]
    fn faults_of_the_whole_file_name_it() {
        for bytes in [&b""[..], b"\n\n", b"\xff\xfe\x00a,b", b"a\0b,c\n"] {
            let error = table(bytes).err().expect("no header").to_string();
            assert!(error.starts_with("`t.csv` is "), "{error}");
        }
    }

    #[test]
    fn records_keep_their_line() {
        let mut t = table(b"a,b\n\n1,\"x\ny\"\n2\n").expect("fine");
        assert!(t.advance().expect("fine") && t.check_width().is_ok());
        // The csv crate reports the blank line's start for the record after it.
        assert!((2..=3).contains(&t.line()));
        assert_eq!(t.cell(1), b"x\ny");
        assert!(t.advance().expect("fine"));
        assert_eq!(
            t.check_width().expect_err("short").cause,
            "has 1 fields where the header has 2"
        );
        assert_eq!(t.cell(1), b"");
        assert!(!t.advance().expect("fine"));
    }

    #[test]
    fn lines_are_counted_alike_with_lf_and_crlf() {
        let text = "a,b\n1,2\n\"x\ny\",3\n4,5";
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let mut t = table(text.as_bytes()).expect("fine");
            assert_eq!(t.line(), 1);
            let mut lines = Vec::new();
            while t.advance().expect("fine") {
                lines.push(t.line());
            }
            assert_eq!(lines, [2, 3, 5], "{text:?}");
        }
    }

    #[test]
    fn truncated_gzip_is_an_error() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for i in 0..10_000 {
            writeln!(gz, "{i},{}", i * 7919).expect("memory");
        }
        let bytes = gz.finish().expect("memory");
        let mut t = table(&bytes[..bytes.len() / 2]).expect("header");
        let error = loop {
            match t.advance() {
                Ok(true) => {}
                Ok(false) => panic!("the end of half a file was taken for its end"),
                Err(e) => break e.to_string(),
            }
        };
        assert!(error.starts_with("cannot read `t.csv` after line "), "{error}");
    }

    /// The fault says where the quote stands, not where its record starts.
    #[test]
    fn an_unclosed_quote_has_its_line() {
        for (text, line) in [
            ("a,\"b", 1),
            ("a,b\n1,\"x", 2),
            ("a,b\n1,\"x\n", 2),
            ("a,b\n1,\"", 2),
            ("a,b\n1,2\n\"x\n\n3,4\n5,6\n", 3),
            ("a,b\n\"x\ny\",\"z\n5,6", 3),
            // The last quote is half of a pair: it closes nothing.
            ("a,b\n1,2\n3,\"x\"\"", 3),
            ("a,b\n1,2\n\"x,y\n.", 3),
        ] {
            for text in [text.to_owned(), text.replace('\n', "\r\n")] {
                let read = || {
                    let mut t = table(text.as_bytes())?;
                    while t.advance()? {}
                    Ok(())
                };
                let error: Error = read().expect_err(&text);
                let start = format!("`t.csv` has a quote on line {line} that opens");
                assert!(error.to_string().starts_with(&start), "{text:?}: {error}");
            }
        }
    }

    /// The end of a file that has none of its own adds no row and no cell.
    #[test]
    fn closed_quotes_and_stray_ones_end_a_file() {
        for (last, cells) in [
            ("1,2", ["1", "2"]),
            ("1,2\n", ["1", "2"]),
            ("1,2\r\n\r\n", ["1", "2"]),
            ("1,2\n\n", ["1", "2"]),
            ("1,\"2\"", ["1", "2"]),
            ("1,\"2\"\n", ["1", "2"]),
            ("1,\"x\n.\"", ["1", "x\n."]),
            ("1,\"\"\"\"", ["1", "\""]),
            ("1,5\" disk", ["1", "5\" disk"]),
            ("1,", ["1", ""]),
            (".\n.", [".", ""]),
        ] {
            let mut t = table(format!("a,b\n{last}").as_bytes()).expect("a header");
            let mut rows = Vec::new();
            while t.advance().expect("no open quote") {
                rows.push([0, 1].map(|at| String::from_utf8_lossy(t.cell(at)).into_owned()));
            }
            let expected = if last.starts_with('.') { vec![cells, cells] } else { vec![cells] };
            assert_eq!(rows, expected, "{last:?}");
            assert!(!t.advance().expect("still at its end"));
        }
    }

    #[test]
    fn an_unclosed_quote_does_not_fill_memory() {
        let mut bytes = b"a\n1\n\"x\n".to_vec();
        bytes.extend_from_slice(&b"2,y\n".repeat(1 << 20));
        let mut t = table(&bytes).expect("header");
        assert!(t.advance().expect("a row"));
        let error = t.advance().expect_err("endless").to_string();
        let start = "cannot read `t.csv` after line 2: a row is longer than 1 MiB";
        assert!(error.starts_with(start), "{error}");
    }
}
