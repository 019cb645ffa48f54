//! A whole file, priced again: rows alike added up, nothing left out.

use std::collections::BTreeMap;

use super::{Class, Reason, Repriced, Row};
use crate::units::{Money, Rate};

/// Distinct groups that are told apart; further ones are added together.
pub const MOST_GROUPS: usize = 20_000;

/// What rows of one group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    /// Why the residual is what it is.
    pub reason: Reason,
    /// What it is, such as `m5.large`.
    pub item: String,
    /// Its Region.
    pub region: String,
    /// The file's list price of a unit.
    pub file_rate: Option<Rate>,
    /// Ours.
    pub our_rate: Option<Rate>,
    /// How well ours is known, and from when: `real 2024-04-04`.
    pub ours: String,
}

/// Rows of a group, added up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// How many.
    pub rows: u64,
    /// Line of the first.
    pub first_line: u64,
    /// List cost by the file.
    pub file: Money,
    /// List cost by our prices, where we have one.
    pub ours: Option<Money>,
    /// Sum of the residuals that are known.
    pub residual: Option<Money>,
}

/// What rows that are not priced have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherKey {
    /// Whether it is usage; otherwise credits, taxes, fees.
    pub usage: bool,
    /// Service, or the file's word for the kind of charge.
    pub what: String,
    /// The file's unit; empty for what is no usage.
    pub unit: String,
    /// What its amounts are in; empty for USD.
    pub currency: String,
}

/// Rows that are not priced, added up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Other {
    /// How many.
    pub rows: u64,
    /// Line of the first.
    pub first_line: u64,
    /// List cost by the file.
    pub list: Money,
    /// What the invoice asks.
    pub billed: Money,
}

/// A file, priced again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repricing {
    /// Rows read.
    pub rows: u64,
    /// First start and last end of their periods, Unix milliseconds.
    pub period: Option<(i64, i64)>,
    /// Rows that are modelled.
    pub groups: BTreeMap<GroupKey, Group>,
    /// All others.
    pub others: BTreeMap<OtherKey, Other>,
    /// Of the others, rows of usage to which Savings Plans apply.
    pub plan_usage: u64,
}

impl Repricing {
    /// Adds a row that is modelled. `ours` describes our price.
    pub fn add(&mut self, row: &Row<'_>, label: &str, priced: &Repriced, ours: &OurPrice<'_>) {
        self.count(row);
        let mut key = GroupKey {
            reason: priced.reason,
            item: label.to_owned(),
            region: row.region.to_owned(),
            file_rate: row.unit_price,
            our_rate: ours.rate,
            ours: ours.pedigree.to_owned(),
        };
        if priced.reason == Reason::OtherCurrency {
            key.item = format!("{label}, {}", currency(row));
        }
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&key) {
            "further items".clone_into(&mut key.item);
            (key.region, key.ours) = (String::new(), String::new());
            (key.file_rate, key.our_rate) = (None, None);
        }
        let group = self.groups.entry(key).or_default();
        if group.rows == 0 {
            group.first_line = row.line;
        }
        group.rows += 1;
        group.file += row.list_cost.unwrap_or_default();
        let plus = |sum: &mut Option<Money>, amount: Option<Money>| {
            if let Some(amount) = amount {
                *sum.get_or_insert_default() += amount;
            }
        };
        plus(&mut group.ours, priced.ours);
        plus(&mut group.residual, priced.residual);
    }

    /// Adds a row that is not modelled, or is no usage.
    pub fn leave(&mut self, row: &Row<'_>) {
        self.count(row);
        self.plan_usage += u64::from(match row.class {
            Class::Usage(item) => item.is_plan_usage(),
            Class::NotModelled => matches!(row.service, "AWSLambda" | "AWS Lambda"),
            Class::NotUsage(_) => false,
        });
        let (usage, what) = match row.class {
            Class::NotUsage(word) => (false, word.to_owned()),
            Class::Usage(item) => (true, format!("{}: {}", row.service, item.sort())),
            Class::NotModelled if row.provider.is_empty() => (true, row.service.to_owned()),
            Class::NotModelled => (true, format!("{}: {}", row.provider, row.service)),
        };
        let unit = if usage { row.unit } else { "" };
        let currency = if row.currency == "USD" { "" } else { row.currency };
        let (unit, currency) = (unit.to_owned(), currency.to_owned());
        let mut key = OtherKey { usage, what, unit, currency };
        if self.others.len() >= MOST_GROUPS && !self.others.contains_key(&key) {
            "further services".clone_into(&mut key.what);
            key.unit = String::new();
        }
        let other = self.others.entry(key).or_default();
        if other.rows == 0 {
            other.first_line = row.line;
        }
        other.rows += 1;
        other.list += row.list_cost.unwrap_or_default();
        other.billed += row.billed.unwrap_or_default();
    }

    fn count(&mut self, row: &Row<'_>) {
        self.rows += 1;
        let (start, end) = (row.start_unix_ms, row.end_unix_ms);
        self.period = Some(
            self.period.map_or((start, end), |(first, last)| (first.min(start), last.max(end))),
        );
    }

    /// Rows that have no price of ours, what those in USD cost at list, and how
    /// many are in another currency.
    #[must_use]
    pub fn not_priced(&self) -> (u64, Money, u64) {
        let groups = self.groups.iter().filter(|(_, group)| group.ours.is_none());
        let groups =
            groups.map(|(key, of)| (key.reason != Reason::OtherCurrency, of.rows, of.file));
        let others =
            self.others.iter().map(|(key, of)| (key.currency.is_empty(), of.rows, of.list));
        groups.chain(others).fold((0, Money::ZERO, 0), |(all, list, foreign), (usd, rows, cost)| {
            if usd {
                (all + rows, list + cost, foreign)
            } else {
                (all + rows, list, foreign + rows)
            }
        })
    }

    /// What the invoice asks in USD for rows that are not modelled, and how
    /// many rows are in another currency.
    #[must_use]
    pub fn others_billed(&self) -> (Money, u64) {
        self.others.iter().fold((Money::ZERO, 0), |(billed, foreign), (key, of)| {
            if key.currency.is_empty() {
                (billed + of.billed, foreign)
            } else {
                (billed, foreign + of.rows)
            }
        })
    }

    /// What the invoice asks in USD for what is no usage: purchases of
    /// commitments, taxes, credits.
    #[must_use]
    pub fn other_charges(&self) -> Money {
        let others = self.others.iter();
        let others = others.filter(|(key, _)| !key.usage && key.currency.is_empty());
        others.map(|(_, of)| of.billed).sum()
    }

    /// Rows that are modelled, and list cost and residual of those in USD.
    #[must_use]
    pub fn modelled(&self) -> (u64, Money, Money) {
        let (rows, ..) = self.sum(|_| true);
        let (_, file, residual) = self.sum(|key| key.reason != Reason::OtherCurrency);
        (rows, file, residual)
    }

    /// Rows that no check explains, with their list cost and residual.
    #[must_use]
    pub fn unexplained(&self) -> (u64, Money, Money) {
        self.sum(|key| !key.reason.is_explained())
    }

    /// Rows, list cost and residual over all groups that `wanted` picks.
    #[must_use]
    pub fn sum(&self, wanted: impl Fn(&GroupKey) -> bool) -> (u64, Money, Money) {
        self.groups.iter().filter(|(key, _)| wanted(key)).fold(
            (0, Money::ZERO, Money::ZERO),
            |(rows, file, residual), (_, group)| {
                let own = group.residual.unwrap_or_default();
                (rows + group.rows, file + group.file, residual + own)
            },
        )
    }
}

/// What a row's amounts are in, for people.
fn currency<'a>(row: &Row<'a>) -> &'a str {
    if row.currency.is_empty() { "no currency" } else { row.currency }
}

/// Our price of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OurPrice<'a> {
    /// USD per unit.
    pub rate: Option<Rate>,
    /// `real 2024-04-04`; empty where there is none.
    pub pedigree: &'a str,
}
