//! What commitments did: covered, used, unused, and what more or fewer of them
//! would have cost.

use maud::{Markup, html};

use super::super::super::money_figures::{by_commitment, coverage, utilisation};
use super::super::super::text;
use super::super::{figure, named};
use crate::bill::Bill;
use crate::bill::commitments::CommitmentStudy;

/// Charts and the table of each commitment.
pub(super) fn section(
    name: &dyn Fn(&str) -> String,
    title: &str,
    bill: &Bill,
    study: &CommitmentStudy,
) -> Markup {
    html! {
        (said(bill))
        @if let Some(chart) = coverage(name("coverage"), title, study) { (figure(&chart)) }
        (figure(&utilisation(name("utilisation"), title, study)))
        (table(bill))
    }
}

fn said(bill: &Bill) -> Markup {
    let (commitment, places) = (&bill.commitment, text::places(bill.total));
    html! {
        @if let (Some(used), coverage) = (commitment.utilisation(), commitment.coverage()) {
            p { (text::usd(commitment.committed(), places)) " committed, "
                (text::percent(used)) " of it used"
                @if commitment.other_usage { " (" (text::usd(commitment.used_by_others(), places))
                    " by other usage of the payer, which this bill leaves out)" }
                @if let Some(coverage) = coverage { ", covering " (text::percent(coverage))
                    " of what commitments may cover, at On-Demand prices" }
                "." }
        }
    }
}

fn table(bill: &Bill) -> Markup {
    let places = text::places(bill.total);
    let others = bill.commitment.other_usage;
    html! {
        div.scroll tabindex="0" role="region" aria-label="Commitments" {
            table {
                caption { "Each commitment in the simulated window. Saved: what it covered would have \
                    cost On-Demand, less what it costs, used or not" @if others {
                    ", without what others used of it" } }
                thead { tr { th scope="col" { "commitment" } th.n scope="col" { "committed" }
                    th.n scope="col" { "used" }
                    @if others { th.n scope="col" { "used by others" } }
                    th.n scope="col" { "unused" }
                    th.n scope="col" { "utilisation" } th.n scope="col" { "covered" }
                    th.n scope="col" { "saved" } } }
                tbody {
                    @for c in &bill.commitment.each {
                        tr { th scope="row" { (named(&c.name)) }
                            td.n { (text::usd(c.committed, places)) }
                            td.n { (text::usd(c.used, places)) }
                            @if others { td.n { (text::usd(c.used_by_others, places)) } }
                            td.n { (text::usd(c.unused, places)) }
                            td.n { (text::share(c.used + c.used_by_others, c.committed)) }
                            td.n { (text::usd(c.covered_on_demand, places)) }
                            td.n { (text::signed_usd(c.covered_on_demand - c.charged(), places)) } }
                    }
                }
            }
        }
    }
}

/// The bill with more or fewer commitments.
pub(super) fn sensitivity(
    name: String,
    title: &str,
    bill: &Bill,
    study: &CommitmentStudy,
) -> Markup {
    let places = text::places(bill.total);
    let now = study.at(100).unwrap_or_default();
    let at = |percent: u32| study.at(percent).map(|m| bill.total - now + m);
    html! {
        (figure(&by_commitment(name, title, bill, study)))
        @if let (Some(none), Some(half), Some(more)) = (at(0), at(50), at(150)) {
            p { "Without commitments the bill would be " (text::usd(none, places))
                ", with half of each " (text::usd(half, places))
                ", with half as much again " (text::usd(more, places)) "." }
        }
    }
}
