//! What the verdict rests on: every dollar of difference, the price levels that
//! would flip it, the settings to change.

use maud::{Markup, html};

use super::super::figures::{Bridge, bridge_ends, bridge_figure};
use super::super::{text, words};
use super::{figure, named};
use crate::advise::{Flip, MAX_FACTOR, Verdict};
use crate::sweep::{Change, Study};
use crate::units::Money;

/// The bridge that explains the verdict, then those to the other cases.
pub(super) fn section(study: &Study, verdict: &Verdict) -> Option<Markup> {
    let (from, to) = bridge_ends(verdict)?;
    let table = table(study, from, to)?;
    let seed = study.seeds.first().map(u64::to_string).unwrap_or_default();
    let others: Vec<(String, Markup)> = (1..study.cases.len())
        .filter(|case| *case != to)
        .filter_map(|case| Some((words::title(study, case), self::table(study, 0, case)?)))
        .collect();
    Some(html! {
        p { "From the bill of " (named(&words::title(study, from))) " to that of "
            (named(&words::title(study, to))) ", charge by charge. These are the exact bills of seed "
            (seed) "; the verdict's figures are means over all seeds." }
        @if let Some(chart) = bridge_figure(study, from, to) { (figure(&chart)) }
        (table)
        @for (title, table) in &others {
            details { summary { "Bridge to " (named(title)) } (table) }
        }
    })
}

fn table(study: &Study, from: usize, to: usize) -> Option<Markup> {
    let bridge = Bridge::between(study, from, to)?;
    let places = bridge.places;
    let row = |name: Markup, shown: String, exact: Money, sum: bool| {
        html! {
            tr class=[sum.then_some("sum")] {
                th scope="row" { (name) }
                td.n { (shown) }
                td.n.exact { (exact) }
            }
        }
    };
    let difference = bridge.to - bridge.from;
    let written = bridge.steps.iter().map(|s| s.2).sum::<Money>();
    Some(html! {
        div.scroll tabindex="0" role="region" aria-label="Bridge" {
            table {
                caption { "Rounded so that the column adds up; exact amounts beside it" }
                thead { tr { th scope="col" { "charge" } th.n scope="col" { "USD" }
                    th.n.exact scope="col" { "exact USD" } } }
                tbody {
                    (row(named(&words::title(study, from)), text::usd(bridge.from, places), bridge.from, true))
                    @for (name, exact, written) in &bridge.steps {
                        (row(html! { (text::name(name)) }, text::signed_usd(*written, places), *exact, false))
                    }
                    (row(html! { "difference" }, text::signed_usd(written, places), difference, true))
                    (row(named(&words::title(study, to)), text::usd(bridge.to, places), bridge.to, true))
                }
            }
        }
    })
}

/// Price levels at which another case becomes as cheap; `None` where there is
/// nothing to flip to.
pub(super) fn flips(study: &Study, verdict: &Verdict) -> Option<Markup> {
    if verdict.candidates.len() < 2 {
        return None;
    }
    let none = ": neither EC2 On-Demand, Spot nor Fargate prices, nor those that are \
                representative instead of published";
    Some(flips_table(&verdict.flips, "case", none, "then as cheap", |case| {
        named(&words::title(study, case))
    }))
}

/// Levels that flip to another `what`, which `head` is over and `name` names;
/// where there are none, a sentence that ends in `none`.
pub(super) fn flips_table(
    flips: &[Flip],
    what: &str,
    none: &str,
    head: &str,
    name: impl Fn(usize) -> Markup,
) -> Markup {
    html! {
        @if flips.is_empty() {
            p { "No price level up to " (text::grouped(MAX_FACTOR, 0)) " times today's makes another "
                (what) " as cheap" (none) "." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Flips" {
                table {
                    caption { "Price levels at which another " (what) " costs the same" }
                    thead { tr { th scope="col" { "if" } th.n scope="col" { "change by" }
                        th scope="col" { (head) } } }
                    tbody { @for flip in flips { tr {
                        th scope="row" { (flip.lever.label()) }
                        td.n { (change(flip.factor)) }
                        td {
                            (name(flip.case))
                            @if let Some((now, then)) = flip.saving {
                                small { (spot(then)) " On-Demand, now " (text::percent(now)) " below" }
                            }
                        }
                    } } }
                }
            }
        }
        p.note { "Computed from the bills: what runs where is held fixed, and so are the rates of \
            commitments. Each lever moves alone." }
    }
}

/// What Spot costs against On-Demand, by what it saves.
fn spot(saving: f64) -> String {
    if saving >= 0.0 {
        format!("Spot {} below", text::percent(saving))
    } else {
        format!("Spot {} above", text::percent(-saving))
    }
}

fn change(factor: f64) -> String {
    let text = text::percent(factor - 1.0);
    if factor > 1.0 { format!("+{text}") } else { text }
}

/// What to write into the scenario, and by analogy into the cluster.
pub(super) fn settings(study: &Study, verdict: &Verdict) -> Markup {
    let changes =
        |case: usize| study.cases.get(case).map(|c| c.changes.as_slice()).unwrap_or_default();
    let others: Vec<usize> = (1..study.cases.len())
        .filter(|c| *c != verdict.chosen && !changes(*c).is_empty())
        .collect();
    html! {
        @if changes(verdict.chosen).is_empty() {
            p { "Nothing: " (named(&words::title(study, verdict.chosen))) " is what the scenario describes." }
        } @else {
            p { "From the baseline to " (named(&words::title(study, verdict.chosen))) ", by path of the scenario." }
            (diff(changes(verdict.chosen)))
        }
        @for case in others {
            details { summary { "Settings of " (named(&words::title(study, case))) } (diff(changes(case))) }
        }
    }
}

fn diff(changes: &[Change]) -> Markup {
    let line = |sign: char, path: &str, value: &str| {
        let value = text::lines(value);
        let path = text::name(path);
        // A block stands below its path, a value beside it.
        let separator = if value.contains('\n') { ":\n    " } else { ": " };
        format!("{sign} {path}{separator}{}", value.replace('\n', "\n    "))
    };
    html! {
        pre.diff { @for change in changes {
            @if let Some(from) = &change.from { del { bdi { (line('\u{2212}', &change.path, from)) } } }
            @if let Some(to) = &change.to { ins { bdi { (line('+', &change.path, to)) } } }
        } }
    }
}
