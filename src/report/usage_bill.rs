//! Usage under commitments: what is covered, what is not, and what it costs.
//! Writing into a string cannot fail.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::left_out;
use super::terminal::{Format, wrapped};
use super::text;
use crate::bill::PriceStatus;
use crate::bill::statement::Sum;
use crate::plan::PricedUsage;
use crate::sweep::SCHEMA_VERSION;
use crate::units::{HOUR_MS, Money};
use crate::{Error, Result};

/// Rows of one table that a terminal shows.
const SHOWN: usize = 40;

/// What rows of the table stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageBy {
    /// Instance types, Fargate.
    Item,
    /// Clock hours.
    Hour,
    /// Accounts or tags, whatever the usage was grouped by.
    Group,
}

impl UsageBy {
    const fn heading(self) -> &'static str {
        match self {
            UsageBy::Item => "item",
            UsageBy::Hour => "hour",
            UsageBy::Group => "group",
        }
    }
}

fn failed(e: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("cannot print the bill: {e}"))
}

/// A usage file's bill.
///
/// # Errors
/// When it cannot be written in that format.
pub fn usage_bill(name: &str, of: &PricedUsage, by: UsageBy, format: Format) -> Result<String> {
    match format {
        Format::Table => Ok(table(name, of, by)),
        Format::Markdown => Ok(markdown(of, by)),
        Format::Json => json(name, of, by),
        Format::Csv => csv(of, by),
    }
}

/// Rows of the table; the last holds what nothing used.
fn rows(of: &PricedUsage, by: UsageBy) -> Vec<(String, Sum)> {
    let bill = &of.bill;
    let names: Vec<String> = match by {
        UsageBy::Item => bill.usage.items.iter().map(|item| item.name.clone()).collect(),
        UsageBy::Hour => {
            let first = bill.usage.first_hour();
            (first..).take(bill.usage.hours()).map(hour).collect()
        }
        UsageBy::Group => bill.groups.names.clone(),
    };
    let sums = match by {
        UsageBy::Item => bill.by_item(),
        UsageBy::Hour => bill.by_hour(),
        UsageBy::Group => bill.by_group(),
    };
    let mut rows: Vec<(String, Sum)> = names.into_iter().zip(sums).collect();
    if by != UsageBy::Hour {
        let unused = bill.total().unused;
        if unused != Money::ZERO {
            rows.push(("(unused commitment)".to_owned(), Sum { unused, ..Sum::default() }));
        }
    }
    rows
}

fn hour(hour: i64) -> String {
    Timestamp::from_millisecond(hour * HOUR_MS).map(|at| at.to_string()).unwrap_or_default()
}

fn share(of: Option<f64>) -> String {
    of.map_or_else(|| "–".to_owned(), |share| format!("{:.1}", share * 100.0))
}

fn table(name: &str, of: &PricedUsage, by: UsageBy) -> String {
    let bill = &of.bill;
    let head = format!(
        "{}: {}, {} of {} that commitments can cover, {} from {}",
        text::name(name),
        of.format.name(),
        text::counted(of.rows, "row"),
        text::count(of.rows + of.left_out.rows),
        text::counted(bill.usage.hours() as u64, "hour"),
        hour(bill.usage.first_hour())
    );
    let mut out = wrapped(&head, "", "  ");
    let mut all = rows(of, by);
    if by != UsageBy::Hour {
        all.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.total(), sum.on_demand)));
    }
    let line = |name: &str, cells: [String; 5]| {
        let [a, b, c, d, e] = cells;
        format!("{name:<27}{a:>12}{b:>12}{c:>12}{d:>12}{e:>5}\n")
    };
    let places = places(bill.total().on_demand);
    let cells = |sum: &Sum| {
        let usd = |m: Money| text::fitted(m, places, 11);
        let paid = sum.covered + sum.unused;
        let cover = sum.coverage().map_or_else(|| "–".to_owned(), |c| format!("{:.0}%", c * 100.0));
        [usd(sum.on_demand), usd(paid), usd(sum.remaining), usd(sum.total()), cover]
    };
    out.push('\n');
    let heads = ["On-Demand", "commitments", "remaining", "total $", "cov."].map(str::to_owned);
    out += &line(by.heading(), heads);
    for (name, sum) in all.iter().take(SHOWN) {
        out += &line(&text::shortened(&text::name(name), 26), cells(sum));
    }
    if all.len() > SHOWN {
        let mut rest = Sum::default();
        for (_, sum) in all.iter().skip(SHOWN) {
            rest += *sum;
        }
        out += &line(&format!("… and {} more", all.len() - SHOWN), cells(&rest));
    }
    out += &line("total", cells(&bill.total()));
    if !bill.commitments.is_empty() {
        let _ = writeln!(
            out,
            "\n{:<22}{:<16}{:>11}{:>11}{:>10}{:>10}",
            "commitment", "kind", "committed", "unused", "used", "saves $"
        );
        for (plan, commitment) in bill.commitments.iter().enumerate() {
            let spent = bill.settlement.spent_in_all(plan);
            let used = share(spent.used().share_of(spent.committed));
            let _ = writeln!(
                out,
                "{:<22}{:<16}{:>11}{:>11}{:>10}{:>10}",
                text::shortened(&text::name(&commitment.name), 21),
                commitment.kind.name(),
                text::fitted(spent.committed, places, 10),
                text::fitted(spent.unused, places, 10),
                format!("{used} %"),
                text::fitted(spent.covered_on_demand - spent.committed, places, 9)
            );
        }
    }
    out += &left_out::table(&of.left_out, true, "usage that is not in it");
    out += &left_out::table(&of.left_out, false, "charges that are no usage");
    out.push('\n');
    out += &wrapped(&closing(of), "", "");
    out
}

const fn places(total: Money) -> u32 {
    if total.pico() < 10_000_000_000_000 { 5 } else { 2 }
}

/// What it comes to, and how well it is known.
fn closing(of: &PricedUsage) -> String {
    let total = of.bill.total();
    let places = places(total.on_demand);
    let known = of.bill.by_status();
    let of_status = |status: &PriceStatus| known.get(status).copied().unwrap_or_default();
    let published = of_status(&PriceStatus::Real) + of_status(&PriceStatus::Derived);
    let others: Vec<String> = known
        .iter()
        .filter(|(status, _)| !matches!(status, PriceStatus::Real | PriceStatus::Derived))
        .map(|(status, amount)| format!("{} {}", text::usd(*amount, places), status.name()))
        .collect();
    let others =
        if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let head = if of.bill.commitments.is_empty() {
        format!("On-Demand {}, no commitments.", text::usd(total.on_demand, places))
    } else {
        let saved = total.on_demand - total.total();
        let (word, saved) = if saved < Money::ZERO { ("more", -saved) } else { ("less", saved) };
        format!(
            "On-Demand {}, with commitments {}: {} % {word}; coverage {} %, {} of commitments \
             unused.",
            text::usd(total.on_demand, places),
            text::usd(total.total(), places),
            share(saved.share_of(total.on_demand)),
            share(total.coverage()),
            text::usd(total.unused, places),
        )
    };
    let negotiated = if of.negotiated == Money::ZERO {
        String::new()
    } else {
        format!(
            " The file's contracted prices stand for On-Demand: {} below list.",
            text::usd(of.negotiated, places)
        )
    };
    format!(
        "{head}{negotiated} {} % of it rests on published prices{others}.{}{}",
        share(published.share_of(total.total())),
        usage_currencies(of).map_or_else(String::new, |said| format!(" {said}")),
        usage_left_out(of).map_or_else(String::new, |left| format!(" {left}"))
    )
}

/// What is said of rows of a bill whose file states another currency; `None`
/// where there are none.
#[must_use]
pub fn usage_currencies(of: &PricedUsage) -> Option<String> {
    (of.in_other_currency > 0).then(|| {
        format!(
            "The file states {} of it in another currency than USD; priced here at list prices in \
             USD, without the file's own amounts.",
            text::counted(of.in_other_currency, "row")
        )
    })
}

/// What is said of the rows that are not in a bill; `None` where there are none.
#[must_use]
pub fn usage_left_out(of: &PricedUsage) -> Option<String> {
    let left = &of.left_out;
    if left.rows == 0 {
        return None;
    }
    let ((_, list, foreign), (billed, _)) = (left.not_priced(), left.others_billed());
    // Fees of commitments that the file has are no usage that is left out.
    let other = match left.other_charges() {
        Money::ZERO => String::new(),
        other => format!(" ({} of that for charges that are no usage)", text::usd(other, 2)),
    };
    let mut text = format!(
        "Not in it: {}, {} at list, billed {}{other}{}.",
        text::counted(left.rows, "row"),
        text::usd(list, 2),
        text::usd(billed, 2),
        left_out::other_currencies(foreign)
    );
    let has_plan = of.bill.commitments.iter().any(|it| it.reserved.is_none());
    if has_plan && left.plan_usage > 0 {
        let _ = write!(
            text,
            " Savings Plans also apply to {} of these rows (other platforms, dedicated instances, \
             Lambda), whose plan rates are not known: AWS uses more of them than is said here.",
            text::count(left.plan_usage)
        );
    }
    Some(text)
}

/// What a row of Markdown and CSV holds, in the order of its columns.
fn amounts(sum: &Sum) -> [Money; 6] {
    [sum.on_demand, sum.covered_on_demand, sum.covered, sum.unused, sum.remaining, sum.total()]
}

fn markdown(of: &PricedUsage, by: UsageBy) -> String {
    let mut out = format!(
        "| {} | On-Demand $ | covered, On-Demand $ | covered $ | unused $ | remaining $ | total $ \
         |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        by.heading()
    );
    let places = places(of.bill.total().on_demand);
    let mut line = |name: &str, sum: &Sum| {
        let cells = amounts(sum).map(|m| m.human(places));
        let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
    };
    for (name, sum) in rows(of, by) {
        line(&text::markdown_cell(&name), &sum);
    }
    line("**total**", &of.bill.total());
    if of.left_out.rows > 0 {
        out += &left_out::markdown(&of.left_out, "not in it");
    }
    let _ = writeln!(out, "\n{}", closing(of));
    out
}

fn sum_json(sum: &Sum) -> Value {
    json!({
        "on_demand": sum.on_demand,
        "covered_on_demand": sum.covered_on_demand,
        "covered": sum.covered,
        "unused": sum.unused,
        "remaining": sum.remaining,
        "total": sum.total(),
        "coverage": sum.coverage(),
    })
}

fn json(name: &str, of: &PricedUsage, by: UsageBy) -> Result<String> {
    let bill = &of.bill;
    let named = |(name, sum): (String, Sum)| {
        let mut value = sum_json(&sum);
        value[by.heading()] = json!(name);
        value
    };
    let commitments: Vec<Value> = bill
        .commitments
        .iter()
        .enumerate()
        .map(|(plan, commitment)| {
            let spent = bill.settlement.spent_in_all(plan);
            json!({
                "name": commitment.name,
                "kind": commitment.kind.name(),
                "committed": spent.committed,
                "used": spent.used(),
                "unused": spent.unused,
                "utilisation": spent.used().share_of(spent.committed),
                "covered_on_demand": spent.covered_on_demand,
            })
        })
        .collect();
    let by_status: serde_json::Map<String, Value> =
        bill.by_status().iter().map(|(s, m)| (s.name().to_owned(), json!(m))).collect();
    let mut left = left_out::json(&of.left_out, true);
    left.extend(left_out::json(&of.left_out, false));
    let shown = json!({
        "schema_version": SCHEMA_VERSION,
        "plimsoll_version": env!("CARGO_PKG_VERSION"),
        "file": name,
        "format": of.format.name(),
        "first_hour": hour(bill.usage.first_hour()),
        "hours": bill.usage.hours(),
        "rows": of.rows,
        "rows_in_other_currency": of.in_other_currency,
        "total": sum_json(&bill.total()),
        "commitments": commitments,
        "below_list": of.negotiated,
        "by": by.heading(),
        "parts": rows(of, by).into_iter().map(named).collect::<Vec<_>>(),
        "by_price_status": by_status,
        "left_out": left,
    });
    serde_json::to_string_pretty(&shown).map(|text| text + "\n").map_err(|e| failed(&e))
}

fn csv(of: &PricedUsage, by: UsageBy) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        by.heading(),
        "on_demand",
        "covered_on_demand",
        "covered",
        "unused",
        "remaining",
        "total",
    ])
    .map_err(|e| failed(&e))?;
    for (name, sum) in rows(of, by) {
        let amounts = amounts(&sum).map(|m| m.to_string());
        csv.write_record(std::iter::once(text::csv_cell(&name)).chain(amounts))
            .map_err(|e| failed(&e))?;
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
