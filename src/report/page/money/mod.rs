//! Where the money goes: the bill of a case taken apart along every axis on
//! which somebody can act. What became of it (waterfall), whose it is
//! (allocation), how it was bought, what commitments did, what it would be at
//! other Spot prices or commitments, and how far its prices can be trusted.
//!
//! Every table here is one bill, that of the first seed, and adds up to its
//! total; rounding is spread so that written columns add up too.

mod allocation;
mod commitments;
mod counted;
mod parts;
mod sensitivity;
mod table;

use maud::{Markup, html};

use super::super::figures::{file_names, title_of};
use super::super::money_figures::{cost_over_time, waterfall_rows, where_it_went};
use super::super::money_words::{purchase_label, step_label};
use super::super::text;
use super::{figure, named};
use crate::advise::Verdict;
use crate::bill::{Bill, Charge, PriceStatus, PurchaseOption, Step};
use crate::sweep::{CaseStudy, Study};
use crate::units::Money;
use table::{Row, adding_up};

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
        p.note { "The exact bills of seed " (seed) ", one for each case; every column adds up. Prices \
            are of the dates under " a href="#inputs" { "Inputs" } "." }
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
    let counted = counted::section(bill, detail.warmup.ms() > 0);
    let rows = waterfall_rows(bill);
    if rows.is_empty() && bill.commitment.each.is_empty() {
        return Some(html! { p { "Nothing was charged." } (counted) });
    }
    Some(html! {
        @if !rows.is_empty() { (lead(bill, &rows)) }
        (counted)
        @if let Some(parts) = parts::section(bill) { (parts) }
        (figure(&where_it_went(name("waterfall"), &title, bill)))
        (waterfall(bill, &rows))
        details { summary { "By charge" } (charges(bill)) }
        h3 { "Whose it is" }
        (allocation::section(name("allocation"), &title, bill))
        h3 { "How it was bought" }
        (figure(&cost_over_time(name("cost"), &title, bill)))
        (bought(bill))
        (commitments::section(study, case, detail, &name, &title))
        @if let Some(body) = sensitivity::section(&name, &title, detail) {
            h3 { "What would change it" }
            (body)
        }
        h3 { "How far the prices can be trusted" }
        (statuses(bill))
        @if has_representative(bill) && study.warnings.iter().any(|w| w.code == "representative-prices") {
            p.note { "Which prices are representative: " a href="#warnings" { "Warnings" } "." }
        }
    })
}

/// Whether a price of this bill stands for one that is not published.
fn has_representative(bill: &Bill) -> bool {
    let amount = bill.by_price_status.get(PriceStatus::Representative.name());
    amount.is_some_and(|amount| *amount != Money::ZERO)
}

/// The largest parts in a sentence.
fn lead(bill: &Bill, rows: &[(Step, Money, Money)]) -> Markup {
    let mut largest: Vec<(Step, Money)> = rows.iter().map(|r| (r.0, r.1)).collect();
    largest.sort_by_key(|r| std::cmp::Reverse(r.1));
    largest.truncate(3);
    html! {
        p { "Of " (text::usd(bill.total, text::places(bill.total)))
            @for (i, (step, amount)) in largest.iter().enumerate() {
                ", " (text::share(*amount, bill.total)) @if i == 0 { " went" }
                " to “" (step_label(*step).0) "”"
            }
            "." }
    }
}

fn waterfall(bill: &Bill, rows: &[(Step, Money, Money)]) -> Markup {
    let rows: Vec<Row> = rows
        .iter()
        .map(|(step, exact, _)| {
            let (label, kind) = step_label(*step);
            (html! { (label) }, vec![html! { (kind.meaning().0) }], *exact)
        })
        .collect();
    adding_up("What became of each dollar", "step", &["kind"], &rows, bill.total)
}

fn charges(bill: &Bill) -> Markup {
    let mut rows: Vec<Row> = Charge::ALL
        .into_iter()
        .filter_map(|c| Some((c, *bill.by_charge.get(c.name())?)))
        .filter(|(_, amount)| *amount != Money::ZERO)
        .map(|(charge, amount)| (html! { (charge.label()) }, Vec::new(), amount))
        .collect();
    rows.sort_by_key(|r| std::cmp::Reverse(r.2));
    adding_up("What AWS charges for", "charge", &[], &rows, bill.total)
}

fn bought(bill: &Bill) -> Markup {
    let rows: Vec<Row> = PurchaseOption::ALL
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
    let rows: Vec<Row> = PriceStatus::ALL
        .into_iter()
        .filter_map(|s| {
            let amount = *bill.by_price_status.get(s.name())?;
            Some((html! { (s.name()) }, vec![html! { (meaning(s)) }], amount))
        })
        .collect();
    adding_up("By status of the price", "status", &["what that means"], &rows, bill.total)
}
