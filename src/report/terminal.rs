//! What `run` prints: a table within 80 columns, the verdict, the closing
//! line; or the same rows as JSON, CSV or Markdown.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use serde_json::{Map, Value, json};

use super::figures::title_of;
use super::rows::{Row, rows};
use super::{text, words};
use crate::advise::Verdict;
use crate::bill::Bill;
use crate::sweep::{Detail, Estimate, Outcome, SCHEMA_VERSION, Study};
use crate::units::Money;
use crate::{Error, Result};

/// Columns of a terminal.
pub(super) const WIDTH: usize = 80;
/// Characters of a case's title in the table.
const TITLE: usize = 30;
/// Characters of any other name in a line.
const NAME: usize = 24;
/// Statements of one kind that are printed.
const ALIKE: usize = 8;
/// Instance types named in the closing line.
const TYPES: usize = 6;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, within 80 columns.
    Table,
    /// For programs; stable keys.
    Json,
    /// For spreadsheets: means and intervals.
    Csv,
    /// For pull requests.
    Markdown,
}

/// The comparison of a study's cases; its verdict where the format has room.
///
/// # Errors
/// When a writer fails, which a disk that is full cannot cause here.
pub fn results(study: &Study, verdict: Option<&Verdict>, format: Format) -> Result<String> {
    match format {
        Format::Table => terminal(study, verdict),
        Format::Json => json(study, verdict),
        Format::Csv => csv(study, verdict),
        Format::Markdown => Ok(markdown(study, verdict)),
    }
}

/// Table, verdict and closing line for people, no line longer than 80 columns.
///
/// # Errors
/// None in practice; as [`results`].
pub fn terminal(study: &Study, verdict: Option<&Verdict>) -> Result<String> {
    let Some(verdict) = verdict else { return Ok("no case was finished\n".to_owned()) };
    let mut out = table(&rows(study, verdict));
    out.push('\n');
    let verdict_in_words = format!(
        "{}. {}",
        words::headline(study, verdict),
        words::sentences(study, verdict).join(" ")
    );
    out += &wrapped(&verdict_in_words, "", "");
    // What the sentences have not said yet; the rest is in the report.
    let said = ["choose", "cost", "saving", "service", "runner-up"];
    let pieces = verdict.pieces(study);
    let pieces: Vec<_> = pieces.iter().filter(|p| !said.contains(&p.label)).collect();
    if !pieces.is_empty() {
        out.push('\n');
    }
    let indent = " ".repeat(13);
    for (i, piece) in pieces.iter().enumerate() {
        let before = pieces.iter().take(i).filter(|p| p.label == piece.label).count();
        if before < ALIKE {
            out += &wrapped(&piece.text, &format!("{:<13}", piece.label), &indent);
        } else if before == ALIKE {
            let more = pieces.iter().filter(|p| p.label == piece.label).count() - ALIKE;
            let place = if piece.label == "workload" { "comparison.csv" } else { "the report" };
            out += &wrapped(&format!("… and {more} more in {place}"), &indent, &indent);
        }
    }
    if let Some(closing) = closing(study, verdict) {
        out.push('\n');
        out += &wrapped(&closing, "", "");
    }
    Ok(out)
}

/// List prices and months are left to the report and the closing line.
const SHOWN: [&str; 6] =
    ["cost_usd", "saving_usd", "pending_p95_s", "evicted", "interrupted", "unserved_core_hours"];
/// Space between columns: padding, and the room a rule would take.
const GAP: usize = PADDING + 1;
/// Space after a column.
const PADDING: usize = 1;
/// Less than this is no room for names; intervals then give way.
const LEAST: usize = 12;

fn table(rows: &[Row]) -> String {
    let shown = |row: &'_ Row, plain: bool| -> Vec<String> {
        row.figures
            .iter()
            .filter(|f| SHOWN.contains(&f.key))
            .map(|f| match f.value {
                Some(cost) if plain && f.key == "cost_usd" => words::mean_usd(cost.mean),
                _ => f.text.clone(),
            })
            .collect()
    };
    let headings: Vec<String> = rows
        .first()
        .map(|r| r.figures.iter().filter(|f| SHOWN.contains(&f.key)))
        .into_iter()
        .flatten()
        .map(|f| f.heading.to_owned())
        .collect();
    let room = |cells: &[Vec<String>]| {
        let widest = |column: usize| {
            let own = |row: &Vec<String>| row.get(column).map_or(0, |c| c.chars().count());
            cells.iter().chain([&headings]).map(own).max().unwrap_or(0)
        };
        let taken: usize = (0..headings.len()).map(|column| widest(column) + GAP).sum();
        // The mark of the chosen case stands before its name.
        WIDTH.saturating_sub(taken + 2)
    };
    let mut cells: Vec<Vec<String>> = rows.iter().map(|r| shown(r, false)).collect();
    if room(&cells) < LEAST {
        cells = rows.iter().map(|r| shown(r, true)).collect();
    }
    let room = room(&cells);
    // Titles where all of them fit, else the names of the scenario.
    let fit = rows.iter().all(|r| r.title.chars().count() <= room);
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(presets::NOTHING.header_separator(rule));
    table.set_content_arrangement(ContentArrangement::Disabled);
    let header = std::iter::once("  case".to_owned()).chain(headings.iter().cloned());
    table.set_header(header);
    for (row, cells) in rows.iter().zip(cells) {
        let name = text::shortened(if fit { &row.title } else { &row.case }, room.max(4));
        let mark = if row.chosen { '*' } else { ' ' };
        table.add_row(std::iter::once(format!("{mark} {name}")).chain(cells));
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if i == headings.len() { 0 } else { PADDING as u16 }));
        if i > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = String::new();
    for line in table.lines() {
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// Words in lines of at most 80 characters, the first behind `first`, the
/// others behind `rest`.
#[must_use]
pub fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut used = line.chars().count();
    let mut fresh = true;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let mut word: String = text::name(word);
        loop {
            let length = word.chars().count();
            let gap = usize::from(!fresh);
            if used + gap + length <= WIDTH {
                if !fresh {
                    line.push(' ');
                }
                line += &word;
                used += gap + length;
                fresh = false;
                break;
            }
            if fresh {
                // A word longer than a line is broken, not lost.
                let room = WIDTH.saturating_sub(used).max(1);
                let tail: String = word.chars().skip(room).collect();
                line.extend(word.chars().take(room));
                word = tail;
            }
            out += line.trim_end();
            out.push('\n');
            rest.clone_into(&mut line);
            used = rest.chars().count();
            fresh = true;
        }
    }
    out += line.trim_end();
    out.push('\n');
    out
}

/// The chosen case at a glance: nodes, utilisation, pods, money.
fn closing(study: &Study, verdict: &Verdict) -> Option<String> {
    let case = study.cases.get(verdict.chosen)?;
    let found = verdict.case(verdict.chosen)?;
    let outcome = case.finished().next()?;
    let title = text::shortened(&title_of(case), TITLE);
    let mut parts = vec![nodes(outcome)];
    if let Some(mean) = case.detail.as_ref().and_then(Means::of) {
        if mean.fargate > 0.0 {
            parts.push(format!("{} Fargate pods", text::grouped(mean.fargate, 1)));
        }
        let of = &outcome.utilisation;
        parts.push(resource("cpu", mean.cpu, "vCPU", of.cpu.used_of_requested));
        parts.push(resource("memory", mean.memory, "GiB", of.memory.used_of_requested));
        parts.push(format!(
            "pods {} pending, {} running",
            text::grouped(mean.pending, 1),
            text::grouped(mean.running, 1)
        ));
    }
    let hours = outcome.window_hours;
    let mut money = String::new();
    if hours > 0.0 {
        money = format!("{}/hour", words::mean_usd(found.cost.mean / hours));
    }
    if let Some(month) = found.monthly {
        let how = if found.monthly_extrapolated { ", extrapolated" } else { "" };
        let month = words::mean_usd(month.mean);
        money.push_str(&[", ", &month, "/month (730 h", how, ")"].concat());
    }
    if !money.is_empty() {
        parts.push(money);
    }
    if let Some(unused) = case.detail.as_ref().and_then(|d| unused_commitment(&d.bill)) {
        parts.push(unused);
    }
    if let Some(bill) = case.detail.as_ref().map(|d| &d.bill).filter(|b| b.has_discounts()) {
        let saved = words::mean_usd(bill.discount_saving.to_f64());
        let before = if bill.commitment.has_fee_discounts() { ", before commitments" } else { "" };
        parts.push(format!(
            "negotiated discounts: first seed {saved} less than list prices{before}"
        ));
    }
    if let Some(share) = words::published_share(outcome) {
        parts.push(format!("{} of dollars from published prices", text::percent(share)));
    }
    Some(format!("{title}, on average: {}", parts.join("; ")))
}

/// What commitments leave unused, and both bounds of what that means: other
/// usage of the payer may absorb it.
fn unused_commitment(bill: &Bill) -> Option<String> {
    let commitment = &bill.commitment;
    if commitment.each.is_empty() {
        return None;
    }
    let usd = |amount: Money| words::mean_usd(amount.to_f64());
    let (mut used, (low, high)) = (usd(commitment.used()), bill.bounds());
    used.push_str(" used");
    if commitment.has_fee_discounts() {
        used.insert_str(0, "(net of discounts off fees) ");
    }
    if commitment.other_usage {
        let others = usd(commitment.used_by_others());
        used.push_str(&[", ", &others, " by other usage"].concat());
    }
    if commitment.unused() == Money::ZERO {
        return Some(format!("commitments {used}, nothing unused"));
    }
    if low == high {
        return Some(format!("commitments {used}, {} unused", usd(commitment.unused())));
    }
    Some(format!(
        "commitments {used}, {} unused: first seed {} if no other usage absorbs that, {} \
         if other usage absorbs all of it",
        usd(commitment.unused()),
        usd(high),
        usd(low)
    ))
}

fn nodes(outcome: &Outcome) -> String {
    let hours = outcome.window_hours;
    let mut types: Vec<(&String, f64)> = outcome
        .nodes
        .by_type
        .iter()
        .map(|(name, of)| (name, if hours > 0.0 { of.node_hours / hours } else { 0.0 }))
        .collect();
    if types.is_empty() {
        return "no nodes".to_owned();
    }
    // Largest first; types with equal shares stay in order of their names.
    types.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut said: Vec<String> = types
        .iter()
        .take(TYPES)
        .map(|(name, n)| {
            format!("{} × {}", text::grouped(*n, 1), text::shortened(&text::name(name), NAME))
        })
        .collect();
    if let Some(rest) = types.get(TYPES..).filter(|r| !r.is_empty()) {
        let n: f64 = rest.iter().map(|r| r.1).sum();
        said.push(format!("{} of {} other types", text::grouped(n, 1), rest.len()));
    }
    format!("nodes {}", said.join(", "))
}

/// Time-weighted means after the warm-up.
struct Means {
    pending: f64,
    running: f64,
    fargate: f64,
    /// Allocatable, requested, used; vCPU.
    cpu: [f64; 3],
    /// Allocatable, requested, used; GiB.
    memory: [f64; 3],
}

impl Means {
    fn of(detail: &Detail) -> Option<Means> {
        const GIB: f64 = (1u64 << 30) as f64;
        let mut sums = [0.0; 9];
        let mut whole = 0.0;
        for point in &detail.timeline {
            let from = point.at.ms().max(detail.warmup.ms());
            let to = point.at.ms().saturating_add(detail.timeline_step_ms).min(detail.end.ms());
            let weight = (to - from).max(0) as f64;
            whole += weight;
            let values = [
                point.pending,
                point.running,
                point.fargate,
                point.cpu_allocatable / 1e3,
                point.cpu_requested / 1e3,
                point.cpu_used / 1e3,
                point.memory_allocatable / GIB,
                point.memory_requested / GIB,
                point.memory_used / GIB,
            ];
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value * weight;
            }
        }
        if whole <= 0.0 {
            return None;
        }
        let [pending, running, fargate, a, b, c, d, e, f] = sums.map(|s| s / whole);
        Some(Means { pending, running, fargate, cpu: [a, b, c], memory: [d, e, f] })
    }
}

/// `cpu 21.0 used / 38.2 requested / 50.0 allocatable vCPU`.
fn resource(name: &str, of: [f64; 3], unit: &str, known: Option<f64>) -> String {
    let [allocatable, requested, used] = of.map(|v| text::grouped(v, 1));
    let used = if known.is_some() { format!("{used} used") } else { "usage unknown".to_owned() };
    format!("{name} {used} / {requested} requested / {allocatable} allocatable {unit}")
}

/// A float that JSON can hold, with no more digits than anyone needs.
pub(super) fn number(value: f64) -> Value {
    let rounded = (value * 1e6).round() / 1e6;
    serde_json::Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}

fn json(study: &Study, verdict: Option<&Verdict>) -> Result<String> {
    let interval = |e: Estimate| {
        json!({
            "mean": number(e.mean),
            "low": e.low().map_or(Value::Null, number),
            "high": e.high().map_or(Value::Null, number),
        })
    };
    let cases: Vec<Value> = verdict
        .map(|v| rows(study, v))
        .unwrap_or_default()
        .into_iter()
        .map(|row| {
            let mut case = Map::new();
            case.insert("case".to_owned(), row.case.into());
            case.insert("title".to_owned(), row.title.into());
            case.insert("chosen".to_owned(), row.chosen.into());
            case.insert("objections".to_owned(), row.objections.into());
            for figure in row.figures {
                let value = figure.value.map_or(Value::Null, interval);
                case.insert(figure.key.to_owned(), value);
            }
            Value::Object(case)
        })
        .collect();
    let shown = json!({
        "schema_version": SCHEMA_VERSION,
        "plimsoll_version": study.plimsoll_version,
        "scenario": text::name(&study.scenario),
        "complete": study.complete,
        "seeds": study.seeds,
        "intervals": verdict.map(Verdict::interval_note),
        "verdict": verdict.map(|v| v.pieces(study).into_iter().map(|p| json!({
            "label": p.label,
            "text": text::name(&p.text),
        })).collect::<Vec<_>>()),
        "cases": cases,
    });
    serde_json::to_string_pretty(&shown)
        .map(|text| text + "\n")
        .map_err(|e| Error::failed(format!("cannot write the comparison as JSON: {e}")))
}

fn csv(study: &Study, verdict: Option<&Verdict>) -> Result<String> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::failed(format!("cannot write the comparison as CSV: {e}"))
    };
    let rows = verdict.map(|v| rows(study, v)).unwrap_or_default();
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["case".to_owned(), "title".to_owned(), "chosen".to_owned()];
    for figure in rows.first().map(|r| r.figures.as_slice()).unwrap_or_default() {
        header.extend(["", "_low", "_high"].map(|end| format!("{}{end}", figure.key)));
    }
    csv.write_record(&header).map_err(|e| failed(&e))?;
    let cell = |value: Option<f64>| value.map(|v| number(v).to_string()).unwrap_or_default();
    for row in &rows {
        let mut record =
            vec![text::csv_cell(&row.case), text::csv_cell(&row.title), row.chosen.to_string()];
        for figure in &row.figures {
            let e = figure.value;
            record.push(cell(e.map(|e| e.mean)));
            record.push(cell(e.and_then(|e| e.low())));
            record.push(cell(e.and_then(|e| e.high())));
        }
        csv.write_record(&record).map_err(|e| failed(&e))?;
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

fn markdown(study: &Study, verdict: Option<&Verdict>) -> String {
    let Some(verdict) = verdict else { return "no case was finished\n".to_owned() };
    let rows = rows(study, verdict);
    let mut out = format!("**{}**\n\n", text::markdown_cell(&words::headline(study, verdict)));
    for sentence in words::sentences(study, verdict) {
        out += &text::markdown_cell(&sentence);
        out.push('\n');
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    out.push('\n');
    let figures = rows.first().map(|r| r.figures.as_slice()).unwrap_or_default();
    let mut header = vec!["case".to_owned()];
    header.extend(figures.iter().map(|f| f.heading.to_owned()));
    out += &line(&header);
    let mut rule = vec!["---".to_owned()];
    rule.extend(figures.iter().map(|_| "---:".to_owned()));
    out += &line(&rule);
    for row in &rows {
        let title = text::markdown_cell(&row.title);
        let mut cells = vec![if row.chosen { format!("**{title}**") } else { title }];
        cells.extend(row.figures.iter().map(|f| text::markdown_cell(&f.text)));
        out += &line(&cells);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::charts::tests::EVIL;
    use crate::report::sample;

    fn shown(study: &Study, format: Format) -> String {
        results(study, Verdict::of(study).as_ref(), format).expect("written")
    }

    #[test]
    fn nothing_is_wider_than_a_terminal() {
        let long = "a-case-with-a-name-that-nobody-should-have-chosen-but-somebody-did-at-last";
        for study in [
            sample::study(),
            sample::named("prod"),
            sample::named(long),
            sample::named(&long.replace('-', " ")),
            sample::scaled(10_000),
            sample::scaled(1_000_000_000),
            sample::scaled(0),
        ] {
            let text = shown(&study, Format::Table);
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{text}");
                assert_eq!(line.trim_end(), line, "trailing space");
            }
        }
    }

    #[test]
    fn the_terminal_says_what_matters() {
        let text = shown(&sample::study(), Format::Table);
        for part in [
            "* spot-and-plan  $466.94\u{A0}±\u{A0}13.27",
            "Choose EC2 Spot with a Savings Plan. It costs",
            "would flip   Fargate prices",
            "6.6 × m7i.xlarge",
            "/hour",
            "62\u{A0}% of dollars",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn many_workloads_do_not_flood_the_terminal() {
        let mut study = sample::study();
        for outcome in study.cases.iter_mut().flat_map(|c| c.outcomes.iter_mut().flatten()) {
            let one = outcome.workloads[0].clone();
            outcome.workloads = (0..40)
                .map(|i| crate::sweep::WorkloadOutcome { name: format!("w{i}"), ..one.clone() })
                .collect();
        }
        let text = shown(&study, Format::Table);
        assert_eq!(text.matches("\nworkload ").count(), ALIKE);
        assert!(text.contains("… and 32 more in comparison.csv"));
    }

    #[test]
    fn means_are_weighted_by_time_after_the_warm_up() {
        use crate::observe::TimelinePoint;
        use crate::units::SimTime;
        let point = |at, running| TimelinePoint { at: SimTime(at), running, ..Default::default() };
        let detail = Detail {
            warmup: SimTime(5),
            end: SimTime(25),
            timeline_step_ms: 10,
            timeline: vec![point(0, 1.0), point(10, 2.0), point(20, 4.0)],
            ..Detail::default()
        };
        // 5 ms at 1, 10 ms at 2, 5 ms at 4.
        let means = Means::of(&detail).expect("time");
        assert!((means.running - 2.25).abs() < 1e-12);
        assert!(Means::of(&Detail::default()).is_none());
    }

    #[test]
    fn words_wrap_and_are_never_lost() {
        let long = "x".repeat(200);
        let text = wrapped(&format!("one {long} two"), "label  ", "       ");
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH));
        assert_eq!(text.matches('x').count(), 200);
        assert!(text.starts_with("label  one\n"));
        assert_eq!(wrapped("", "", ""), "\n");
    }

    #[test]
    fn other_formats_hold_the_same_rows() {
        let study = sample::study();
        let json: Value = serde_json::from_str(&shown(&study, Format::Json)).expect("JSON");
        assert_eq!(json["cases"][1]["case"], "spot-and-plan");
        assert_eq!(json["cases"][1]["chosen"], true);
        assert_eq!(json["cases"][1]["cost_usd"]["mean"], 466.944_715);
        let csv = shown(&study, Format::Csv);
        assert!(csv.starts_with("case,title,chosen,cost_usd,cost_usd_low,cost_usd_high,list_usd"));
        assert!(csv.contains("\nspot-and-plan,EC2 Spot with a Savings Plan,true,466.944715,"));
        let markdown = shown(&study, Format::Markdown);
        assert!(markdown.contains("| **EC2 Spot with a Savings Plan** | $466.94"), "{markdown}");
        for format in [Format::Table, Format::Json, Format::Csv, Format::Markdown] {
            assert_eq!(shown(&study, format), shown(&sample::study(), format));
            assert!(!results(&Study::default(), None, format).expect("written").is_empty());
        }
    }

    #[test]
    fn names_stay_in_their_cells() {
        for name in [EVIL, "=cmd()", "+1", "@x", "a|b", "a\nb", "a,\"b\""] {
            let study = sample::named(name);
            let csv = shown(&study, Format::Csv);
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let mut rows = 0;
            for record in reader.records() {
                let record = record.expect("rectangular");
                assert!(!record[0].starts_with(['=', '+', '-', '@']), "{}", &record[0]);
                rows += 1;
            }
            assert_eq!(rows, 3);
            let markdown = shown(&study, Format::Markdown);
            assert!(!markdown.contains("<script"));
            let table: Vec<&str> = markdown.lines().filter(|l| l.starts_with("| ")).collect();
            assert_eq!(table.len(), 5, "{markdown}");
            let bars = |l: &str| l.replace("\\|", "").matches('|').count();
            assert!(table.iter().all(|l| bars(l) == bars(table[0])), "{markdown}");
            let text = shown(&study, Format::Table);
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
            let json = shown(&study, Format::Json);
            assert!(serde_json::from_str::<Value>(&json).is_ok());
        }
    }
}
