//! A billing file priced again: what differs, why, and what was left out.
//! Writing into a string cannot fail.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use super::left_out;
use super::terminal::{Format, wrapped};
use super::text;
use crate::bill::statement::{self, Group, GroupKey, Reason, RepricedRow, Repricing};
use crate::sweep::SCHEMA_VERSION;
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// Groups of one reason that a terminal shows.
const SHOWN: usize = 12;
/// Decimals of money: residuals of a billing file are far below a cent.
const PLACES: u32 = 6;
/// Characters of a number in a table of rows that are modelled, a blank before.
const WIDTH: usize = 9;

fn failed(e: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("cannot print what was priced again: {e}"))
}

/// A summary; as CSV see [`RepriceRows`].
///
/// # Errors
/// When it cannot be written in that format.
pub fn reprice(
    name: &str,
    format: statement::Format,
    of: &Repricing,
    out: Format,
) -> Result<String> {
    match out {
        Format::Json => json(name, format, of),
        Format::Markdown => Ok(markdown(of)),
        Format::Table | Format::Csv => Ok(table(name, format, of)),
    }
}

/// Every row that was priced, as CSV, written as it comes.
pub struct RepriceRows<W: std::io::Write>(csv::Writer<W>);

impl<W: std::io::Write> RepriceRows<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(out: W) -> Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record([
            "line",
            "period_start",
            "region",
            "zone",
            "item",
            "quantity",
            "unit",
            "file_unit_price",
            "file_list_cost",
            "our_unit_price",
            "our_cost",
            "residual",
            "reason",
            "file_decimals",
            "our_status",
            "our_date",
            "our_source",
        ])
        .map_err(|e| failed(&e))?;
        Ok(RepriceRows(csv))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&mut self, of: &RepricedRow<'_>) -> Result<()> {
        let or_empty = |money: Option<Money>| money.map_or_else(String::new, |m| m.to_string());
        let rate = |rate: Option<Rate>| rate.map_or_else(String::new, |r| r.to_string());
        let quantity = of.row.quantity.map_or_else(String::new, |q| q.to_string());
        let (status, date, source) = of.quote.map_or_else(Default::default, |quote| {
            (quote.status.to_string(), quote.as_of.to_string(), quote.source.to_string())
        });
        let decimals = match of.priced.reason {
            Reason::FileRounding { decimals } => decimals.to_string(),
            _ => String::new(),
        };
        self.0
            .write_record([
                &of.row.line.to_string(),
                &moment(of.row.start_unix_ms),
                &text::csv_cell(of.row.region),
                &text::csv_cell(of.row.zone),
                &text::csv_cell(&of.item.label()),
                &quantity,
                of.item.unit(),
                &rate(of.row.unit_price),
                &or_empty(of.row.list_cost),
                &rate(of.quote.map(|q| q.rate)),
                &or_empty(of.priced.ours),
                &or_empty(of.priced.residual),
                of.priced.reason.code(),
                &decimals,
                &status,
                &date,
                &text::csv_cell(&source),
            ])
            .map_err(|e| failed(&e))
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> Result<()> {
        self.0.flush().map_err(|e| failed(&e))
    }
}

fn moment(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map(|at| at.to_string()).unwrap_or_default()
}

/// Reasons that occur, in order, each with its groups, the dearest first.
fn by_reason(of: &Repricing) -> Vec<(Reason, Vec<(&GroupKey, &Group)>)> {
    let mut found: Vec<(Reason, Vec<_>)> = Vec::new();
    for (key, group) in &of.groups {
        match found.last_mut() {
            Some((reason, groups)) if *reason == key.reason => groups.push((key, group)),
            _ => found.push((key.reason, vec![(key, group)])),
        }
    }
    for (_, groups) in &mut found {
        // Stable: equal amounts stay in the order of their names.
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.file.pico().abs()));
    }
    found
}

fn rate(of: Option<Rate>) -> String {
    of.map_or_else(|| "–".to_owned(), |rate| rate.to_string())
}

/// As [`rate`], rounded where it is too long for its column.
fn column(of: Option<Rate>) -> String {
    let exact = rate(of);
    match of {
        Some(rate) if exact.len() > WIDTH => (0..WIDTH)
            .rev()
            .map(|places| format!("{:.places$}", rate.to_f64()))
            .find(|text| text.len() <= WIDTH)
            .unwrap_or(exact),
        _ => exact,
    }
}

/// A number of rows in five characters.
fn rows(n: u64) -> String {
    match n {
        0..100_000 => n.to_string(),
        100_000..10_000_000 => format!("{}k", n / 1_000),
        _ => format!("{}M", n / 1_000_000),
    }
}

/// A residual: `0` only where it is nothing at all, else enough digits to be
/// seen; as many as there is room for.
fn residual(of: Option<Money>, width: usize) -> String {
    match of {
        None => "–".to_owned(),
        Some(Money::ZERO) => "0".to_owned(),
        Some(amount) if amount.pico().abs() < 1_000_000 => {
            format!("{:.1e}", amount.to_f64())
        }
        Some(amount) => text::fitted(amount, PLACES, width),
    }
}

/// A residual in a sentence, with a true minus sign: `−$0.08`.
fn dollars(of: Money) -> String {
    text::dollars(&residual(Some(of), usize::MAX))
}

fn table(name: &str, format: statement::Format, of: &Repricing) -> String {
    let period = of
        .period
        .map_or_else(String::new, |(start, end)| format!(", {} to {}", moment(start), moment(end)));
    let head = format!(
        "{}: {}, {}{period}",
        text::name(name),
        format.name(),
        text::counted(of.rows, "row")
    );
    let mut out = wrapped(&head, "", "  ");
    for (reason, groups) in by_reason(of) {
        out.push('\n');
        out += &wrapped(&reason.text(), &format!("{}: ", reason.code()), "  ");
        let _ = writeln!(
            out,
            "  {:<18}{:<15}{:>5}{:>10}{:>10}{:>10}{:>10}",
            "item", "Region", "rows", "file $", "our $", "list $", "residual"
        );
        for (key, group) in groups.iter().take(SHOWN) {
            let _ = writeln!(
                out,
                "  {:<18}{:<15}{:>5}{:>10}{:>10}{:>10}{:>10}",
                text::shortened(&text::name(&key.item), 17),
                text::shortened(&text::name(&key.region), 14),
                rows(group.rows),
                column(key.file_rate),
                column(key.our_rate),
                text::fitted(group.file, 5, WIDTH),
                residual(group.residual, WIDTH)
            );
        }
        if groups.len() > SHOWN {
            let _ = writeln!(out, "  … and {} more; --format csv has all", groups.len() - SHOWN);
        }
    }
    out += &left_out::table(of, true, "not modelled");
    out += &left_out::table(of, false, "no usage");
    out.push('\n');
    out += &wrapped(&closing(of), "", "");
    out
}

/// What it comes to.
fn closing(of: &Repricing) -> String {
    let (rows, file, off) = of.modelled();
    let (compared, compared_file, _) = of.sum(|key| key.our_rate.is_some());
    let (open, _, open_off) = of.unexplained();
    let (left, list, foreign) = of.not_priced();
    let foreign = left_out::other_currencies(foreign);
    let (published, published_file, _) =
        of.sum(|key| key.ours.starts_with("real") || key.ours.starts_with("derived"));
    format!(
        "{} of {} rows are modelled, {} at list; {} of them ({}) have a price of ours, {} ({}) a \
         published one. Residual in all {}; unexplained: {}, {}. Not priced: {}, {} at \
         list{foreign}.",
        text::count(rows),
        text::count(of.rows),
        text::usd(file, PLACES),
        text::count(compared),
        text::usd(compared_file, PLACES),
        text::count(published),
        text::usd(published_file, PLACES),
        dollars(off),
        text::counted(open, "row"),
        dollars(open_off),
        text::counted(left, "row"),
        text::usd(list, PLACES)
    )
}

fn markdown(of: &Repricing) -> String {
    let mut out = "| reason | item | Region | rows | file $/unit | our $/unit | ours | list $ | \
                   residual $ |\n| --- | --- | --- | ---: | ---: | ---: | --- | ---: | ---: |\n"
        .to_owned();
    for (key, group) in &of.groups {
        let cells = [
            text::markdown_cell(key.reason.code()),
            text::markdown_cell(&key.item),
            text::markdown_cell(&key.region),
            group.rows.to_string(),
            rate(key.file_rate),
            rate(key.our_rate),
            text::markdown_cell(&key.ours),
            group.file.to_string(),
            group.residual.map_or_else(|| "–".to_owned(), |r| r.to_string()),
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out += &left_out::markdown(of, "not priced");
    let _ = writeln!(out, "\n{}", closing(of));
    out
}

fn json(name: &str, format: statement::Format, of: &Repricing) -> Result<String> {
    let groups: Vec<_> = of
        .groups
        .iter()
        .map(|(key, group)| {
            json!({
                "reason": key.reason.code(),
                "explained": key.reason.is_explained(),
                "item": key.item,
                "region": key.region,
                "rows": group.rows,
                "first_line": group.first_line,
                "file_unit_price": key.file_rate,
                "our_unit_price": key.our_rate,
                "our_price": key.ours,
                "file_list_cost": group.file,
                "our_cost": group.ours,
                "residual": group.residual,
            })
        })
        .collect();
    let (rows, file, off) = of.modelled();
    let (left, ..) = of.not_priced();
    let (open, _, open_off) = of.unexplained();
    let shown = json!({
        "schema_version": SCHEMA_VERSION,
        "plimsoll_version": env!("CARGO_PKG_VERSION"),
        "file": name,
        "format": format.name(),
        "rows": of.rows,
        "period_start": of.period.map(|(start, _)| moment(start)),
        "period_end": of.period.map(|(_, end)| moment(end)),
        "modelled": {"rows": rows, "file_list_cost": file, "residual": off},
        "unexplained": {"rows": open, "residual": open_off},
        "not_priced": {"rows": left},
        "groups": groups,
        "not_modelled": left_out::json(of, true),
        "no_usage": left_out::json(of, false),
    });
    serde_json::to_string_pretty(&shown).map(|text| text + "\n").map_err(|e| failed(&e))
}
