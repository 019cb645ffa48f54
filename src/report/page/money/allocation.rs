//! Whose money it is: workloads and namespaces, alone and with their part of
//! what is shared.

use maud::{Markup, html};

use super::super::super::money_figures::{by_workload, loaded};
use super::super::super::text;
use super::super::{figure, named};
use super::adding_up;
use crate::bill::Bill;
use crate::units::Money;

/// Workloads as a chart and a table; namespaces folded.
pub(super) fn section(name: String, title: &str, bill: &Bill) -> Markup {
    let namespaces: Vec<(Markup, Vec<Markup>, Money)> = bill
        .by_namespace
        .iter()
        .filter(|(_, m)| **m != Money::ZERO)
        .map(|(n, m)| (named(n), Vec::new(), *m))
        .collect();
    html! {
        (figure(&by_workload(name, title, bill)))
        (table(bill))
        details {
            summary { "By namespace" }
            (adding_up("What pods of each namespace requested, and what nobody did", "namespace", &[], &namespaces, bill.total))
        }
    }
}

/// What a workload costs by itself, what it bears of the rest, and both.
fn table(bill: &Bill) -> Markup {
    let places = text::places(bill.total);
    let direct = |name: &str| bill.by_workload.get(name).copied().unwrap_or_default();
    let only_direct = bill
        .by_workload
        .iter()
        .filter(|(n, m)| !bill.fully_loaded_by_workload.contains_key(*n) && **m != Money::ZERO)
        .map(|(n, _)| (n.as_str(), Money::ZERO));
    let rows: Vec<(&str, Money)> = loaded(bill)
        .into_iter()
        .filter(|(n, m)| *m != Money::ZERO || direct(n) != Money::ZERO)
        .chain(only_direct)
        .collect();
    let columns = [
        rows.iter().map(|(n, _)| direct(n)).collect::<Vec<_>>(),
        rows.iter().map(|r| r.1).collect(),
    ];
    let [direct, full] = columns.each_ref().map(|c| text::adding_up(Money::ZERO, c, places));
    html! {
        div.scroll tabindex="0" role="region" aria-label="Cost by workload" {
            table {
                caption { "What pods of each workload requested, and the same with what is shared: \
                    free capacity, system, unused commitment and fees go to the workloads of their pool" }
                thead { tr { th scope="col" { "workload" } th.n scope="col" { "its own" }
                    th.n scope="col" { "of what is shared" } th.n scope="col" { "fully loaded" }
                    th.n scope="col" { "share" } } }
                tbody {
                    @for (((name, exact), own), full) in rows.iter().zip(&direct).zip(&full) {
                        tr { th scope="row" { (named(name)) }
                            td.n { (text::usd(*own, places)) }
                            td.n { (text::signed_usd(*full - *own, places)) }
                            td.n { (text::usd(*full, places)) }
                            td.n { (text::share(*exact, bill.total)) } }
                    }
                    tr.sum { th scope="row" { "total" }
                        td.n { (text::usd(direct.iter().copied().sum(), places)) }
                        td.n { (text::signed_usd(Money::ZERO, places)) }
                        td.n { (text::usd(full.iter().copied().sum(), places)) }
                        td.n { (text::share(bill.total, bill.total)) } }
                }
            }
        }
    }
}
