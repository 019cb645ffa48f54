//! The answer for programs and spreadsheets.

use serde_json::{Value, json};

use super::super::text;
use super::charts::charts;
use crate::advise::commit::{Commitments, PlanAdvice, Quantiles};
use crate::sweep::SCHEMA_VERSION;
use crate::{Error, Result};

/// Nine decimals: more than the search is sure of.
fn round(value: f64) -> Value {
    json!((value * 1e9).round() / 1e9)
}

fn optional(value: Option<f64>) -> Value {
    value.map_or(Value::Null, round)
}

/// What `-o` writes, as (path, text).
///
/// # Errors
/// None in practice: memory takes everything.
pub fn files(it: &Commitments) -> Result<Vec<(String, String)>> {
    let mut files = vec![
        ("commit.json".to_owned(), json(it)?),
        ("curves.csv".to_owned(), curves_csv(it)?),
        ("seeds.csv".to_owned(), seeds_csv(it)?),
    ];
    files.extend(charts(it));
    Ok(files)
}

/// Everything, with stable keys. Amounts of seeds are exact decimals.
pub(super) fn json(it: &Commitments) -> Result<String> {
    let advice = &it.advice;
    let quantiles = |of: Quantiles| {
        json!({
            "min": round(of.min),
            "p5": round(of.p5),
            "p50": round(of.p50),
            "p95": round(of.p95),
            "max": round(of.max),
        })
    };
    let band = it.band.as_ref().map(|band| {
        json!({
            "spread_points": band.spread_ppm as f64 / 10_000.0,
            "low_usd_per_hour": band.low,
            "high_usd_per_hour": band.high,
            "after_per_hour_low_discount": round(band.after_per_hour.0),
            "after_per_hour_high_discount": round(band.after_per_hour.1),
        })
    });
    let seeds: Vec<Value> = advice
        .seeds
        .iter()
        .map(|s| {
            json!({
                "seed": s.seed,
                "before": s.before.all,
                "after": s.after.all,
                "scenario_before": s.before.own,
                "scenario_after": s.after.own,
                "hindsight": s.hindsight,
                "exact": s.exact,
            })
        })
        .collect();
    let falls: Vec<Value> = advice
        .falls
        .iter()
        .map(|f| {
            json!({
                "usage_less": round(f.less),
                "saved_per_hour": round(f.saved_per_hour),
                "saved": round(f.saved),
                "utilisation": optional(f.utilisation),
            })
        })
        .collect();
    let alternatives: Vec<Value> = advice
        .alternatives
        .iter()
        .map(|a| {
            json!({
                "plan": a.candidate.label,
                "term": a.candidate.term,
                "payment": a.candidate.payment,
                "usd_per_hour": a.usd_per_hour,
                "upfront": a.candidate.upfront(a.usd_per_hour),
                "cost_per_hour": round(a.cost_per_hour),
                "representative": a.guessed,
            })
        })
        .collect();
    let answer = json!({
        "schema_version": SCHEMA_VERSION,
        "plimsoll_version": env!("CARGO_PKG_VERSION"),
        "scenario": it.scenario,
        "case": it.case,
        "status": if it.band.is_some() { "representative" } else { "advised" },
        "usd_per_hour": advice.committed_per_hour(),
        "plans": advice.plans.iter().map(plan).collect::<Vec<_>>(),
        "owned": it.owned,
        "window_hours": round(advice.hours),
        "list_per_hour": round(advice.list_per_hour),
        "before_per_hour": round(advice.before_per_hour),
        "after_per_hour": round(advice.after_per_hour),
        "scenario_before_per_hour": round(advice.own_per_hour.0),
        "scenario_after_per_hour": round(advice.own_per_hour.1),
        "other_usage": it.elsewhere.map(|other| json!({ "covered_first": other.first })),
        "saved": round(advice.saved()),
        "coverage": { "before": round(advice.coverage.0), "after": round(advice.coverage.1) },
        "utilisation": optional(advice.utilisation),
        "saved_by_seed": quantiles(advice.saved_by_seed()),
        "regret_by_seed": quantiles(advice.regret_by_seed()),
        "days_resampled": it.resampled,
        "seeds": seeds,
        "usage_falls": falls,
        "break_even_fall": optional(advice.break_even_fall),
        "alternatives": alternatives,
        "band": band,
        "curves_from_every_nth_hour": advice.stride,
    });
    let text = serde_json::to_string_pretty(&answer)
        .map_err(|e| Error::failed(format!("cannot write JSON: {e}")))?;
    Ok(format!("{text}\n"))
}

fn plan(plan: &PlanAdvice) -> Value {
    let candidate = &plan.candidate;
    json!({
        "plan": candidate.label,
        "term": candidate.term,
        "payment": candidate.payment,
        "usd_per_hour": plan.usd_per_hour,
        "upfront": candidate.upfront(plan.usd_per_hour),
        "utilisation": optional(plan.utilisation),
        "saved_by_first_dollar": round(plan.marginal.first),
        "saved_by_last_dollar": round(plan.marginal.last),
        "saved_by_next_dollar": round(plan.marginal.next),
        "scenario": candidate.lines(plan.usd_per_hour),
    })
}

fn write(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<String> {
    let failed = |e: csv::Error| Error::failed(format!("cannot write CSV: {e}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(header).map_err(failed)?;
    for row in rows {
        csv.write_record(&row).map_err(failed)?;
    }
    let bytes =
        csv.into_inner().map_err(|e| Error::failed(format!("cannot write CSV: {}", e.error())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn decimal(value: f64) -> String {
    format!("{value:.9}")
}

fn maybe(value: Option<f64>) -> String {
    value.map(decimal).unwrap_or_default()
}

/// A row per plan.
pub(super) fn plans_csv(it: &Commitments) -> Result<String> {
    let header = [
        "plan",
        "term",
        "payment",
        "usd_per_hour",
        "low_usd_per_hour",
        "high_usd_per_hour",
        "upfront_usd",
        "utilisation",
        "saved_by_first_dollar",
        "saved_by_last_dollar",
        "saved_by_next_dollar",
    ];
    let rows = it.advice.plans.iter().enumerate().map(|(index, plan)| {
        let of = |rates: Option<&Vec<crate::units::Rate>>| {
            rates.and_then(|r| r.get(index)).map(ToString::to_string).unwrap_or_default()
        };
        vec![
            text::csv_cell(&plan.candidate.label),
            plan.candidate.term.to_string(),
            plan.candidate.payment.to_string(),
            plan.usd_per_hour.to_string(),
            of(it.band.as_ref().map(|b| &b.low)),
            of(it.band.as_ref().map(|b| &b.high)),
            plan.candidate.upfront(plan.usd_per_hour).to_string(),
            maybe(plan.utilisation),
            decimal(plan.marginal.first),
            decimal(plan.marginal.last),
            decimal(plan.marginal.next),
        ]
    });
    write(&header, rows)
}

/// The curves over the commitment of each plan, the others as advised.
fn curves_csv(it: &Commitments) -> Result<String> {
    let header = ["plan", "usd_per_hour", "cost_per_hour", "coverage", "utilisation"];
    let rows = it.advice.plans.iter().flat_map(|plan| {
        plan.curve.iter().map(|point| {
            vec![
                text::csv_cell(&plan.candidate.label),
                decimal(point.usd_per_hour),
                decimal(point.cost_per_hour),
                decimal(point.coverage),
                maybe(point.utilisation),
            ]
        })
    });
    write(&header, rows)
}

/// What each seed costs.
fn seeds_csv(it: &Commitments) -> Result<String> {
    let header = [
        "seed",
        "before_usd",
        "after_usd",
        "hindsight_usd",
        "exact",
        "scenario_before_usd",
        "scenario_after_usd",
    ];
    let rows = it.advice.seeds.iter().map(|s| {
        vec![
            s.seed.to_string(),
            s.before.all.to_string(),
            s.after.all.to_string(),
            s.hindsight.to_string(),
            s.exact.to_string(),
            s.before.own.to_string(),
            s.after.own.to_string(),
        ]
    });
    write(&header, rows)
}
