//! The report: one page, no scripts, nothing loaded from elsewhere.
//!
//! Verdict first, then what it rests on: workloads, bridge, what would flip it,
//! the settings to change; then the evidence, and at the end inputs,
//! assumptions and how all this was made. maud escapes every text; names pass
//! `text::name` and stand in `bdi`, so that none rearranges its neighbours.

mod appendix;
mod bridge;
mod command;
mod evidence;
mod money;
mod rightsize;
mod style;
mod sweep;
#[cfg(test)]
mod tests;
mod verdict;

pub use sweep::sweep_page;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts::Look;
use super::figures::Figure;
use super::{text, words};
use crate::advise::{Rightsized, Verdict};
use crate::sweep::Study;

/// The whole page.
#[must_use]
pub fn page(study: &Study, verdict: Option<&Verdict>) -> String {
    whole(study, verdict, None)
}

/// The whole page with what rightsizing comes to.
#[must_use]
pub fn rightsize_page(study: &Study, verdict: Option<&Verdict>, it: &Rightsized) -> String {
    whole(study, verdict, Some(("rightsizing", "Rightsizing", Some(rightsize::section(it)))))
}

/// The chart of a rightsizing as a file of its own: name and SVG.
#[must_use]
pub fn rightsize_chart(it: &Rightsized) -> (String, String) {
    let chart = rightsize::chart(it);
    (format!("{}.svg", chart.name), chart.draw(Look::FILE))
}

/// A section: anchor, heading, body where there is any.
type Section = (&'static str, &'static str, Option<Markup>);

fn whole(study: &Study, verdict: Option<&Verdict>, first: Option<Section>) -> String {
    let headline = verdict.map_or_else(
        || "No case was finished".to_owned(),
        |verdict| words::headline(study, verdict),
    );
    let mut sections: Vec<Section> = vec![
        ("workloads", "Workload by workload", verdict.and_then(|v| verdict::workloads(study, v))),
        (
            "bridge",
            "Where the difference comes from",
            verdict.and_then(|v| bridge::section(study, v)),
        ),
        ("flips", "What would flip the verdict", verdict.and_then(|v| bridge::flips(study, v))),
        ("settings", "What to change", verdict.map(|v| bridge::settings(study, v))),
        ("money", "Where the money goes", money::section(study, verdict)),
        ("evidence", "Evidence", Some(evidence::section(study, verdict))),
        ("warnings", "Warnings", appendix::warnings(study)),
        ("assumptions", "Assumptions", appendix::assumptions(study)),
        ("inputs", "Inputs", Some(appendix::inputs(study))),
        ("method", "How this was made", Some(appendix::method(study, verdict))),
    ];
    if let Some(first) = first {
        sections.insert(0, first);
    }
    let over = html! {
        bdi { (text::name(&study.scenario)) }
        @if !study.region.is_empty() { " · " (text::name(&study.region)) }
        @if let Some(window) = words::window(study) { " · " (window) " simulated" }
    };
    let alert = (!study.complete)
        .then_some("This study was interrupted: it covers only the cells that were finished.");
    let opening = verdict.map(|v| verdict::section(study, v));
    Shell { title: &headline, scenario: &study.scenario, version: &study.plimsoll_version }
        .page(&over, alert, opening, &sections)
}

/// What every page has around its sections.
struct Shell<'a> {
    /// The headline.
    title: &'a str,
    /// Name of the scenario.
    scenario: &'a str,
    /// Version of the program.
    version: &'a str,
}

impl Shell<'_> {
    /// The page: a line over the headline, what to know first, the opening,
    /// then sections by (anchor, heading, body) with links to them.
    fn page(
        &self,
        over: &Markup,
        alert: Option<&str>,
        opening: Option<Markup>,
        sections: &[(&str, &str, Option<Markup>)],
    ) -> String {
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                    meta name="generator" content={ "plimsoll " (self.version) };
                    title { (self.title) " – " (text::name(self.scenario)) }
                    style { (PreEscaped(style::style())) }
                }
                body {
                    header {
                        p.over { (over) }
                        h1 { (self.title) }
                    }
                    main {
                        @if let Some(alert) = alert { p.alert role="note" { (alert) } }
                        @if let Some(opening) = opening { (opening) }
                        nav aria-label="Sections" {
                            ul { @for (id, heading, _) in sections.iter().filter(|s| s.2.is_some()) {
                                li { a href={ "#" (id) } { (heading) } }
                            } }
                        }
                        @for (id, heading, body) in sections {
                            @if let Some(body) = body {
                                section aria-labelledby=(id) { h2 id=(id) { (heading) } (body) }
                            }
                        }
                    }
                    footer { p.note { "plimsoll " (self.version) } }
                }
            }
        };
        markup.into_string() + "\n"
    }
}

/// A chart at both widths; the style sheet shows one.
fn figure(figure: &Figure) -> Markup {
    html! {
        figure {
            figcaption { (figure.caption) }
            div.wide { (PreEscaped(figure.draw(Look::WIDE))) }
            div.narrow { (PreEscaped(figure.draw(Look::NARROW))) }
        }
    }
}

/// A name of the user's, kept apart from its neighbours' direction.
fn named(name: &str) -> Markup {
    html! { bdi { (text::name(name)) } }
}

/// A piece of settings or a path.
fn code(raw: &str) -> Markup {
    html! { code { bdi { (text::lines(raw)) } } }
}
