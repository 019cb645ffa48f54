//! What `compare` prints: two results in the manner of a plan, `+` added, `-`
//! removed, `~` changed; or the same as JSON, CSV or Markdown.
//!
//! Only what differs is shown unless everything is asked for. A change that
//! noise alone may explain has the sign `≈`.

mod export;
mod money;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use self::money::cost_rows;
use super::terminal::{Format, WIDTH, wrapped};
use super::{text, words};
use crate::Result;
use crate::advise::{Comparison, Item, Mark, Measure, Pair, Side, TypeItem};
use crate::sweep::{Estimate, TypeUse};

/// Sign of a change within noise.
const NOISE: char = '≈';
/// Characters of a name in a table.
const NAME: usize = 24;
/// Where continued lines of a setting begin.
const INDENT: &str = "        ";

/// A comparison in the format asked for; `all` also shows what is the same.
///
/// # Errors
/// When a writer fails, which a disk that is full cannot cause here.
pub fn comparison(of: &Comparison, format: Format, all: bool) -> Result<String> {
    let sections = sections(of, all);
    match format {
        Format::Table => Ok(table(of, &sections)),
        Format::Markdown => Ok(markdown(of, &sections)),
        Format::Json => export::json(of, all),
        Format::Csv => export::csv(of, all),
    }
}

/// A row of a section: sign, name, and what it says.
struct Row {
    sign: char,
    name: String,
    /// Before, after, change; a setting has no change.
    cells: [String; 3],
}

/// A heading with its rows.
struct Section {
    /// Whose: a case's heading stands before its first section.
    case: Option<usize>,
    title: String,
    /// Whether its rows are texts of any length rather than figures.
    texts: bool,
    rows: Vec<Row>,
}

fn sections(of: &Comparison, all: bool) -> Vec<Section> {
    let mut out = Vec::new();
    for (title, items) in [
        ("result", &of.about),
        ("inputs by SHA-256", &of.inputs),
        ("price tables", &of.prices),
        ("settings of every case", &of.common),
    ] {
        out.extend(texts(None, title, items, all));
    }
    for (index, case) in of.cases.iter().enumerate() {
        out.extend(texts(Some(index), "settings", &case.settings, all));
        out.extend(texts(Some(index), "types and prices", &case.catalog, all));
        out.extend(figures(of, index, case, all));
    }
    out
}

/// A section of settings and the like; `None` where nothing is to be shown.
fn texts(case: Option<usize>, title: &str, items: &[Item], all: bool) -> Option<Section> {
    let shown = items.iter().filter(|i| all || i.tells());
    let rows: Vec<Row> = shown.map(text_row).collect();
    (!rows.is_empty()).then(|| Section { case, title: title.to_owned(), texts: true, rows })
}

/// The sections of a case that hold figures.
fn figures(of: &Comparison, index: usize, case: &Pair, all: bool) -> Vec<Section> {
    let mut out = Vec::new();
    let mut push = |title: String, rows: Vec<Row>| {
        if !rows.is_empty() {
            out.push(Section { case: Some(index), title, texts: false, rows });
        }
    };
    let measures = |of: &[Measure]| -> Vec<Row> {
        of.iter().filter(|m| all || m.mark() != Mark::Same).map(measure_row).collect()
    };
    push("cluster".to_owned(), measures(&case.metrics));
    for (name, of) in &case.workloads {
        push(format!("workload {}", text::name(name)), measures(of));
    }
    let seed = |side: &Side| side.seeds.first().copied().unwrap_or_default();
    let seeds = match (seed(&of.old), seed(&of.new)) {
        (a, b) if a == b => format!("seed {a}"),
        (a, b) => format!("seed {a} → seed {b}"),
    };
    let types = case.nodes.iter().filter(|n| all || n.mark() != Mark::Same);
    push(format!("node-hours by type ({seeds})"), types.map(type_row).collect());
    for group in &case.cost {
        let changed = group.items.iter().any(|i| i.mark() != Mark::Same);
        if changed || all {
            push(format!("cost by {} ({seeds})", group.by), cost_rows(group, all));
        }
    }
    out
}

fn text_row(item: &Item) -> Row {
    let side = |t: &Option<String>| t.as_deref().map(text::name).unwrap_or_default();
    Row {
        sign: item.mark().sign(),
        name: text::name(&item.name),
        cells: [side(&item.old), side(&item.new), String::new()],
    }
}

fn measure_row(of: &Measure) -> Row {
    let side = |e: Option<Estimate>| words::or_dash(e, |e| amount(e.mean, of));
    let sign = match of.within_noise() {
        Some(true) if of.mark() == Mark::Changed => NOISE,
        _ => of.mark().sign(),
    };
    let change = of.change.filter(|_| of.mark() == Mark::Changed).map(|change| {
        let was = of.old.map_or(0.0, |e| e.mean);
        let say = |v: f64| change_amount(v, change.mean, was, of);
        let mut said = signed(change.mean, say);
        if let Some(half) = change.half_width.filter(|h| *h > 0.0 && h.is_finite()) {
            let _ = write!(said, " ± {}", say(half).trim_start_matches('$'));
        }
        if is_share(of) { said + " pp" } else { said + &share_of(change.mean, was) }
    });
    Row {
        sign,
        name: label(&of.name).to_owned(),
        cells: [side(of.old), side(of.new), change.unwrap_or_default()],
    }
}

fn type_row(of: &TypeItem) -> Row {
    let hours = |t: Option<TypeUse>| t.map(|t| t.node_hours);
    let side = |h: Option<f64>| h.map_or_else(|| "–".to_owned(), |h| text::grouped(h, 1));
    let (old, new) = (hours(of.old), hours(of.new));
    let change = new.unwrap_or(0.0) - old.unwrap_or(0.0);
    Row {
        sign: of.mark().sign(),
        name: text::name(&of.name),
        cells: [
            side(old),
            side(new),
            signed(change, |v| text::grouped(v, 1)) + &share_of(change, old.unwrap_or(0.0)),
        ],
    }
}

/// A change as a share of what it was, ` (−8.0 %)`; nothing where it was
/// nothing, or where the share would read as none.
fn share_of(change: f64, was: f64) -> String {
    let share = change / was;
    if was <= 0.0 || share.abs() < 0.000_5 || share.abs() >= 100.0 {
        return String::new();
    }
    format!(" ({})", signed(share, text::percent))
}

/// A sign in front of increases, a true minus in front of decreases.
fn signed(value: f64, say: impl Fn(f64) -> String) -> String {
    let sign = match value {
        v if v > 0.0 => "+",
        v if v < 0.0 => "\u{2212}",
        _ => "",
    };
    format!("{sign}{}", say(value.abs()))
}

/// Whether a metric is a share of something.
fn is_share(of: &Measure) -> bool {
    of.unit.is_empty() && of.name.contains("_of_")
}

/// A value of a metric for people.
fn amount(value: f64, of: &Measure) -> String {
    match of.unit {
        "s" => text::seconds(value).replace('\u{A0}', " "),
        _ if is_share(of) => format!("{} %", text::grouped(value * 100.0, 1)),
        "" if value.fract() == 0.0 => text::grouped(value, 0),
        "" | "h" | "core-hours" => text::grouped(value, 1),
        _ => words::mean_usd(value),
    }
}

/// A part of a change, with as many decimals as the change deserves: never
/// more than the value that changed has.
fn change_amount(value: f64, change: f64, was: f64, of: &Measure) -> String {
    match of.unit {
        _ if is_share(of) => text::grouped(value * 100.0, 2),
        unit if unit.starts_with("USD") => {
            let most = if was.abs() < 1.0 { 4 } else { 2 };
            text::usd_f64(value, words::usd_places(change).min(most))
        }
        _ => amount(value, of),
    }
}

/// What people call a metric in a narrow column.
fn label(name: &str) -> &str {
    match name {
        "cost_fully_loaded" => "cost, fully loaded",
        "cost_monthly" => "cost a month",
        "cost_list" => "cost at list",
        "compute_list" => "compute at list",
        "compute_lower_bound" => "compute, lower bound",
        "compute_gap_of_list" => "savable of compute",
        "cost_per_requested_core_hour" => "cost per core-hour",
        "cost_per_1000_pods_started" => "cost per 1,000 pods",
        "pending_mean" => "pending mean",
        "pending_p50" => "pending p50",
        "pending_p95" => "pending p95",
        "pending_p99" => "pending p99",
        "ready_p95" => "ready p95",
        "unserved_core_hours" => "unserved core-hours",
        "repeated_core_hours" => "repeated core-hours",
        "pending_at_end" => "pending at end",
        "cpu_requested_of_allocatable" => "cpu requested/alloc.",
        "memory_requested_of_allocatable" => "mem. requested/alloc.",
        "cpu_used_of_requested" => "cpu used/requested",
        "memory_used_of_requested" => "mem. used/requested",
        "nodes_peak" => "nodes, peak",
        "node_hours" => "node-hours",
        other => other,
    }
}

/// What the change intervals rest on.
fn pairing(of: &Comparison) -> String {
    let list = |seeds: &[u64]| {
        let shown: Vec<String> = seeds.iter().take(8).map(u64::to_string).collect();
        let more = if seeds.len() > 8 { " …" } else { "" };
        format!("{}{more}", shown.join(" "))
    };
    let common = of.common_seeds();
    let both = (of.old.seeds.as_slice(), of.new.seeds.as_slice());
    let paired = common.len() >= 2 || (common.len() == 1 && both.0.len().min(both.1.len()) == 1);
    let mut said = if both.0 == both.1 {
        format!("seeds {} in both; changes are paired by seed", list(both.0))
    } else if paired {
        format!(
            "seeds {} against {}; changes are paired by the {} in common",
            list(both.0),
            list(both.1),
            list(&common)
        )
    } else {
        format!(
            "seeds {} against {}: nothing to pair; changes are differences of independent means",
            list(both.0),
            list(both.1)
        )
    };
    if common.len().min(both.0.len()).min(both.1.len()) >= 2 || !paired && both.0.len() > 1 {
        said += ", ± is their 95 % interval (simulation noise only)";
    } else {
        said += "; one seed says nothing about noise";
    }
    said
}

/// `Plan: 1 case added, 2 changed, …`, and what the changes cost.
fn plan_line(of: &Comparison) -> String {
    let changed: Vec<&Pair> = of.cases.iter().filter(|c| c.mark() != Mark::Same).collect();
    let same = of.cases.len() - changed.len();
    let mut said = format!(
        "Plan: {} changed, {} added, {} removed, {same} unchanged.",
        match changed.len() {
            1 => "1 case".to_owned(),
            n => format!("{n} cases"),
        },
        of.added.len(),
        of.removed.len(),
    );
    for case in changed.iter().take(3) {
        let Some(cost) = case.metric("cost").filter(|m| m.mark() == Mark::Changed) else {
            continue;
        };
        if let (Some(change), Some(old)) = (cost.change, cost.old) {
            let noise = if cost.within_noise() == Some(true) { ", within noise" } else { "" };
            let paid = match change.mean {
                less if less < 0.0 => format!("saves {}", words::mean_usd(-less)),
                more => format!("costs {}", signed(more, words::mean_usd)),
            };
            let _ = write!(
                said,
                " {} {paid}{}{noise}.",
                text::shortened(&text::name(&case.new), NAME),
                share_of(change.mean, old.mean)
            );
        }
    }
    said
}

/// `~ case ec2 (EC2 On-Demand)`, without the sign.
fn case_heading(case: &Pair) -> String {
    let (old, new, title) = (text::name(&case.old), text::name(&case.new), text::name(&case.title));
    let mut said = if old == new { format!("case {new}") } else { format!("case {old} → {new}") };
    if title != new && !title.is_empty() {
        let _ = write!(said, " ({title})");
    }
    said
}

/// Cases of one side only, with their signs.
fn one_sided(of: &Comparison) -> impl Iterator<Item = (char, String)> + '_ {
    let added = of.added.iter().map(|c| ('+', c));
    let removed = of.removed.iter().map(|c| ('-', c));
    added.chain(removed).map(|(sign, case)| (sign, format!("case {}", text::name(case))))
}

fn incomplete(of: &Comparison) -> Option<String> {
    let which = match (of.old.complete, of.new.complete) {
        (true, true) => return None,
        (false, true) => "the old result was",
        (true, false) => "the new result was",
        (false, false) => "both results were",
    };
    Some(format!("{which} interrupted: only finished cells are compared"))
}

fn table(of: &Comparison, sections: &[Section]) -> String {
    let mut out = wrapped(&pairing(of), "", "");
    out +=
        &wrapped(&format!("+ added, - removed, ~ changed, {NOISE} changed within noise"), "", "");
    if let Some(why) = incomplete(of) {
        out += &wrapped(&why, "", "");
    }
    let mut case = None;
    for section in sections {
        if section.case.is_none() || section.case != case {
            out.push('\n');
        }
        if section.case != case {
            case = section.case;
            if let Some(pair) = case.and_then(|i| of.cases.get(i)) {
                let sign = pair.mark().sign();
                out += &wrapped(&case_heading(pair), &format!("{sign} "), "  ");
            }
        }
        let indent = if section.case.is_some() { "  " } else { "" };
        out += &wrapped(&section.title, indent, indent);
        if section.texts {
            for row in &section.rows {
                out += &text_line(row, indent);
            }
        } else {
            out += &figure_lines(&section.rows, indent);
        }
    }
    out.push('\n');
    for (sign, case) in one_sided(of) {
        out += &wrapped(&case, &format!("{sign} "), "  ");
    }
    out += &wrapped(&plan_line(of), "", "");
    out
}

/// `  ~ pools.a.asg.max  10 → 12`, over as many lines as it takes.
fn text_line(row: &Row, indent: &str) -> String {
    let [old, new, _] = &row.cells;
    let values = match row.sign {
        '+' | ' ' => new.clone(),
        '-' => old.clone(),
        _ => format!("{} → {}", cut_hash(old), cut_hash(new)),
    };
    let head = format!("{indent}  {} ", row.sign);
    let one = format!("{head}{}  {}", row.name, cut_hash(&values));
    if one.chars().count() <= WIDTH && !one.ends_with("  ") {
        return one + "\n";
    }
    wrapped(&row.name, &head, INDENT) + &wrapped(&values, &format!("{INDENT}  "), INDENT)
}

/// A SHA-256 by its beginning; anything else as it is.
fn cut_hash(value: &str) -> String {
    if value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()) {
        text::shortened(value, 13)
    } else {
        value.to_owned()
    }
}

fn figure_lines(rows: &[Row], indent: &str) -> String {
    let width = |of: &str| of.chars().count();
    let widest = |cell: fn(&Row) -> &str| rows.iter().map(|r| width(cell(r))).max().unwrap_or(0);
    let name = widest(|r| &r.name).min(NAME);
    let (old, new) = (widest(|r| &r.cells[0]), widest(|r| &r.cells[1]));
    let pad = |of: &str, to: usize| " ".repeat(to.saturating_sub(width(of)));
    let mut out = String::new();
    for row in rows {
        let shown = text::shortened(&row.name, name);
        let [a, b, change] = &row.cells;
        let head = format!(
            "{indent}  {} {shown}{}  {}{a} → {}{b}",
            row.sign,
            pad(&shown, name),
            pad(a, old),
            pad(b, new),
        );
        let line = format!("{head}  {change}");
        if width(line.trim_end()) <= WIDTH {
            out += line.trim_end();
            out.push('\n');
        } else {
            out += head.trim_end();
            out.push('\n');
            out += &wrapped(change, &format!("{indent}      "), INDENT);
        }
    }
    out
}

fn markdown(of: &Comparison, sections: &[Section]) -> String {
    let cell = |t: &str| text::markdown_cell(t);
    let mut out = format!("**{}**\n\n{}\n", cell(&plan_line(of)), cell(&pairing(of)));
    if let Some(why) = incomplete(of) {
        let _ = write!(out, "\n{}\n", cell(&why));
    }
    for (sign, case) in one_sided(of) {
        let _ = write!(out, "\n`{sign}` {}\n", cell(&case));
    }
    let mut case = None;
    for section in sections {
        if section.case != case {
            case = section.case;
            if let Some(pair) = case.and_then(|i| of.cases.get(i)) {
                let _ = write!(out, "\n### {}\n", cell(&case_heading(pair)));
            }
        }
        let head = if section.texts { "" } else { " change |" };
        let rule = if section.texts { "" } else { " ---: |" };
        let align = if section.texts { "---" } else { "---:" };
        let _ = write!(
            out,
            "\n| | {} | old | new |{head}\n| --- | --- | {align} | {align} |{rule}\n",
            cell(&section.title)
        );
        for row in &section.rows {
            let [old, new, change] = &row.cells;
            let _ = write!(
                out,
                "| `{}` | {} | {} | {} |",
                row.sign,
                cell(&row.name),
                cell(old),
                cell(new)
            );
            if !section.texts {
                let _ = write!(out, " {} |", cell(change));
            }
            out.push('\n');
        }
    }
    out
}
