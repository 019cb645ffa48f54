//! The answer for people.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};

use super::super::terminal::wrapped;
use super::super::text;
use super::monthly;
use crate::advise::commit::{Advice, Commitments, Elsewhere, PlanAdvice};
use crate::catalog::{Payment, Term};
use crate::units::{Money, Percent, Rate};

/// Hours of the shortest term.
const YEAR: f64 = 8_760.0;
/// Characters of a case's name.
const NAME: usize = 30;
/// Characters of a plan's name: its figures take 54.
const PLAN: usize = 26;

/// No line longer than a terminal is wide.
pub(super) fn terminal(it: &Commitments) -> String {
    let rule = LineStyle::none().fill('─').junction('─');
    let style = presets::NOTHING.header_separator(rule);
    let mut out = String::new();
    for table in tables(it, style, text::name) {
        for line in table.lines() {
            let line = line.trim_end();
            out += line.strip_prefix(' ').unwrap_or(line);
            out.push('\n');
        }
        out.push('\n');
    }
    for (label, said) in remarks(it) {
        out += &wrapped(&said, &format!("{label:<11}"), &" ".repeat(11));
    }
    out.push('\n');
    out += &wrapped(&verdict(it), "", "");
    out + &lines(it)
}

/// Tables and sentences for a pull request.
pub(super) fn markdown(it: &Commitments) -> String {
    let mut out = text::markdown_cell(&verdict(it));
    out += "\n\n";
    let lines = lines(it);
    if !lines.is_empty() {
        let _ = write!(out, "```yaml\n{lines}```\n\n");
    }
    for table in tables(it, presets::ASCII_MARKDOWN, text::markdown_cell) {
        out.extend(table.lines().map(|line| format!("{}\n", line.trim_end())));
        out.push('\n');
    }
    for (label, said) in remarks(it) {
        let _ = writeln!(out, "- {label}: {}", text::markdown_cell(&said));
    }
    out
}

/// Writes a name as a table may have it.
type Written = fn(&str) -> String;

fn tables(it: &Commitments, style: TableStyle, written: Written) -> Vec<Table> {
    let advice = &it.advice;
    let mut tables = vec![plans(it, style, written), falls(advice, style)];
    if !advice.alternatives.is_empty() {
        tables.push(alternatives(advice, style));
    }
    tables
}

fn table<const N: usize>(style: TableStyle, header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in 1..N {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// `0.39`: dollars saved by a dollar.
fn per_dollar(usd: f64) -> String {
    text::grouped(usd, 2)
}

fn optional(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), text::percent)
}

/// `Compute SP 0.42271 / 0.48 / 0.44544`: spends of a plan with lower, the
/// stated and higher discounts, which need not rise; `None` where all are zero.
fn spends(it: &Commitments, index: usize) -> Option<String> {
    let band = it.band.as_ref()?;
    let plan = it.advice.plans.get(index)?;
    let all = [*band.low.get(index)?, plan.usd_per_hour, *band.high.get(index)?];
    let shown = all.map(|rate| rate.to_string()).join(" / ");
    let name = text::name(&plan.candidate.label);
    all.iter().any(|rate| *rate > Rate::ZERO).then(|| format!("{name} {shown}"))
}

fn plans(it: &Commitments, style: TableStyle, written: Written) -> Table {
    let mut table = table(style, ["plan", "commit $/h", "used", "first $", "last $", "next $"]);
    for plan in &it.advice.plans {
        let last = if plan.usd_per_hour > Rate::ZERO {
            per_dollar(plan.marginal.last)
        } else {
            "–".to_owned()
        };
        table.add_row([
            written(&text::shortened(&plan.candidate.label, PLAN)),
            plan.usd_per_hour.to_string(),
            optional(plan.utilisation),
            per_dollar(plan.marginal.first),
            last,
            per_dollar(plan.marginal.next),
        ]);
    }
    table
}

fn falls(advice: &Advice, style: TableStyle) -> Table {
    let mut table = table(style, ["usage", "saved $/month", "saved", "commitment used"]);
    let mut row = |usage: String, saved: f64, share: f64, used: Option<f64>| {
        table.add_row([
            usage,
            text::grouped(monthly(saved), 2),
            text::percent(share),
            optional(used),
        ]);
    };
    row(
        "as simulated".to_owned(),
        advice.before_per_hour - advice.after_per_hour,
        advice.saved(),
        advice.utilisation,
    );
    for fall in &advice.falls {
        let usage = format!("{} less", text::percent(fall.less));
        row(usage, fall.saved_per_hour, fall.saved, fall.utilisation);
    }
    table
}

fn alternatives(advice: &Advice, style: TableStyle) -> Table {
    let mut table = table(style, ["one plan alone", "commit $/h", "$/month", "saved", "upfront $"]);
    for it in &advice.alternatives {
        let saved = if advice.before_per_hour > 0.0 {
            1.0 - it.cost_per_hour / advice.before_per_hour
        } else {
            0.0
        };
        table.add_row([
            text::name(&it.candidate.label),
            it.usd_per_hour.to_string(),
            text::grouped(monthly(it.cost_per_hour), 2),
            text::percent(saved),
            text::grouped(it.candidate.upfront(it.usd_per_hour).to_f64(), 0),
        ]);
    }
    table
}

/// Dollars a month that are so much an hour.
fn month(per_hour: f64) -> String {
    text::usd_f64(monthly(per_hour), 2)
}

fn remarks(it: &Commitments) -> Vec<(&'static str, String)> {
    let advice = &it.advice;
    let owned = if it.owned.is_empty() {
        String::new()
    } else {
        format!(" {} with what is owned,", month(advice.before_per_hour))
    };
    let mut said = vec![
        (
            "marginal",
            "what the first dollar per hour of a plan, the last bought and the next save, net of \
             themselves, the other plans as advised"
                .to_owned(),
        ),
        (
            "expected",
            format!(
                "{} a month On-Demand,{owned} {} with this; coverage {} → {}",
                month(advice.list_per_hour),
                month(advice.after_per_hour),
                text::percent(advice.coverage.0),
                text::percent(advice.coverage.1),
            ),
        ),
    ];
    if !it.owned.is_empty() {
        said.push(("owned", format!("applied in AWS's order: {}", it.owned.join(", "))));
    }
    if let Some(elsewhere) = it.elsewhere {
        said.push(("payer", payer(advice, elsewhere)));
    }
    let fee_discount = advice.plans.iter().map(|p| p.candidate.fee_discount).max();
    if let Some(discount) = fee_discount.filter(|d| *d > Percent::default()) {
        let text = format!(
            "{discount} is negotiated off them: what to commit is what AWS asks for, before that; \
             costs, savings and obligations are after it"
        );
        said.push(("fees", text));
    }
    said.extend(obligations(advice).into_iter().map(|it| ("obligation", it)));
    if advice.committed_per_hour() > Rate::ZERO {
        said.push(("downside", downside(it)));
        let fall = advice.break_even_fall.map_or_else(
            || "something is saved at any usage above a hundredth of this".to_owned(),
            |fall| format!("nothing is saved once usage is {} lower for good", text::percent(fall)),
        );
        said.push(("break-even", fall));
    }
    if let Some(band) = &it.band {
        let points = text::mean_count(band.spread_ppm as f64 / 10_000.0);
        let plans: Vec<String> =
            (0..advice.plans.len()).filter_map(|index| spends(it, index)).collect();
        let best = if plans.is_empty() {
            "the best commitment is none".to_owned()
        } else {
            format!("the best commitments per hour are {}", plans.join(", "))
        };
        let (low, high) = band.after_per_hour;
        said.push((
            "rates",
            format!(
                "representative, not AWS's list: with discounts {points} points lower / as they \
                 are / {points} points higher {best}, for {} / {} / {} a month",
                month(low),
                month(advice.after_per_hour),
                month(high),
            ),
        ));
    }
    if it.band.is_none() && advice.alternatives.iter().any(|it| it.guessed) {
        let plans = "those of plans alone are representative in part, not AWS's list".to_owned();
        said.push(("rates", plans));
    }
    if advice.hours < YEAR {
        let tenths = |n: f64| text::mean_count((n * 10.0).round() / 10.0);
        let window = if advice.hours < 48.0 {
            format!("{} hours", tenths(advice.hours))
        } else {
            format!("{} days", tenths(advice.hours / 24.0))
        };
        said.push((
            "horizon",
            format!(
                "{window} stand for a term of years: growth, seasons and migrations beyond \
                 them are not in the answer"
            ),
        ));
    }
    said
}

/// Whose saving it is.
fn payer(advice: &Advice, elsewhere: Elsewhere) -> String {
    let saved = advice.before_per_hour - advice.after_per_hour;
    let own = advice.own_per_hour.0 - advice.own_per_hour.1;
    format!(
        "`other-usage` is in all figures, and covered {} the scenario's usage; of {} saved a \
         month {} is the scenario's, which is what `run` bills less, and {} is other usage's",
        if elsewhere.first { "before" } else { "after" },
        month(saved),
        month(own),
        month(saved - own),
    )
}

/// What is to be paid over the terms, however little is used.
fn obligations(advice: &Advice) -> Vec<String> {
    let mut by_terms: Vec<((Term, Payment), Money, Money)> = Vec::new();
    for PlanAdvice { candidate, usd_per_hour, .. } in advice.bought() {
        let terms = (candidate.term, candidate.payment);
        let (all, upfront) = (candidate.in_all(*usd_per_hour), candidate.upfront(*usd_per_hour));
        if let Some(known) = by_terms.iter_mut().find(|known| known.0 == terms) {
            known.1 += all;
            known.2 += upfront;
        } else {
            by_terms.push((terms, all, upfront));
        }
    }
    let said = |((term, payment), all, upfront): ((Term, Payment), Money, Money)| {
        let upfront = match payment {
            Payment::NoUpfront => "none of it at the start".to_owned(),
            _ => format!("{} of it at the start", text::usd(upfront, 0)),
        };
        format!("{} over {term} ({payment}), {upfront}", text::usd(all, 0))
    };
    by_terms.into_iter().map(said).collect()
}

fn downside(it: &Commitments) -> String {
    let (saved, regret) = (it.advice.saved_by_seed(), it.advice.regret_by_seed());
    let days = if it.resampled { "days resampled" } else { "the same days in each" };
    let n = it.advice.seeds.len();
    let [min, max] = [saved.min, saved.max].map(text::percent);
    if n <= 1 {
        return "one seed: nothing is known of how usage varies".to_owned();
    }
    if min == max {
        return format!("each of {n} seeds ({days}) saves {min}");
    }
    format!(
        "over {n} seeds ({days}) the worst saves {min}, the 5 % quantile {}, the median {}, the \
         best {max}; knowing the seed would have saved {} more at the median, {} at most",
        text::percent(saved.p5),
        text::percent(saved.p50),
        text::percent(regret.p50),
        text::percent(regret.max),
    )
}

fn verdict(it: &Commitments) -> String {
    let advice = &it.advice;
    let case = text::shortened(&text::name(&it.case), NAME);
    if advice.bought().next().is_none() {
        return format!(
            "Commit to nothing more: no plan makes the expected cost of {case} lower than {} a \
             month",
            month(advice.before_per_hour)
        );
    }
    format!(
        "Commit {} USD per hour: the eligible usage of {case}{} is expected to cost {} a month \
         instead of {} (−{}); add",
        advice.committed_per_hour(),
        if it.elsewhere.is_some() { ", with other usage of its payer," } else { "" },
        month(advice.after_per_hour),
        month(advice.before_per_hour),
        text::percent(advice.saved()),
    )
}

/// The lines of a scenario that buy what is advised.
fn lines(it: &Commitments) -> String {
    let lines: String = it.advice.bought().map(|p| p.candidate.lines(p.usd_per_hour)).collect();
    if lines.is_empty() { lines } else { format!("commitments:\n{lines}") }
}
