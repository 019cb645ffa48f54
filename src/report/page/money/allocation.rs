//! Whose money it is: workloads and namespaces, alone and with their part of
//! what is shared.

use maud::{Markup, html};

use super::super::super::money_figures::{by_workload, ranked};
use super::super::super::text;
use super::super::{code, figure, named};
use super::table::{by_owner, others, split};
use crate::bill::{Bill, UNALLOCATED};
use crate::units::Money;

/// Workloads as a chart and a table; namespaces and labels folded.
pub(super) fn section(name: String, title: &str, bill: &Bill) -> Markup {
    html! {
        (figure(&by_workload(name, title, bill)))
        (table(bill))
        details {
            summary { "By namespace" }
            (by_owner("What pods of each namespace requested, and what nobody did", "namespace",
                &bill.by_namespace, bill.total))
        }
        @for (by, groups) in [
            ("namespace", &bill.allocated_by_namespace),
            ("workload", &bill.allocated_by_workload),
        ] {
            @if !groups.is_empty() {
                details {
                    summary { "By " (by) ", allocated" }
                    p.note { (policy(&format!("allocation.by-{by}"))) "." }
                    (by_owner("Cost under the policy", by, groups, bill.total))
                }
            }
        }
        @for (label, groups) in &bill.by_label {
            details {
                summary { "By label " (named(label)) }
                p.note { (policy(&format!("allocation.by-label.{label}")))
                    "; pods without the label are " (code(UNALLOCATED)) "." }
                (by_owner("Cost by value of the label", label, groups, bill.total))
            }
        }
    }
}

/// Where the scenario states a policy.
fn policy(path: &str) -> Markup {
    html! { "Who bears free capacity, system, DaemonSets and shared cost is said in " (code(path)) }
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
    let rows: Vec<(&str, Money)> = ranked(&bill.fully_loaded_by_workload)
        .into_iter()
        .filter(|(n, m)| *m != Money::ZERO || direct(n) != Money::ZERO)
        .chain(only_direct)
        .collect();
    let (apart, rest) = split(&rows);
    let mut columns = [
        apart.iter().map(|(n, _)| direct(n)).collect::<Vec<_>>(),
        apart.iter().map(|r| r.1).collect(),
    ];
    let mut heads: Vec<(Markup, Money)> = apart.iter().map(|(n, m)| (named(n), *m)).collect();
    if !rest.is_empty() {
        let full = rest.iter().map(|r| r.1).sum();
        columns[0].push(rest.iter().map(|(n, _)| direct(n)).sum());
        columns[1].push(full);
        heads.push((others(rest.len()), full));
    }
    let [direct, full] = columns.each_ref().map(|c| text::adding_up(Money::ZERO, c, places));
    html! {
        div.scroll tabindex="0" role="region" aria-label="Cost by workload" {
            table {
                caption { "What pods of each workload requested, and the same with what is shared: free \
                    capacity, system, DaemonSets and fees of nodes go to the workloads of their pool, \
                    the control plane and unused commitment to all, in proportion to what is their own" }
                thead { tr { th scope="col" { "workload" } th.n scope="col" { "its own" }
                    th.n scope="col" { "of what is shared" } th.n scope="col" { "fully loaded" }
                    th.n scope="col" { "share" } } }
                tbody {
                    @for (((name, exact), own), full) in heads.iter().zip(&direct).zip(&full) {
                        tr { th scope="row" { (name) }
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
