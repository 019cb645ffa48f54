//! Where the money goes: the bill of a case taken apart along every axis on
//! which somebody can act. What became of it (waterfall), whose it is
//! (allocation), how it was bought, what commitments did, what it would be at
//! other Spot prices or commitments, and how far its prices can be trusted.
//!
//! Every table here is one bill, that of the first seed, and adds up to its
//! total; rounding is spread so that written columns add up too.

mod allocation;
mod commitments;
mod sensitivity;

use maud::{Markup, html};

use super::super::figures::{file_names, title_of};
use super::super::money_figures::{cost_over_time, waterfall_rows, where_it_went};
use super::super::money_words::{purchase_label, step_label};
use super::super::text;
use super::{figure, named};
use crate::advise::Verdict;
use crate::bill::{Bill, PriceStatus, PurchaseOption};
use crate::sweep::{CaseStudy, Study};
use crate::units::Money;

/// The chosen case open, the others folded; `None` where none was finished.
pub(super) fn section(study: &Study, verdict: Option<&Verdict>) -> Option<Markup> {
    let chosen = verdict.map_or(0, |v| v.chosen);
    let mut order: Vec<usize> = (0..study.cases.len()).collect();
    order.sort_by_key(|i| *i != chosen);
    let cases: Vec<(&CaseStudy, Markup)> = order
        .into_iter()
        .filter_map(|i| study.cases.get(i))
        .filter_map(|case| Some((case, of_case(study, case)?)))
        .collect();
    if cases.is_empty() {
        return None;
    }
    let seed = study.seeds.first().map(u64::to_string).unwrap_or_default();
    Some(html! {
        p.note { "The exact bill of seed " (seed) ". Every column adds up to it." }
        @for (i, (case, body)) in cases.iter().enumerate() {
            details open[i == 0] {
                summary { (named(&title_of(case))) }
                (body)
            }
        }
    })
}

fn of_case(study: &Study, case: &CaseStudy) -> Option<Markup> {
    let detail = case.detail.as_ref()?;
    let (bill, title) = (&*detail.bill, title_of(case));
    let name = file_names(study, case);
    Some(html! {
        (lead(bill))
        (figure(&where_it_went(name("waterfall"), &title, bill)))
        (waterfall(bill))
        h3 { "Whose it is" }
        (allocation::section(name("allocation"), &title, bill))
        h3 { "How it was bought" }
        (figure(&cost_over_time(name("cost"), &title, bill)))
        (bought(bill))
        @if let Some(study) = &detail.commitments {
            h3 { "What commitments did" }
            (commitments::section(&name, &title, bill, study))
        }
        @if let Some(body) = sensitivity::section(&name, &title, detail) {
            h3 { "What would change it" }
            (body)
        }
        h3 { "How far the prices can be trusted" }
        (statuses(bill))
    })
}

/// The largest parts in a sentence.
fn lead(bill: &Bill) -> Markup {
    let mut rows = waterfall_rows(bill);
    rows.sort_by_key(|r| std::cmp::Reverse(r.1));
    let said: Vec<String> = rows
        .iter()
        .take(3)
        .map(|(step, exact, _)| {
            format!("{} to {}", text::share(*exact, bill.total), step_label(*step).0)
        })
        .collect();
    html! {
        @if !said.is_empty() {
            p { "Of " (text::usd(bill.total, text::places(bill.total))) ", " (said.join(", ")) "." }
        }
    }
}

/// A table of amounts that add up to a bill: rows of (heading, further cells,
/// amount).
pub(super) fn adding_up(
    caption: &str,
    first: &str,
    more: &[&str],
    rows: &[(Markup, Vec<Markup>, Money)],
    total: Money,
) -> Markup {
    let places = text::places(total);
    let amounts: Vec<Money> = rows.iter().map(|r| r.2).collect();
    let written = text::adding_up(Money::ZERO, &amounts, places);
    let sum: Money = written.iter().copied().sum();
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { th scope="col" { (first) }
                    @for head in more { th scope="col" { (head) } }
                    th.n scope="col" { "USD" } th.n scope="col" { "share" }
                    th.n.exact scope="col" { "exact USD" } } }
                tbody {
                    @for ((head, cells, exact), written) in rows.iter().zip(&written) {
                        tr { th scope="row" { (head) }
                            @for cell in cells { td { (cell) } }
                            td.n { (text::usd(*written, places)) }
                            td.n { (text::share(*exact, total)) }
                            td.n.exact { (exact) } }
                    }
                    tr.sum { th scope="row" { "total" }
                        @for _ in more { td {} }
                        td.n { (text::usd(sum, places)) }
                        td.n { (text::share(total, total)) }
                        td.n.exact { (total) } }
                }
            }
        }
    }
}

fn waterfall(bill: &Bill) -> Markup {
    let rows: Vec<(Markup, Vec<Markup>, Money)> = waterfall_rows(bill)
        .into_iter()
        .map(|(step, exact, _)| {
            let (label, kind) = step_label(step);
            (html! { (label) }, vec![html! { (kind.meaning().0) }], exact)
        })
        .collect();
    adding_up("What became of each dollar", "step", &["kind"], &rows, bill.total)
}

fn bought(bill: &Bill) -> Markup {
    let rows: Vec<(Markup, Vec<Markup>, Money)> = PurchaseOption::ALL
        .into_iter()
        .filter_map(|p| {
            let amount = *bill.by_purchase.get(p.name())?;
            Some((html! { (purchase_label(p)) }, Vec::new(), amount))
        })
        .collect();
    adding_up("By purchase option", "purchase option", &[], &rows, bill.total)
}

fn statuses(bill: &Bill) -> Markup {
    let meaning = |status| match status {
        PriceStatus::Real => "read in a price list or bill",
        PriceStatus::Derived => "computed from such prices",
        PriceStatus::Representative => "typical, not quoted for this item: check before you sign",
        PriceStatus::Believed => "nobody has verified it; allowed by a flag",
        PriceStatus::Stated => "the scenario's own",
    };
    let rows: Vec<(Markup, Vec<Markup>, Money)> = PriceStatus::ALL
        .into_iter()
        .filter_map(|s| {
            let amount = *bill.by_price_status.get(s.name())?;
            Some((html! { (s.name()) }, vec![html! { (meaning(s)) }], amount))
        })
        .collect();
    adding_up("By status of the price", "status", &["what that means"], &rows, bill.total)
}
