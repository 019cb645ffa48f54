//! Fact tables while they are read, and where each of their rows is from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::catalog::quote::PriceStatus;
use crate::catalog::read_text;
use crate::catalog::table::SOURCES_HEADER;
use crate::catalog::write::write_csv;
use crate::units::Rate;
use crate::{Error, Result};

/// A fact table in memory, its columns found by name.
pub(super) struct FactTable {
    label: String,
    columns: BTreeMap<String, usize>,
    rows: Vec<(u64, csv::StringRecord)>,
}

#[derive(Clone, Copy)]
pub(super) struct Fact<'a> {
    table: &'a FactTable,
    line: u64,
    record: &'a csv::StringRecord,
}

impl FactTable {
    pub(super) fn read(dir: &Path, name: &str) -> Result<Self> {
        let path = dir.join(name);
        let label = path.display().to_string();
        let text = read_text(&path)?;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let wrong = |e: &csv::Error| {
            let line = e.position().map_or(1, csv::Position::line);
            Error::input(format!("{label}:{line}: {e}"))
        };
        let header = reader.headers().map_err(|e| wrong(&e))?;
        let columns = header.iter().enumerate().map(|(i, name)| (name.to_owned(), i)).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| wrong(&e))?;
            rows.push((record.position().map_or(1, csv::Position::line), record));
        }
        Ok(FactTable { label, columns, rows })
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        self.rows.iter().map(|(line, record)| Fact { table: self, line: *line, record })
    }
}

impl<'a> Fact<'a> {
    pub(super) fn error(self, message: impl std::fmt::Display) -> Error {
        Error::input(format!("{}:{}: {message}", self.table.label, self.line))
    }

    pub(super) fn get(self, column: &str) -> Result<&'a str> {
        self.table
            .columns
            .get(column)
            .and_then(|i| self.record.get(*i))
            .ok_or_else(|| self.error(format!("there is no column `{column}`")))
    }

    /// A decimal in its one canonical form; empty stays empty.
    pub(super) fn decimal(self, column: &str) -> Result<String> {
        let text = self.get(column)?;
        if text.is_empty() {
            return Ok(String::new());
        }
        let rate: Rate = text.parse().map_err(|e| self.error(format!("{column} `{text}`: {e}")))?;
        Ok(rate.to_string())
    }

    /// The catalog's status for the facts' word, and a remark where the word
    /// says more than the status does.
    pub(super) fn status(self) -> Result<(PriceStatus, &'static str)> {
        match self.get("status")? {
            "approximate" => {
                Ok((PriceStatus::Representative, "; a rounded public figure, not a quote"))
            }
            // A published figure of which it is not known what it covers.
            "real-unclear-split" => Ok((PriceStatus::Representative, "")),
            word => PriceStatus::from_word(word)
                .map(|status| (status, ""))
                .ok_or_else(|| self.error(format!("unknown status `{word}`"))),
        }
    }
}

/// Collects sources and gives each an id that does not depend on row order.
#[derive(Default)]
pub(super) struct SourceTable {
    /// (status, date, text) by id.
    known: BTreeMap<String, (PriceStatus, String, String)>,
}

impl SourceTable {
    /// A source whose id is fixed.
    pub(super) fn named(
        &mut self,
        id: &str,
        status: PriceStatus,
        as_of: &str,
        text: &str,
    ) -> String {
        self.known.insert(id.to_owned(), (status, as_of.to_owned(), text.to_owned()));
        id.to_owned()
    }

    /// Ids `prefix-1`, `prefix-2` … for the sources of a table, in their
    /// sorted order.
    pub(super) fn numbered(
        &mut self,
        prefix: &str,
        wanted: &BTreeSet<(PriceStatus, String, String)>,
    ) -> BTreeMap<(PriceStatus, String, String), String> {
        let mut ids = BTreeMap::new();
        for (i, source) in wanted.iter().enumerate() {
            let id = self.named(&format!("{prefix}-{}", i + 1), source.0, &source.1, &source.2);
            ids.insert(source.clone(), id);
        }
        ids
    }

    pub(super) fn render(&self) -> Result<String> {
        let rows = self.known.iter().map(|(id, (status, as_of, text))| {
            vec![id.clone(), status.to_string(), as_of.clone(), text.clone()]
        });
        write_csv(SOURCES_HEADER, rows)
    }
}

/// Rows sorted by key; a key that comes twice is an error.
pub(super) fn sorted(rows: Vec<(Fact<'_>, usize, Vec<String>)>) -> Result<Vec<Vec<String>>> {
    let mut map: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (fact, key_columns, row) in rows {
        let key = row.iter().take(key_columns).cloned().collect();
        if map.insert(key, row).is_some() {
            return Err(fact.error("this row repeats an earlier one"));
        }
    }
    Ok(map.into_values().collect())
}

/// A row whose source is still to be numbered.
pub(super) type Unsourced<'a> = (Fact<'a>, usize, Vec<String>, (PriceStatus, String, String));

pub(super) fn with_sources(
    rows: Vec<Unsourced<'_>>,
    prefix: &str,
    header: &str,
    sources: &mut SourceTable,
) -> Result<String> {
    let wanted = rows.iter().map(|(_, _, _, source)| source.clone()).collect();
    let ids = sources.numbered(prefix, &wanted);
    let rows = rows
        .into_iter()
        .map(|(fact, keys, mut row, source)| {
            row.push(ids.get(&source).cloned().unwrap_or_default());
            (fact, keys, row)
        })
        .collect();
    write_csv(header, sorted(rows)?)
}

/// The source of a row that states status, date and text itself.
pub(super) fn source_of(fact: Fact<'_>) -> Result<(PriceStatus, String, String)> {
    let (status, remark) = fact.status()?;
    Ok((status, fact.get("as_of")?.to_owned(), format!("{}{remark}", fact.get("source")?)))
}
