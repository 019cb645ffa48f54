//! What commitments did: covered, used, unused, and what more or fewer of them
//! would have cost.

use maud::{Markup, html};

use super::super::super::money_figures::{by_commitment, coverage, utilisation};
use super::super::super::text;
use super::super::{code, command, figure, named};
use crate::bill::Bill;
use crate::bill::commitments::CommitmentStudy;
use crate::sweep::{CaseStudy, Detail, Study};
use crate::units::Money;

/// From this share of the bill on, what is not covered is worth a word.
const MATTERS: f64 = 0.05;

/// Coverage, utilisation and the table of each commitment; without any, what
/// they might cover.
pub(super) fn section(
    study: &Study,
    case: &CaseStudy,
    detail: &Detail,
    name: &dyn Fn(&str) -> String,
    title: &str,
) -> Markup {
    let bill = &*detail.bill;
    html! {
        @if let Some(commitments) = &detail.commitments {
            h3 { "What commitments did" }
            (said(bill))
            @if let Some(chart) = coverage(name("coverage"), title, commitments) { (figure(&chart)) }
            (figure(&utilisation(name("utilisation"), title, commitments)))
            (table(bill))
        }
        (uncovered(study, case, bill))
    }
}

/// Coverage and utilisation, with what each is a share of.
fn said(bill: &Bill) -> Markup {
    let (commitment, places) = (&bill.commitment, text::places(bill.total));
    let usd = |amount: Money| text::usd(amount, places);
    html! {
        @if let Some(used) = commitment.utilisation() {
            p { "Utilisation " (text::percent(used)) ": of " (usd(commitment.committed()))
                " committed" @if commitment.has_fee_discounts() { ", after negotiated discounts off fees" }
                ", " (usd(commitment.used())) " was used"
                @if commitment.other_usage { " here and " (usd(commitment.used_by_others()))
                    " by other usage of the payer, which this bill leaves out" }
                ". "
                @match commitment.coverage() {
                    Some(coverage) => {
                        "Coverage " (text::percent(coverage)) ": of " (usd(commitment.eligible_on_demand))
                        " that all EC2 and Fargate but Spot would cost On-Demand"
                        @if bill.has_discounts() { ", after negotiated discounts" }
                        ", commitments covered " (usd(commitment.covered_on_demand())) "."
                    }
                    None => { "Nothing ran that commitments may cover." }
                } }
        }
    }
}

/// What commitments may cover beyond what they do, and how to learn how much
/// of it pays.
fn uncovered(study: &Study, case: &CaseStudy, bill: &Bill) -> Markup {
    let commitment = &bill.commitment;
    let open = commitment.eligible_on_demand - commitment.covered_on_demand();
    let matters = open.share_of(bill.total).is_some_and(|share| share >= MATTERS);
    let command = matters.then(|| command::of_case("commit", &study.inputs, case)).flatten();
    html! {
        @if let Some(command) = command {
            p { (text::usd(open, text::places(bill.total)))
                " of On-Demand EC2 and Fargate is under no commitment: " (code(&command))
                " says how much of it to commit." }
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
        @if let Some(none) = at(0) {
            p { "Without commitments the bill would be " (text::usd(none, places)) "; "
                @match study.levels.iter().min_by_key(|l| l.1).filter(|l| Some(l.1) < study.at(100)) {
                    Some((0, _)) => { "none of the sizes drawn costs less." }
                    Some((percent, least)) => {
                        "of the sizes drawn, " (percent) " % of each costs least, "
                        (text::usd(bill.total - now + *least, places)) "."
                    }
                    None => { "none of the sizes drawn costs less than the commitments there are." }
                } }
        }
    }
}
