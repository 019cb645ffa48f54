//! What the study rests on: inputs, assumptions, warnings, method.

use maud::{Markup, html};

use super::super::text;
use super::{code, named};
use crate::advise::{Resampled, UNFINISHED_TOLERANCE, UNSERVED_TOLERANCE, Verdict};
use crate::sweep::{Assumption, Origin, Study};

/// More rows than this are folded away.
const FOLD: usize = 25;

/// Settings in a table at most: a scenario may have hundreds of workloads.
const SETTINGS: usize = 500;

/// What was noticed on the way.
pub(super) fn warnings(study: &Study) -> Option<Markup> {
    (!study.warnings.is_empty()).then(|| {
        html! {
            ul.plain { @for warning in &study.warnings {
                li { (code(warning.code)) " " bdi { (text::name(&warning.text)) } }
            } }
        }
    })
}

/// What the result rests on: values that nobody wrote down first, then those
/// of the scenario.
pub(super) fn assumptions(study: &Study) -> Option<Markup> {
    if study.assumptions.is_empty() {
        return None;
    }
    let (stated, assumed): (Vec<_>, Vec<_>) =
        study.assumptions.iter().partition(|a| a.origin == Origin::Scenario);
    Some(html! {
        p { "Settings of the baseline, by path, as " code { "--set" } " takes them." }
        @if !assumed.is_empty() {
            (folded(assumed.len(), "not stated in the scenario", settings(&assumed)))
        }
        @if !stated.is_empty() {
            details { summary { (stated.len()) " stated in the scenario" } (settings(&stated)) }
        }
    })
}

fn folded(rows: usize, what: &str, table: Markup) -> Markup {
    if rows > FOLD {
        html! { details { summary { (rows) " " (what) } (table) } }
    } else {
        table
    }
}

fn settings(settings: &[&Assumption]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Settings" {
            table {
                caption { "Values that decide the result, and who chose them" }
                thead { tr { th scope="col" { "setting" } th scope="col" { "value" }
                    th scope="col" { "origin" } th scope="col" { "why" } } }
                tbody { @for a in settings.iter().take(SETTINGS) { tr {
                    th scope="row" { (code(&a.path)) }
                    td { bdi { (text::name(&a.value)) } }
                    td { (a.origin.name()) }
                    td { bdi { (text::name(&a.note)) } }
                } } }
            }
        }
        @if settings.len() > SETTINGS {
            p.note { "And " (settings.len() - SETTINGS) " more: "
                (code("plimsoll check --print-effective")) " prints all." }
        }
    }
}

/// Files, prices, seeds, version.
pub(super) fn inputs(study: &Study) -> Markup {
    let seeds: Vec<String> = study.seeds.iter().map(u64::to_string).collect();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Input files" {
            table {
                caption { "Files that decided the result" }
                thead { tr { th scope="col" { "file" } th scope="col" { "SHA-256" } } }
                tbody { @for input in &study.inputs { tr {
                    th scope="row" { (code(&input.path)) }
                    td { span.mono { (text::name(&input.sha256)) } }
                } } }
            }
        }
        table {
            caption { "Circumstances" }
            tbody {
                @for (table, date) in &study.price_dates {
                    tr { th scope="row" { "prices, " (named(table)) } td { (text::name(date)) } }
                }
                @if !study.region.is_empty() { tr { th scope="row" { "Region" } td { (text::name(&study.region)) } } }
                tr { th scope="row" { "seeds" } td { (seeds.join(", ")) } }
                tr { th scope="row" { "version" } td { "plimsoll " (study.plimsoll_version) } }
            }
        }
    }
}

/// What the figures mean and what they do not cover.
pub(super) fn method(study: &Study, verdict: Option<&Verdict>) -> Markup {
    let share = |v: f64| format!("{} %", text::grouped(v * 100.0, 1));
    html! {
        p { "Every case was simulated in virtual time, pod by pod and node by node, with "
            @if study.seeds.len() == 1 { "one seed" } @else { (study.seeds.len()) " seeds" }
            ". Cases share their random numbers: with the same seed, the same Spot capacity is \
            reclaimed and nodes boot equally fast, so a difference between cases is a difference \
            between their settings." }
        p { "Intervals are two-sided 95 % Student-t intervals over seeds. They cover simulation "
            @match verdict.map_or(Resampled::None, |v| v.days_resampled) {
                Resampled::None => {
                    "noise only: not prices that change, not demand that differs from the input"
                }
                Resampled::Some => {
                    "noise, and where a case resamples its days also how they differ: not prices \
                     that change, not demand unlike any day of the input"
                }
                Resampled::All => {
                    "noise and, since the days of the input are resampled for each seed, how they \
                     differ: not prices that change, not demand unlike any of these days"
                }
            }
            ", not what the simulation leaves out."
            @if verdict.is_some_and(|v| v.seeds < 2) { " With one seed there is no interval." } }
        p { "A case that does less work is never called cheaper. It is passed over when it rejects \
            pods that the baseline runs, leaves more than " (share(UNSERVED_TOLERANCE)) " more of a \
            service's demand unserved, or leaves more than " (share(UNFINISHED_TOLERANCE)) " more of \
            a batch workload's pods unfinished." }
        p { "Pending is the time from submission until a pod has a place, over every pod submitted \
            after the warm-up, replacements included; pods that still waited at the end count with \
            their wait so far. Pods evicted lost their node to scaling, pods interrupted lost it to \
            Spot." }
        p { "Money is counted exactly. A bill is the sum of its lines; waterfall and bridge add up \
            to it to the last digit. The cost of a node is split between cpu and memory, then by \
            what held them. \"Used\" counts at most the request; where nobody knows what pods used, \
            their requests are shown as such. A month has 730 hours; it is an extrapolation unless \
            whole weeks were simulated." }
    }
}
