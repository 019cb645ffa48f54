//! The verdict in words: labelled pieces that the terminal and the report
//! print alike.

use std::fmt::Write as _;

use super::flips::Flip;
use super::service::Shortfall;
use super::verdict::{CaseVerdict, Resampled, Verdict, WorkloadVerdict};
use crate::observe::RejectReason;
use crate::sweep::{Estimate, GoalValue, Metric, Study};
use crate::units::Money;

/// A labelled statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is about, one or two words.
    pub label: &'static str,
    /// The statement, without a full stop.
    pub text: String,
}

/// Workloads that stand in scenario order; where there are more, the dearest
/// come first.
const LISTED: usize = 8;

impl Verdict {
    /// The verdict, most important first.
    #[must_use]
    pub fn pieces(&self, study: &Study) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut say = |label, text| pieces.push(Piece { label, text });
        let Some(chosen) = self.case(self.chosen) else { return pieces };
        say("choose", self.choice(study));
        say("cost", cost(chosen));
        if let (Some(saving), Some(share)) = (chosen.saving, chosen.saving_share) {
            say(
                "saving",
                format!(
                    "{} in the simulated window, {:.1} % against {}{}",
                    dollars(saving),
                    share * 100.0,
                    title(study, 0),
                    noise(&saving)
                ),
            );
        }
        say("service", service(chosen));
        if let Some(text) = conceivable(study, chosen) {
            say("bound", text);
        }
        if let Some(second) = &self.runner_up {
            let mut text = format!(
                "{} costs {} more{}",
                title(study, second.case),
                dollars(second.difference),
                noise(&second.difference)
            );
            if second.representative != Money::ZERO {
                let dollars = usd(second.representative.to_f64());
                append(&mut text, format_args!("; {dollars} of it is at representative prices"));
            }
            say("runner-up", text);
        }
        for case in self.passed_over() {
            say("passed over", format!("{}: {}", title(study, case.case), reasons(case)));
        }
        if !self.goals_met && !chosen.missed.is_empty() {
            say("goals", format!("no case meets every goal; the chosen one: {}", reasons(chosen)));
        }
        for case in &self.cases {
            for text in rejections(study, case.case) {
                say("rejected", text);
            }
        }
        for flip in &self.flips {
            say("would flip", flip_text(study, flip));
        }
        let (listed, rest) = self.dearest(LISTED);
        for workload in listed.into_iter().chain(rest) {
            say("workload", workload_text(study, workload));
        }
        say("intervals", self.interval_note().to_owned());
        pieces
    }

    /// What the intervals cover.
    #[must_use]
    pub fn interval_note(&self) -> &'static str {
        match self.days_resampled {
            _ if self.seeds < 2 => "one seed: no interval",
            Resampled::None => {
                "95 % over seeds: simulation noise only, not doubt about prices or demand"
            }
            Resampled::Some => {
                "95 % over seeds: simulation noise, in some cases with days resampled, not doubt \
                 about prices"
            }
            Resampled::All => {
                "95 % over seeds: days resampled, so they cover how days differ besides simulation \
                 noise, not doubt about prices or growth"
            }
        }
    }

    fn choice(&self, study: &Study) -> String {
        let name = title(study, self.chosen);
        if study.cases.len() == 1 {
            return format!("{name} (the only case)");
        }
        let among = match self.candidates.len() {
            1 if self.goals_met => "the only case that does the baseline's work within the goals",
            1 => "the only case that does the baseline's work",
            _ => "the cheapest case that does the baseline's work",
        };
        format!("{name}: {among}")
    }
}

/// How far compute is from the best conceivable.
fn conceivable(study: &Study, of: &CaseVerdict) -> Option<String> {
    let mean = |metric| Some(study.estimate(of.case, metric)?.mean);
    let (compute, bound) = (mean(Metric::ComputeList)?, mean(Metric::ComputeBound)?);
    (compute > 0.0).then(|| {
        format!(
            "at most {:.0} % of compute could still be saved by placing these pods otherwise on \
             what the pools may launch: {} before commitments, at least {}",
            (1.0 - bound / compute).max(0.0) * 100.0,
            usd(compute),
            usd(bound)
        )
    })
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("a String takes any text");
}

fn title(study: &Study, case: usize) -> &str {
    study.cases.get(case).map_or("", |c| if c.title.is_empty() { &c.name } else { &c.title })
}

/// USD for people: cents below 1,000 dollars, then whole dollars.
fn usd(value: f64) -> String {
    let places = if value.abs() < 1_000.0 { 2 } else { 0 };
    let amount = Money::from_pico((value.abs() * 1e12).round() as i128).human(places);
    let zero = amount.chars().all(|c| matches!(c, '0' | '.'));
    format!("{}${amount}", if value < 0.0 && !zero { "−" } else { "" })
}

fn dollars(e: Estimate) -> String {
    match e.half_width {
        Some(h) if h > 0.0 => format!("{} ± {}", usd(e.mean), usd(h)),
        _ => usd(e.mean),
    }
}

fn noise(e: &Estimate) -> &'static str {
    if e.within_noise() == Some(true) { " (within noise)" } else { "" }
}

fn cost(case: &CaseVerdict) -> String {
    let mut text = format!("{} in the simulated window", dollars(case.cost));
    if let Some(monthly) = case.monthly {
        let how = if case.monthly_extrapolated { ", extrapolated" } else { "" };
        text = format!("{} a month of 730 h{how}; {text}", dollars(monthly));
    }
    if let Some(list) = case.list {
        append(&mut text, format_args!("; list {}", dollars(list)));
    }
    text
}

fn count(e: Option<Estimate>) -> f64 {
    e.map_or(0.0, |e| e.mean)
}

fn service(case: &CaseVerdict) -> String {
    let pending = case
        .pending_p95
        .map_or_else(|| "no pods waited".to_owned(), |p| format!("pending p95 {:.1} s", p.mean));
    format!(
        "{pending}, {:.0} evictions, {:.0} interruptions, {:.1} core-hours repeated, {:.1} \
         core-hours unserved, {:.0} pods rejected",
        count(case.evictions),
        count(case.interruptions),
        count(case.repeated),
        count(case.unserved),
        count(case.rejected)
    )
}

/// Why a case is no candidate, or what it misses.
fn reasons(case: &CaseVerdict) -> String {
    let mut reasons: Vec<String> = case.shortfalls.iter().map(Shortfall::text).collect();
    for goal in &case.missed {
        let (value, target) = match goal.target {
            GoalValue::Seconds(s) => (format!("{:.1} s", goal.mean), format!("{s:.1} s")),
            GoalValue::Usd(m) => (usd(goal.mean), usd(m.to_f64())),
        };
        reasons.push(format!("goal {} is {value}, at most {target} wanted", goal.name));
    }
    reasons.join("; ")
}

/// Pods of a case that can never run, by workload and reason, in its first
/// seed.
fn rejections(study: &Study, case: usize) -> Vec<String> {
    let mut all = Vec::new();
    let Some(of) = study.cases.get(case) else { return all };
    let Some(outcome) = of.finished().next() else { return all };
    for workload in &outcome.workloads {
        for (name, n) in &workload.pods.rejected_by_reason {
            let why = match RejectReason::named(name) {
                Some(reason) => reason.text(),
                None => name.as_str(),
            };
            let pods = if *n == 1 { "pod" } else { "pods" };
            let case = title(study, case);
            all.push(format!("{case}: {n} {pods} of {}: {why}", workload.name));
        }
    }
    all
}

fn flip_text(study: &Study, flip: &Flip) -> String {
    // Near one, two digits would round to a price at which nothing flips.
    let digits = if (flip.factor - 1.0).abs() < 0.1 { 3 } else { 2 };
    let mut text = format!(
        "{} × {:.digits$}: {} is as cheap",
        flip.lever.label(),
        flip.factor,
        title(study, flip.case)
    );
    if let Some((now, then)) = flip.saving {
        append(&mut text, format_args!(" (Spot {}, now {})", against(then), against(now)));
    }
    text
}

/// A saving against On-Demand in words: prices may also lie above it.
fn against(saving: f64) -> String {
    let percent = saving * 100.0;
    if percent >= 0.0 {
        format!("{percent:.0} % below On-Demand")
    } else {
        format!("{:.0} % above On-Demand", -percent)
    }
}

fn workload_text(study: &Study, verdict: &WorkloadVerdict) -> String {
    if study.cases.len() == 1 {
        return format!("{}: {}", verdict.workload, dollars(verdict.cost));
    }
    let mut text = format!(
        "{}: cheapest as {}, {}",
        verdict.workload,
        title(study, verdict.case),
        dollars(verdict.cost)
    );
    if let Some(saving) = verdict.saving {
        append(&mut text, format_args!(", saves {}{}", dollars(saving), noise(&saving)));
    }
    text
}
