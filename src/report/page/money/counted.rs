//! How the bill is counted: over which time, and what it would say counted
//! otherwise.

use jiff::Timestamp;
use maud::{Markup, html};

use super::super::super::{text, words};
use crate::bill::Bill;
use crate::units::{HOUR_MS, Money};

/// The window, and the views of the bill that say something else.
pub(super) fn section(bill: &Bill, warmed_up: bool) -> Markup {
    let views = views(bill);
    let places = text::places(bill.total);
    html! {
        p.note {
            "From " (moment(bill.from_unix_ms)) " to " (moment(bill.to_unix_ms)) " UTC, "
            (words::length((bill.to_unix_ms - bill.from_unix_ms) as f64 / HOUR_MS as f64))
            @if warmed_up { ", without the warm-up" }
            "."
            @if views.is_empty() {
                " Net, list and cash are the same: there are no commitments, no Spot and no discounts."
            }
        }
        @if !views.is_empty() {
            table {
                caption { "One bill, counted in several ways; everything below takes the first apart" }
                tbody {
                    tr.sum { th scope="row" { "net" small { "commitments amortised by the hour, used or not" } }
                        td.n { (text::usd(bill.total, places)) } }
                    @for (name, meaning, amount) in &views {
                        tr { th scope="row" { (name) small { (meaning) } }
                            td.n { (text::usd(*amount, places)) } }
                    }
                }
            }
        }
    }
}

/// Other ways to count, where they differ from the net bill or from each
/// other: name, meaning, amount.
fn views(bill: &Bill) -> Vec<(&'static str, &'static str, Money)> {
    let (least, _) = bill.bounds();
    let list = if bill.has_discounts() {
        "the same usage without commitments, after negotiated discounts"
    } else {
        "the same usage without commitments"
    };
    let view = |differs: bool, name, meaning, amount| differs.then_some((name, meaning, amount));
    [
        view(
            bill.cash_total != bill.total,
            "cash",
            "what falls due in this time, payments for commitments included",
            bill.cash_total,
        ),
        view(
            least != bill.total,
            "if nothing stayed unused",
            "other usage of the payer takes what this leaves",
            least,
        ),
        view(bill.list_total != bill.total, "list", list, bill.list_total),
        view(
            bill.on_demand_total != bill.list_total,
            "On-Demand",
            "as list, with Spot at On-Demand prices",
            bill.on_demand_total,
        ),
        view(
            bill.has_discounts(),
            "before discounts",
            "as list, at AWS's public prices",
            bill.list_total + bill.discount_saving,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `2026-07-06 06:00`; seconds where there are any.
fn moment(unix_ms: i64) -> String {
    let format = if unix_ms % 60_000 == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    Timestamp::from_millisecond(unix_ms)
        .map(|at| at.strftime(format).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().expect("money")
    }

    #[test]
    fn views_are_those_that_differ() {
        let mut bill = Bill {
            total: money("10"),
            cash_total: money("10"),
            list_total: money("10"),
            on_demand_total: money("10"),
            ..Bill::default()
        };
        let names = |bill: &Bill| views(bill).iter().map(|v| v.0).collect::<Vec<_>>();
        assert!(names(&bill).is_empty());
        bill.on_demand_total = money("14");
        assert_eq!(names(&bill), ["On-Demand"]);
        bill.list_total = money("12");
        bill.cash_total = money("9");
        bill.discount_saving = money("0.5");
        assert_eq!(names(&bill), ["cash", "list", "On-Demand", "before discounts"]);
        assert_eq!(views(&bill)[3].2, money("12.5"));
        let html = section(&bill, true).into_string();
        assert!(
            html.contains("1970-01-01 00:00 to 1970-01-01 00:00 UTC, 0\u{A0}s, without"),
            "{html}"
        );
    }
}
