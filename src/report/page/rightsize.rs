//! Rightsizing on the report: three currencies and why they differ, the edits
//! that matter, what is not advised.

use maud::{Markup, html};

use super::super::charts::{Amount, Bar, Ink, waterfall};
use super::super::figures::Figure;
use super::super::rightsize::{
    Reason, change, freed, label, names, places, pools, reasons, risk, sets,
};
use super::super::{patches, text};
use super::{code, figure, named};
use crate::advise::{FittedRow, Rightsized, SERVES_LESS};
use crate::scenario::patch::written;
use crate::units::{HOUR_MS, Money};
use crate::workload::WorkloadKind;
use crate::workload::rightsize::{Advice, Resource, quantity, usage_quantity};

/// Edits in the table.
const EDITS: usize = 25;
/// Names listed with a reason or a freed node.
const NAMES: usize = 8;

/// What the three currencies are called.
const CURRENCIES: [&str; 3] = ["request-dollars", "node-dollars", "cash after commitments"];

/// Saved a month; `None` where it is withheld.
fn amounts(it: &Rightsized) -> [Option<Money>; 3] {
    let total = it.total;
    [Some(total.request), it.billed(total.node), it.billed(total.cash)]
        .map(|m| m.map(|m| it.monthly(m)))
}

/// The chart: three amounts, one above the other.
pub(in crate::report) fn chart(it: &Rightsized) -> Figure {
    let inks = [Ink::GREY, Ink::SKY, Ink::BLUE];
    let bars: Vec<Bar> = CURRENCIES
        .iter()
        .zip(amounts(it))
        .zip(inks)
        .filter_map(|((label, amount), ink)| {
            Some(Bar { label: (*label).to_owned(), ink, amount: Amount::Total(amount?) })
        })
        .collect();
    let title = "Saved a month, in three currencies".to_owned();
    Figure::new("rightsizing".to_owned(), title, move |look, title| {
        waterfall(look, title, false, &[], &bars)
    })
}

/// The section.
pub(super) fn section(it: &Rightsized) -> Markup {
    let places = places(it);
    let money = |m: Money| text::usd(it.monthly(m), places);
    let billed = |m: Money| it.billed(m).map_or_else(|| "–".to_owned(), money);
    let shown = amounts(it);
    let said = shown
        .map(|m| m.map_or_else(|| format!("withheld ({SERVES_LESS})"), |m| text::usd(m, places)));
    let hours = it.window_ms as f64 / HOUR_MS as f64;
    let edits = it.edits().count();
    let size = |m: Money| if m < Money::ZERO { Money::ZERO - m } else { m };
    let moved = |m: Money, less: &str, more: &str| {
        if m == Money::ZERO {
            return "as much as today".to_owned();
        }
        let word = if m < Money::ZERO { more } else { less };
        format!("{} {word}", text::usd(size(m), places))
    };
    html! {
        p.lead {
            "New requests for " (edits) " of " (it.rows.len()) " sets of pods look worth "
            (said[0]) " a month. "
            @if let Some(why) = it.withheld() {
                strong { "They save nothing: what the machines cost is withheld, "
                    (text::name(&why)) "." }
            }
            @if let [_, Some(node), Some(cash)] = shown {
                "The machines would cost " (moved(node, "less", "more")) "; the invoice "
                @if cash == Money::ZERO { strong { "stays as it is" } "." } @else {
                    @if cash < Money::ZERO { "rises" } @else { "falls" } " by "
                    strong { (text::usd(size(cash), places)) } "."
                }
            }
        }
        ul.tiles { @for (name, amount) in CURRENCIES.iter().zip(&said) {
            li { b { (amount) } span { (name) ", saved a month" } }
        } }
        (figure(&chart(it)))
        div.scroll tabindex="0" role="region" aria-label="Three currencies" { table {
            caption { "Why the three differ" }
            thead { tr { th scope="col" { "currency" } th.n scope="col" { "saved a month" }
                th scope="col" { "why" } } }
            tbody { @for ((name, amount), why) in CURRENCIES.iter().zip(&said).zip(it.reasons()) { tr {
                th scope="row" { (name) } td.n { (amount) } td { (text::name(&why)) "." }
            } } }
        } }
        p.note {
            "Exact bills of seed " (it.seed) " over " (text::grouped(hours, usize::from(hours.fract() != 0.0)))
            " h" @if it.extrapolated { ", scaled to a month of 730 h although that is no whole number of weeks" }
            @else { ", scaled to a month of 730 h" }
            ": " (named(&it.baseline)) " against " (named(&it.case)) ". A vCPU costs "
            (it.prices.vcpu_hour) " USD an hour in today's cluster, a GiB " (it.prices.gib_hour)
            ", its nodes' list prices spread over what they have. Requests: cpu "
            (it.policy.cpu) ", memory " (it.policy.memory) "."
        }
        (whole_nodes(it))
        (top_edits(it, &money, &billed))
        (withheld(it))
    }
}

fn whole_nodes(it: &Rightsized) -> Markup {
    let whole = &it.whole_nodes;
    html! {
        h3 { "Which nodes can go" }
        @if it.pools.is_empty() && !it.elastic { p { "Nothing in this cluster is a node that could go." } }
        @for line in pools(it) { p { (text::name(&line)) "." } }
        @if !it.pools.is_empty() {
            p.note { "A fixed pool does not shrink by itself. How many nodes it needs was found by \
                simulation: with fewer, some pod would wait a minute longer than today, or not run \
                at all, with one seed at least. One pool after another was tried, the dearest first; a node that must stay \
                for other reasons is told with " (code("--keep-pool")) "." }
        }
        @if whole.freed.is_empty() {
            p { "No set of these edits frees a whole node beyond what today's requests leave free." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Edits that free nodes" { table {
                caption { "Smallest sets of edits that free whole nodes; each leaves out what it does not need" }
                thead { tr { th scope="col" { "frees" } th.n scope="col" { "edits" }
                    th scope="col" { "of" } th.n scope="col" { "list cost a month" } } }
                tbody { @for node in sets(it) { tr {
                    th scope="row" { (text::name(&freed(it, node))) }
                    td.n { (node.edits.len()) }
                    td { (text::name(&names(it, &node.edits, NAMES))) }
                    td.n { (text::usd(it.monthly(node.list), places(it))) }
                } } }
            } }
        }
        @if whole.cut_off {
            p.note { "The search ended after " (whole.trials) " simulations; larger sets were not tried." }
        }
    }
}

fn top_edits(
    it: &Rightsized,
    money: &dyn Fn(Money) -> String,
    billed: &dyn Fn(Money) -> String,
) -> Markup {
    let patched = patches::patches(it);
    let all = it.edits().count();
    let edits: Vec<&FittedRow> =
        it.notable(EDITS).into_iter().filter(|row| row.fitting.is_edit()).collect();
    let share = |s: Option<f64>| s.map_or_else(|| "–".to_owned(), text::percent);
    let used = |a: &Advice| {
        a.quantiles.map_or_else(
            || "unknown".to_owned(),
            |q| {
                format!(
                    "p50 {}, p95 {}, max {}",
                    usage_quantity(a.resource, q.p50),
                    usage_quantity(a.resource, q.p95),
                    usage_quantity(a.resource, q.max)
                )
            },
        )
    };
    html! {
        h3 { "The edits" }
        @if edits.is_empty() { p { "No request changes." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Edits" { table.wide-first {
                caption { "Those that move most request-dollars, up or down; risk is the share of the time above the new request (means of cpu, peaks of memory)" }
                thead { tr {
                    th scope="col" { "workload, exact settings and usage" }
                    th.n scope="col" { "request" } th.n scope="col" { "node" } th.n scope="col" { "cash" }
                    th.n scope="col" { "risk" }
                } }
                tbody {
                    @for row in &edits { tr {
                        th scope="row" { (named(&label(row))) " "
                            span.note { "× " (text::mean_count((row.mean_pods * 10.0).round() / 10.0)) }
                            @for resource in Resource::ALL {
                                @let a = row.fitting.advice(resource);
                                @if a.is_edit() { div { (code(&setting(row, resource)))
                                    small { "used " (used(a))
                                        @if let Some(above) = a.above_current.filter(|s| *s > 0.0) {
                                            "; above today's request " (text::percent(above)) " of the time" }
                                        @for caution in &a.cautions { "; " (caution.code()) }
                                    } } }
                            } }
                        td.n { (money(row.saved.request)) }
                        td.n { (billed(row.saved.node)) }
                        td.n { (billed(row.saved.cash)) }
                        td.n { (share(risk(row))) }
                    } }
                    tr.sum { th scope="row" { "everything, with what is not listed" }
                        td.n { (money(it.total.request)) } td.n { (billed(it.total.node)) }
                        td.n { (billed(it.total.cash)) } td {} }
                }
            } }
            @if all > edits.len() { p { (all - edits.len()) " more edits are in "
                (code("rightsize.csv")) "." } }
            p.note { (patched.files.len()) " patches for " (code("kubectl")) " are in "
                (code("patches/")) @if !patched.uncovered.is_empty() { "; " (patched.uncovered.len())
                " edits change pods of traces, which no object stands for" } ". Node-dollars and cash are a \
                workload's share of the whole bill, idle capacity distributed: a workload that was left \
                alone may pay more for what others left free." }
        }
    }
}

/// The line of the scenario that changes.
fn setting(row: &FittedRow, resource: Resource) -> String {
    let fitting = &row.fitting;
    let place = match fitting.kind {
        WorkloadKind::Service => "service.requests",
        WorkloadKind::Daemon => "daemonset.requests",
        WorkloadKind::Batch => "trace",
    };
    let a = fitting.advice(resource);
    let raised = a.request.is_ok_and(|new| a.current.request.is_none_or(|now| new > now));
    let mark = if raised { " (raised)" } else { "" };
    let limit = if a.limit == a.current.limit {
        String::new()
    } else {
        format!(", limit {} → {}", quantity(resource, a.current.limit), quantity(resource, a.limit))
    };
    let name = written(&fitting.workload);
    format!("workload.{name}.{place}.{}: {}{limit}{mark}", resource.name(), change(a))
}

fn withheld(it: &Rightsized) -> Markup {
    let reasons = reasons(it);
    html! {
        @if !reasons.is_empty() || !it.left_out.is_empty() {
            h3 { "What is not advised" }
            div.scroll tabindex="0" role="region" aria-label="Withheld" { table {
                caption { "These requests stay as they are" }
                thead { tr { th scope="col" { "reason" } th.n scope="col" { "requests" }
                    th scope="col" { "of" } th scope="col" { "remedy" } } }
                tbody {
                    @for Reason { code, remedy, of: list } in &reasons { tr {
                        th scope="row" { (code) }
                        td.n { (list.len()) }
                        td { @for (i, (name, resource, found)) in list.iter().take(NAMES).enumerate() {
                            @if i > 0 { ", " } (named(name)) " " (resource.name()) " (" (found) ")" }
                            @if list.len() > NAMES { " and " (list.len() - NAMES) " more" } }
                        td { (remedy) }
                    } }
                    @if !it.left_out.is_empty() { tr {
                        th scope="row" { "left out" } td.n { (it.left_out.len()) }
                        td { (text::name(&it.left_out.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ")))
                            @if it.left_out.len() > NAMES { " and more" } }
                        td { "by the scenario" }
                    } }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::charts::tests::{EVIL, assert_well_formed};
    use super::super::super::rightsize::sample::rightsized;
    use super::*;
    use crate::advise::Undone;

    #[test]
    fn the_section_says_what_is_saved_and_why() {
        let page = section(&rightsized("web")).into_string();
        for words in [
            "workload.web.service.requests.cpu: 500m → 230m, limit 1 → 460m",
            "workload.web.service.requests.memory: 1Gi → 1536Mi, limit 2Gi → 3Gi (raised)",
            "Part of what is no longer used was committed",
            "Fixed pool workers: 5 nodes today; today&#39;s requests need 5, the new ones 4",
            "oom-risk",
            "2 patches",
        ] {
            let plain = page.replace("&#39;", "'");
            assert!(plain.contains(&words.replace("&#39;", "'")), "{words}\n{page}");
        }
    }

    #[test]
    fn a_cluster_that_does_less_saves_nothing() {
        let mut it = rightsized("web");
        let text = "web: 10 pods more than today find no place".to_owned();
        it.undone = vec![Undone { workload: "web".to_owned(), pods: 10.0, text }];
        let page = section(&it).into_string();
        for words in ["They save nothing", "withheld (serves-less)", "web: 10 pods"] {
            assert!(page.contains(words), "{words}\n{page}");
        }
        // 11 and 3.5 of 168 h would be 48 and 15 a month.
        assert!(!page.contains("$47.80") && !page.contains("$15.21"), "{page}");
        assert!(section(&rightsized("web")).into_string().contains("$15.21"));
    }

    #[test]
    fn names_cannot_break_out() {
        let mut it = rightsized(EVIL);
        it.undone = vec![Undone { workload: EVIL.into(), pods: 1.0, text: EVIL.into() }];
        let page = section(&it).into_string();
        assert!(!page.contains("<script>") && !page.contains('\u{202E}'));
        let page = section(&rightsized(EVIL)).into_string();
        assert!(!page.contains("<script>") && !page.contains('\u{202E}'));
        assert_well_formed(&format!("<div>{page}</div>"));
    }
}
