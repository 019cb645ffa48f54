//! Reading one price table: lines, columns, numbers, and errors that name
//! file and line.
//!
//! The On-Demand and Spot tables have 15,000 rows each and a run needs one
//! Region of them, so rows are skimmed (their columns counted) and only the
//! wanted ones are converted: about 0.1 µs for a skimmed row.

use std::collections::BTreeMap;

use super::quote::{PriceStatus, Quote, Text, cover};
use crate::units::Rate;
use crate::{Error, Result};

/// No price in these tables comes near this many USD per unit.
pub(super) const MAX_USD: i128 = 1_000_000;
/// Pico-USD in one USD, and the scale of every exact decimal here.
pub(super) const ONE: i128 = 1_000_000_000_000;

/// A table's text and the name under which errors report it.
pub(super) struct Table<'a> {
    name: &'a str,
    body: &'a str,
    columns: usize,
}

/// One line of a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'t, 'a> {
    table: &'t Table<'a>,
    line: usize,
    text: &'a str,
}

impl<'a> Table<'a> {
    /// Checks the header, that the last line is whole, and that every row
    /// has as many columns as the header.
    pub(super) fn open(name: &'a str, text: &'a str, header: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (first, body) = text.split_once('\n').unwrap_or((text, ""));
        if first.trim_end_matches('\r') != header {
            return Err(Error::input(format!("{name}:1: expected the header `{header}`")));
        }
        let table = Table { name, body, columns: header.split(',').count() };
        let mut lines = 1;
        for row in table.rows() {
            lines = row.line;
            let found = 1 + row.text.bytes().filter(|b| *b == b',').count();
            if found != table.columns {
                return Err(row.error(format!("expected {} columns, found {found}", table.columns)));
            }
        }
        if !text.ends_with('\n') {
            return Err(Error::input(format!(
                "{name}:{lines}: the file ends in the middle of a line; it looks truncated"
            )));
        }
        Ok(table)
    }

    /// Every row after the header.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_, 'a>> {
        self.body.lines().enumerate().map(|(i, text)| Row { table: self, line: i + 2, text })
    }

    /// The rows whose first column is `key`.
    pub(super) fn rows_of<'t>(&'t self, key: &str) -> impl Iterator<Item = Row<'t, 'a>> {
        self.rows()
            .filter(move |row| row.text.strip_prefix(key).is_some_and(|rest| rest.starts_with(',')))
    }
}

impl<'a> Row<'_, 'a> {
    /// The columns, whose number [`Table::open`] has checked.
    pub(super) fn fields<const N: usize>(self) -> Result<[&'a str; N]> {
        let mut fields = [""; N];
        let mut parts = self.text.split(',');
        for field in &mut fields {
            *field = parts
                .next()
                .ok_or_else(|| self.error(format!("expected {} columns", self.table.columns)))?;
        }
        Ok(fields)
    }

    /// The whole line.
    pub(super) fn text(self) -> &'a str {
        self.text
    }

    /// The last column.
    pub(super) fn last(self) -> &'a str {
        self.text.rsplit(',').next().unwrap_or("")
    }

    /// An error at this line.
    pub(super) fn error(self, message: impl std::fmt::Display) -> Error {
        Error::input(format!("{}:{}: {message}", self.table.name, self.line))
    }

    /// A price in USD: not negative, at most a million.
    pub(super) fn usd(self, column: &str, text: &str) -> Result<Rate> {
        let rate: Rate = text.parse().map_err(|e| self.error(format!("{column} `{text}`: {e}")))?;
        if (0..=MAX_USD * ONE).contains(&rate.pico()) {
            Ok(rate)
        } else {
            Err(self.error(format!("{column} `{text}` must lie between 0 and {MAX_USD}")))
        }
    }

    /// An exact ratio scaled by [`ONE`], within `0..=max`.
    pub(super) fn ratio(self, column: &str, text: &str, max: i128) -> Result<i128> {
        let ratio = self.usd(column, text)?.pico();
        if ratio > max * ONE {
            return Err(self.error(format!("{column} `{text}` must lie between 0 and {max}")));
        }
        Ok(ratio)
    }

    /// A whole number no greater than `max`.
    pub(super) fn count(self, column: &str, text: &str, max: u32) -> Result<u32> {
        text.parse::<u32>().ok().filter(|n| *n <= max).ok_or_else(|| {
            self.error(format!("{column} `{text}` must be a whole number from 0 to {max}"))
        })
    }

    /// As [`Row::count`], empty for unknown.
    pub(super) fn maybe_count(self, column: &str, text: &str, max: u32) -> Result<Option<u32>> {
        if text.is_empty() { Ok(None) } else { self.count(column, text, max).map(Some) }
    }

    /// `0` or `1`.
    pub(super) fn flag(self, column: &str, text: &str) -> Result<bool> {
        match text {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(self.error(format!("{column} `{text}` must be 0 or 1"))),
        }
    }
}

/// What stands behind a source id: status, date and text.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) status: PriceStatus,
    pub(super) as_of: Text,
    pub(super) text: Text,
}

impl Source {
    /// A quote from this source.
    pub(super) fn quote(&self, rate: Rate) -> Quote {
        Quote { rate, status: self.status, as_of: self.as_of.clone(), source: self.text.clone() }
    }
}

/// `sources.csv`: every row of the other tables ends in one of its ids.
#[derive(Debug, Clone)]
pub(super) struct Sources(BTreeMap<String, Source>);

/// The header of `sources.csv`.
pub(super) const SOURCES_HEADER: &str = "source,status,as_of,text";

impl Sources {
    /// Reads `sources.csv`, the one table whose text may be quoted.
    pub(super) fn read(name: &str, text: &str) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let at = |line: u64, message: String| Error::input(format!("{name}:{line}: {message}"));
        let header = reader.headers().map_err(|e| at(1, e.to_string()))?;
        if header.iter().collect::<Vec<_>>().join(",") != SOURCES_HEADER {
            return Err(at(1, format!("expected the header `{SOURCES_HEADER}`")));
        }
        let mut sources = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| {
                at(e.position().map_or(1, csv::Position::line), "expected 4 columns".to_owned())
            })?;
            let line = record.position().map_or(1, csv::Position::line);
            let field = |i| record.get(i).unwrap_or("");
            let status = PriceStatus::from_word(field(1)).ok_or_else(|| {
                at(
                    line,
                    format!(
                        "status `{}` must be real, derived, representative or believed",
                        field(1)
                    ),
                )
            })?;
            let source = Source { status, as_of: Text::from(field(2)), text: Text::from(field(3)) };
            if sources.insert(field(0).to_owned(), source).is_some() {
                return Err(at(line, format!("source `{}` is listed twice", field(0))));
            }
        }
        if !text.ends_with('\n') {
            let line = text.lines().count();
            return Err(at(
                line as u64,
                "the file ends in the middle of a line; it looks truncated".to_owned(),
            ));
        }
        Ok(Sources(sources))
    }

    /// The source a row's last column names.
    pub(super) fn of(&self, row: Row<'_, '_>, id: &str) -> Result<&Source> {
        self.0
            .get(id)
            .ok_or_else(|| row.error(format!("source `{id}` is not listed in sources.csv")))
    }

    /// The dates that the rows of a table cover.
    pub(super) fn dates(&self, table: &Table<'_>) -> String {
        let mut range = String::new();
        let mut seen = std::collections::BTreeSet::new();
        for row in table.rows() {
            let id = row.last();
            if seen.insert(id)
                && let Some(source) = self.0.get(id)
            {
                range = cover(&range, &source.as_of);
            }
        }
        range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_file_and_line() {
        let open =
            |text: &str| Table::open("p.csv", text, "a,b").map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(open("a,b\n1,2\n"), Ok(()));
        assert_eq!(open("\u{feff}a,b\r\n1,2\r\n"), Ok(()));
        assert_eq!(open("a,c\n"), Err("p.csv:1: expected the header `a,b`".to_owned()));
        assert_eq!(
            open("a,b\n1,2\n1,2,3\n"),
            Err("p.csv:3: expected 2 columns, found 3".to_owned())
        );
        assert!(open("a,b\n1,2\n1,2").is_err_and(|e| e.starts_with("p.csv:3: the file ends")));
        assert!(open("").is_err());
        assert!(open("a,b").is_err());
        assert!(open("a,b\n\n").is_err());
    }

    #[test]
    fn a_key_is_a_whole_column() {
        let table =
            Table::open("p.csv", "r,v\nus-east-1,1\nus-east-1-atl-1,2\nus-east-1,3\n", "r,v")
                .expect("well formed");
        let lines: Vec<usize> = table.rows_of("us-east-1").map(|row| row.line).collect();
        assert_eq!(lines, [2, 4]);
    }

    #[test]
    fn numbers_are_bounded() {
        let table = Table::open("p.csv", "v\n0\n", "v").expect("well formed");
        let row = table.rows().next().expect("one row");
        assert!(row.usd("price", "0.096").is_ok());
        for bad in ["-1", "NaN", "", "1e7", "0.0000000000001"] {
            assert!(row.usd("price", bad).is_err(), "{bad}");
        }
        assert!(row.count("vcpu", "4294967296", u32::MAX).is_err());
        assert!(row.ratio("ratio", "1.5", 1).is_err());
        assert!(row.flag("burstable", "yes").is_err());
    }

    #[test]
    fn sources_are_checked() {
        let read =
            |text: &str| Sources::read("sources.csv", text).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(read("source,status,as_of,text\na,real,2024,\"x, y\"\n"), Ok(()));
        assert!(
            read("source,status,as_of,text\na,sure,2024,x\n")
                .is_err_and(|e| e.starts_with("sources.csv:2: status `sure`"))
        );
        assert!(
            read("source,status,as_of,text\na,real,2024,x\na,real,2024,x\n")
                .is_err_and(|e| e.contains(":3:"))
        );
        assert!(
            read("source,status,as_of,text\na,real\n").is_err_and(|e| e.contains(":2: expected 4"))
        );
        assert!(read("source,status,as_of,text\na,real,2024,x").is_err());
    }
}
