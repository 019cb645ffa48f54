//! What FOCUS 1.2 demands of an export, rule by rule, in our own words (FinOps
//! Open Cost and Usage Specification, version 1.2), laid out to be read beside
//! it: `columns` lists every column with its feature level, the other files
//! hold the rules of related columns, by column, those of single rows first.
//!
//! A rule says which rows it is about and what must hold for them. Rules about
//! taxes, corrections, marketplace invoices and payers in other currencies have
//! no column or row here and are left out.

mod attributes;
mod cells;
mod charges;
mod columns;
mod commitments;
mod costs;
mod resources;

use std::path::Path;

pub(crate) use cells::{Row, decimal};

/// What must hold of single rows.
pub(crate) struct RowRule {
    /// Column or attribute, and a word.
    pub(crate) id: &'static str,
    /// The rule.
    pub(crate) text: &'static str,
    /// Which rows it is about.
    pub(crate) about: fn(&Row) -> bool,
    /// What must hold for them.
    pub(crate) holds: fn(&Row) -> bool,
}

/// What must hold of a whole data set.
pub(crate) struct SetRule {
    pub(crate) id: &'static str,
    pub(crate) text: &'static str,
    /// How many rows it was about, or what is wrong, by header and rows.
    pub(crate) check: SetCheck,
}

type SetCheck = fn(&[String], &[Row]) -> Result<usize, String>;

const fn rule(
    id: &'static str,
    text: &'static str,
    about: fn(&Row) -> bool,
    holds: fn(&Row) -> bool,
) -> RowRule {
    RowRule { id, text, about, holds }
}

const fn whole(id: &'static str, text: &'static str, check: SetCheck) -> SetRule {
    SetRule { id, text, check }
}

/// All rules about single rows.
pub(crate) fn row_rules() -> impl Iterator<Item = &'static RowRule> {
    [attributes::ROWS, charges::ROWS, costs::ROWS, resources::ROWS, commitments::ROWS]
        .into_iter()
        .flatten()
}

/// All rules about whole data sets.
pub(crate) fn set_rules() -> impl Iterator<Item = &'static SetRule> {
    [attributes::SETS, charges::SETS, costs::SETS, resources::SETS, commitments::SETS]
        .into_iter()
        .flatten()
}

/// Columns of decimals.
pub(crate) fn decimals() -> impl Iterator<Item = &'static str> {
    columns::of_kind(columns::Kind::Decimal)
}

/// Header and rows of a CSV file.
pub(crate) fn table(path: &Path) -> (Vec<String>, Vec<Row>) {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let header: Vec<String> =
        reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|record| {
            let record = record.expect("a record of the header's length");
            let cells = header.iter().cloned().zip(record.iter().map(str::to_owned));
            cells.filter(|(_, cell)| !cell.is_empty()).collect()
        })
        .collect();
    (header, rows)
}

/// Checks an export against every rule. How many rows each was about, by its
/// id.
pub(crate) fn check(name: &str, header: &[String], rows: &[Row]) -> Vec<(&'static str, usize)> {
    let mut about = Vec::new();
    for rule in row_rules() {
        let concerned: Vec<_> = rows.iter().filter(|r| (rule.about)(r)).collect();
        if let Some(row) = concerned.iter().find(|r| !(rule.holds)(r)) {
            panic!("{name}: {} ({}) is broken by\n{row:#?}", rule.id, rule.text);
        }
        about.push((rule.id, concerned.len()));
    }
    for rule in set_rules() {
        let count = (rule.check)(header, rows);
        let count = count.unwrap_or_else(|e| panic!("{name}: {} ({}): {e}", rule.id, rule.text));
        about.push((rule.id, count));
    }
    about
}

#[test]
fn every_rule_has_an_id_of_its_own() {
    let ids = || row_rules().map(|r| r.id).chain(set_rules().map(|r| r.id));
    let distinct: std::collections::BTreeSet<&str> = ids().collect();
    assert_eq!((ids().count(), distinct.len()), (109, 109));
}
