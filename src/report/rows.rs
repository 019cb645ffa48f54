//! One row per case with the figures that decide: what the table, JSON, CSV
//! and Markdown of a run show.

use super::figures::title_of;
use super::{text, words};
use crate::advise::{CaseVerdict, Verdict};
use crate::sweep::{Estimate, Study};

/// A figure of a case.
pub(super) struct Figure {
    /// Stable key, its unit included.
    pub(super) key: &'static str,
    /// Heading for people.
    pub(super) heading: &'static str,
    /// The figure; `None` where there is none.
    pub(super) value: Option<Estimate>,
    /// For people.
    pub(super) text: String,
}

/// A case.
pub(super) struct Row {
    /// Its name in the scenario.
    pub(super) case: String,
    /// What to call it.
    pub(super) title: String,
    /// Whether it is the one to choose.
    pub(super) chosen: bool,
    /// Why it is not to be chosen, if anything but its price.
    pub(super) objections: Vec<String>,
    /// Its figures, the same for every row.
    pub(super) figures: Vec<Figure>,
}

/// Rows in the order of the scenario.
pub(super) fn rows(study: &Study, verdict: &Verdict) -> Vec<Row> {
    verdict
        .cases
        .iter()
        .filter_map(|found| {
            let case = study.cases.get(found.case)?;
            Some(Row {
                case: text::name(&case.name),
                title: title_of(case),
                chosen: found.case == verdict.chosen,
                objections: objections(found),
                figures: figures(found),
            })
        })
        .collect()
}

fn figures(of: &CaseVerdict) -> Vec<Figure> {
    let figure = |key, heading, value: Option<Estimate>, say: fn(Estimate) -> String| Figure {
        key,
        heading,
        value,
        text: words::or_dash(value, say),
    };
    let mut figures = vec![
        figure("cost_usd", "cost", Some(of.cost), words::usd),
        figure("list_usd", "list", of.list, |e| words::mean_usd(e.mean)),
        figure("compute_gap", "gap", of.compute_gap, |e| text::percent(e.mean)),
        figure("monthly_usd", "a month", of.monthly, |e| words::mean_usd(e.mean)),
        figure("saving_usd", "saving", of.saving, words::usd),
        figure("pending_p95_s", "wait p95", of.pending_p95, |e| text::seconds(e.mean)),
        figure("evicted", "evicted", of.evictions, |e| text::mean_count(e.mean)),
        figure("interrupted", "lost", of.interruptions, |e| text::mean_count(e.mean)),
        figure("unserved_core_hours", "unserved", of.unserved, |e| text::mean_count(e.mean)),
    ];
    // A share says more than dollars where there is room for one of them.
    if let Some(saving) = figures.iter_mut().find(|f| f.key == "saving_usd") {
        saving.text = of.saving_share.map_or_else(|| "–".to_owned(), text::percent);
    }
    figures
}

fn objections(of: &CaseVerdict) -> Vec<String> {
    let short = of.shortfalls.iter().map(|s| text::name(&s.text()));
    let missed = of.missed.iter().map(|g| format!("misses goal {}", text::name(&g.name)));
    short.chain(missed).collect()
}
