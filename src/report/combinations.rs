//! What `sweep` prints: combinations, the best first, the Pareto front
//! marked; as a table within 80 columns, JSON, CSV or Markdown.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};

use super::sweep_figures::plain;
use super::terminal::{Format, WIDTH, wrapped};
use super::{text, words};
use crate::sweep::{Estimate, Metric, PastSweep, SweepStudy};
use crate::{Error, Result};

/// Combinations that a table shows in any case, the best.
const BEST: usize = 15;
/// Further ones that are on the front.
const FRONT: usize = 15;
/// Narrowest column of an axis.
const LEAST: usize = 4;
/// Widest column of a name.
const MOST: usize = 24;

/// The combinations of a sweep.
///
/// # Errors
/// When a writer fails, which a disk that is full cannot cause here.
pub fn sweep_results(study: &SweepStudy, format: Format) -> Result<String> {
    match format {
        Format::Table => Ok(terminal(Shown::of_study(study))),
        Format::Json => json(study),
        Format::Csv => csv(study),
        Format::Markdown => Ok(markdown(Shown::of_study(study))),
    }
}

/// The table of a sweep that was read back, for the terminal or as Markdown.
#[must_use]
pub fn past_sweep_table(past: &PastSweep, as_markdown: bool) -> String {
    let shown = Shown::of_past(past);
    if as_markdown { markdown(shown) } else { terminal(shown) }
}

/// A combination as people read it.
struct Row {
    combination: usize,
    pareto: bool,
    case: String,
    values: Vec<String>,
    figures: Vec<String>,
    note: &'static str,
}

const HEADINGS: [&str; 5] = ["cost", "± to base", "wait p95", "evicted", "lost"];

/// What is told of one combination.
struct Told {
    pareto: bool,
    serves_less: bool,
    goals_met: Option<bool>,
    /// Cost, its difference to the baseline, wait, evictions, interruptions.
    cost: Option<Estimate>,
    difference: Option<Estimate>,
    wait: Option<Estimate>,
    evicted: Option<Estimate>,
    lost: Option<Estimate>,
}

/// A sweep as a table needs it, whether it was just run or read back.
struct Shown<'a> {
    study: &'a SweepStudy,
    /// Combinations on the front.
    front: usize,
    /// The best first.
    rows: Vec<Row>,
}

impl<'a> Shown<'a> {
    fn of_study(study: &'a SweepStudy) -> Shown<'a> {
        let pareto = study.pareto();
        let told = |at: usize| Told {
            pareto: pareto[at],
            serves_less: study.combinations[at].serves_less,
            goals_met: study.combinations[at].goals_met(),
            cost: study.estimate(at, Metric::Cost),
            difference: study.difference(0, at, Metric::Cost),
            wait: study.estimate(at, Metric::PendingP95),
            evicted: study.estimate(at, Metric::Evictions),
            lost: study.estimate(at, Metric::Interruptions),
        };
        Shown::new(study, &study.ranked(), pareto.iter().filter(|on| **on).count(), told)
    }

    fn of_past(past: &'a PastSweep) -> Shown<'a> {
        let front = past.combinations.iter().filter(|c| c.pareto).count();
        let told = |at: usize| {
            let it = &past.combinations[at];
            Told {
                pareto: it.pareto,
                serves_less: it.serves_less,
                goals_met: it.goals_met,
                cost: it.estimate(Metric::Cost),
                difference: it.difference(Metric::Cost),
                wait: it.estimate(Metric::PendingP95),
                evicted: it.estimate(Metric::Evictions),
                lost: it.estimate(Metric::Interruptions),
            }
        };
        Shown::new(&past.swept, &past.ranking, front, told)
    }

    fn new(
        study: &'a SweepStudy,
        ranking: &[usize],
        front: usize,
        told: impl Fn(usize) -> Told,
    ) -> Shown<'a> {
        // Nothing is told of a sweep without combinations.
        let base = if study.combinations.is_empty() { None } else { told(0).cost };
        let base = base.map_or(0.0, |e| e.mean);
        let rows = ranking.iter().map(|at| row(study, *at, &told(*at), base)).collect();
        Shown { study, front, rows }
    }
}

fn row(study: &SweepStudy, at: usize, told: &Told, base: f64) -> Row {
    let change = match told.difference {
        _ if at == 0 => "base".to_owned(),
        Some(d) if base > 0.0 => {
            // Within noise, a sign would say more than is known.
            let mark = if d.within_noise() == Some(true) { "~" } else { "" };
            let sign = if d.mean > 0.0 { "+" } else { "" };
            format!("{mark}{sign}{}", text::percent(d.mean / base))
        }
        _ => "–".to_owned(),
    };
    let case = study.combinations.get(at).and_then(|c| study.cases.get(c.case));
    Row {
        combination: at,
        pareto: told.pareto,
        case: case.map(|c| text::name(&c.name)).unwrap_or_default(),
        values: (0..study.axes.len())
            .map(|axis| plain(study.value(at, axis).unwrap_or_default()))
            .collect(),
        figures: vec![
            words::or_dash(told.cost, |e| words::mean_usd(e.mean)),
            change,
            words::or_dash(told.wait, |e| text::seconds(e.mean)),
            words::or_dash(told.evicted, |e| text::mean_count(e.mean)),
            words::or_dash(told.lost, |e| text::mean_count(e.mean)),
        ],
        note: if told.serves_less {
            "serves less"
        } else if told.goals_met == Some(false) {
            "misses goal"
        } else {
            ""
        },
    }
}

/// The best rows, then what else is on the front; and how many are left out.
fn shown(rows: Vec<Row>) -> (Vec<Row>, usize) {
    let all = rows.len();
    let mut front = 0;
    let shown: Vec<Row> = rows
        .into_iter()
        .enumerate()
        .filter(|(rank, row)| {
            *rank < BEST
                || row.pareto && {
                    front += 1;
                    front <= FRONT
                }
        })
        .map(|(_, row)| row)
        .collect();
    let left = all - shown.len();
    (shown, left)
}

fn titles(study: &SweepStudy) -> Vec<String> {
    (0..study.axes.len())
        .map(|axis| text::name(study.axis_title(axis).unwrap_or_default()))
        .collect()
}

fn terminal(Shown { study, front, rows }: Shown<'_>) -> String {
    let (rows, left) = shown(rows);
    if rows.is_empty() {
        return "no cell was finished\n".to_owned();
    }
    let noted = rows.iter().any(|r| !r.note.is_empty());
    let figures = |row: &Row| -> Vec<String> {
        let note = noted.then(|| row.note.to_owned());
        row.figures.iter().cloned().chain(note).collect()
    };
    let mut headings: Vec<String> = HEADINGS.map(str::to_owned).to_vec();
    headings.extend(noted.then(String::new));
    let widest = |cells: &mut dyn Iterator<Item = String>| {
        cells.map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let taken: usize = (0..headings.len())
        .map(|i| {
            let mut cells = rows
                .iter()
                .map(|r| figures(r).get(i).cloned().unwrap_or_default())
                .chain([headings[i].clone()]);
            widest(&mut cells) + 2
        })
        .sum();
    let number = rows.iter().map(|r| r.combination.to_string().len()).max().unwrap_or(1);
    // Mark and number, then names share what is left.
    let room = WIDTH.saturating_sub(taken + 2 + number + 1);
    // A single case is no news where there are axes.
    let cased = study.cases.len() > 1 || study.axes.is_empty();
    let mut titles = titles(study);
    if cased {
        titles.insert(0, "case".to_owned());
    }
    let names_of = |row: &Row| -> Vec<String> {
        let case = cased.then(|| row.case.clone());
        case.into_iter().chain(row.values.iter().cloned()).collect()
    };
    let names = titles.len().min((room / (LEAST + 2)).max(1));
    let mut widths: Vec<usize> = (0..names)
        .map(|i| widest(&mut rows.iter().map(|r| names_of(r)[i].clone())).clamp(LEAST, MOST))
        .collect();
    // The widest gives way until all fit.
    while widths.iter().map(|w| w + 2).sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(most) if *most > LEAST => *most -= 1,
            _ => break,
        }
    }
    // What room is left goes to headings.
    for i in 0..names {
        let others: usize = widths.iter().map(|w| w + 2).sum::<usize>() - widths[i];
        let wanted = titles[i].chars().count();
        if wanted > widths[i] && others + wanted <= room {
            widths[i] = wanted;
        }
    }
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(presets::NOTHING.header_separator(rule));
    table.set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec![format!("  {:>number$}", "#")];
    // A heading cut short tells nothing: such a column gets a letter.
    let mut legend = Vec::new();
    header.extend(titles.iter().zip(&widths).zip('A'..='Z').map(|((title, width), letter)| {
        if title.chars().count() <= *width {
            return title.clone();
        }
        legend.push(format!("{letter} {title}"));
        letter.to_string()
    }));
    header.extend(headings.iter().cloned());
    table.set_header(header);
    for row in &rows {
        let mark = if row.pareto { "*" } else { " " };
        let at = format!("{:>number$}", row.combination);
        let mut cells = vec![format!("{mark} {at}")];
        cells.extend(
            names_of(row).iter().zip(&widths).map(|(name, width)| text::shortened(name, *width)),
        );
        cells.extend(figures(row));
        table.add_row(cells);
    }
    let first_figure = 1 + names;
    let last = names + headings.len();
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, u16::from(i != last)));
        if i >= first_figure && !(noted && i == last) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = String::new();
    for line in table.lines() {
        out += line.trim_end();
        out.push('\n');
    }
    out.push('\n');
    for line in legend {
        out += &wrapped(&line, "", "  ");
    }
    let mut said = vec![
        text::counted(study.combinations.len() as u64, "combination"),
        text::counted(study.seeds.len() as u64, "seed"),
        text::counted(study.simulations as u64, "simulation"),
    ];
    if left > 0 {
        said.push(format!("{} not shown", text::count(left as u64)));
    }
    if titles.len() > names {
        let n = titles.len() - names;
        said.push(format!("{} without room, see --format csv", text::counted(n as u64, "setting")));
    }
    out += &wrapped(&said.join(", "), "", "");
    out += &wrapped(
        &format!(
            "* on the Pareto front of cost, wait p95 and disruptions ({front}); cost is net, \
             differences are paired by seed, ~ within simulation noise"
        ),
        "",
        "",
    );
    if !study.complete {
        out += "partial: the sweep was interrupted, means are over the cells that finished\n";
    }
    out
}

fn json(study: &SweepStudy) -> Result<String> {
    let mut bytes = Vec::new();
    study.document().write(&mut bytes)?;
    String::from_utf8(bytes)
        .map_err(|e| Error::failed(format!("cannot write the sweep as JSON: {e}")))
}

/// One line per combination and metric, in the order of the sweep.
fn csv(study: &SweepStudy) -> Result<String> {
    let failed =
        |e: &dyn std::fmt::Display| Error::failed(format!("cannot write the sweep as CSV: {e}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = vec!["combination".to_owned(), "case".to_owned()];
    header.extend(study.axes.iter().map(|a| text::csv_cell(&a.path)));
    header.extend(
        [
            "pareto",
            "serves_less",
            "goals_met",
            "metric",
            "unit",
            "mean",
            "ci_low",
            "ci_high",
            "diff",
            "diff_low",
            "diff_high",
            "seeds",
        ]
        .map(str::to_owned),
    );
    csv.write_record(&header).map_err(|e| failed(&e))?;
    let pareto = study.pareto();
    let cell = |v: Option<f64>| v.map(crate::sweep::plain_number).unwrap_or_default();
    for (at, it) in study.combinations.iter().enumerate() {
        let mut start = vec![at.to_string()];
        start.push(study.cases.get(it.case).map(|c| text::csv_cell(&c.name)).unwrap_or_default());
        start.extend(
            (0..study.axes.len())
                .map(|axis| text::csv_cell(study.value(at, axis).unwrap_or_default())),
        );
        start.extend([
            pareto[at].to_string(),
            it.serves_less.to_string(),
            it.goals_met().map(|m| m.to_string()).unwrap_or_default(),
        ]);
        for metric in Metric::ALL {
            let Some(e) = study.estimate(at, metric) else { continue };
            let d = if at == 0 { None } else { study.difference(0, at, metric) };
            let mut record = start.clone();
            record.extend([
                metric.name().to_owned(),
                metric.unit().to_owned(),
                cell(Some(e.mean)),
                cell(e.low()),
                cell(e.high()),
                cell(d.map(|d| d.mean)),
                cell(d.and_then(|d| d.low())),
                cell(d.and_then(|d| d.high())),
                e.n.to_string(),
            ]);
            csv.write_record(&record).map_err(|e| failed(&e))?;
        }
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

fn markdown(Shown { study, rows, .. }: Shown<'_>) -> String {
    let (rows, left) = shown(rows);
    if rows.is_empty() {
        return "no cell was finished\n".to_owned();
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut header = vec!["case".to_owned()];
    header.extend(titles(study).iter().map(|t| text::markdown_cell(t)));
    let mut rule = vec!["---".to_owned(); header.len()];
    header.extend(HEADINGS.map(str::to_owned));
    rule.extend(HEADINGS.map(|_| "---:".to_owned()));
    header.push(String::new());
    rule.push("---".to_owned());
    let mut out = line(&header) + &line(&rule);
    for row in &rows {
        let case = text::markdown_cell(&row.case);
        let mut cells = vec![if row.pareto { format!("**{case}**") } else { case }];
        cells.extend(row.values.iter().map(|v| text::markdown_cell(v)));
        cells.extend(row.figures.iter().map(|f| text::markdown_cell(f)));
        cells.push(row.note.to_owned());
        out += &line(&cells);
    }
    let mut said = vec!["Bold: on the Pareto front of cost, wait p95 and disruptions.".to_owned()];
    if left > 0 {
        said.push(format!("{left} combinations are not shown."));
    }
    if !study.complete {
        said.push("Partial: the sweep was interrupted.".to_owned());
    }
    out.push('\n');
    out += &said.join(" ");
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::charts::tests::EVIL;
    use crate::sweep::sample::sweep_sample;

    #[test]
    fn the_table_fits_80_columns_whatever_names_are() {
        let mut study = sweep_sample();
        let plain = sweep_results(&study, Format::Table).expect("shown");
        let lines: Vec<&str> = plain.lines().collect();
        assert!(lines[0].contains("case") && lines[0].contains("usd-per-hour"), "{plain}");
        // The first row is the best of the ranking.
        let best = study.ranked()[0];
        assert!(lines[2].starts_with(&format!("* {best:>2}")), "{plain}");
        study.cases[0].name = EVIL.repeat(9);
        study.axes[0].path = format!("pools.{}", "long".repeat(40));
        study.axes[1].values[1] = "v".repeat(200);
        study.complete = false;
        study.combinations.iter_mut().take(9).for_each(|c| c.serves_less = true);
        for axis in 0..9 {
            study.axes.push(crate::sweep::Axis {
                path: format!("some.path.number-{axis}"),
                values: vec!["Never".to_owned()],
            });
            study.combinations.iter_mut().for_each(|c| c.values.push(0));
        }
        let table = sweep_results(&study, Format::Table).expect("shown");
        for line in table.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(table.contains("partial"), "{table}");
        assert!(table.contains("serves less"), "{table}");
    }

    #[test]
    fn headings_without_room_get_letters_and_a_legend() {
        let mut study = sweep_sample();
        study.axes[0].path = format!("pools.batch.asg.purchase.{}", "share-".repeat(6));
        let table = sweep_results(&study, Format::Table).expect("shown");
        let title = study.axis_title(0).expect("an axis");
        assert!(!table.lines().next().expect("a heading").contains(title), "{table}");
        assert!(table.contains(&format!("\nB {title}\n")), "{table}");
    }

    #[test]
    fn settings_without_room_are_counted() {
        let mut study = sweep_sample();
        let axis = study.axes[0].clone();
        for it in &mut study.combinations {
            it.values.extend([0; 20]);
        }
        study
            .axes
            .extend((0..20).map(|i| crate::sweep::Axis { path: format!("x{i}"), ..axis.clone() }));
        let table = sweep_results(&study, Format::Table).expect("shown");
        assert!(table.lines().all(|l| l.chars().count() <= WIDTH), "{table}");
        let words = table.replace('\n', " ");
        assert!(words.contains(" settings without room, see --format csv"), "{table}");
    }

    #[test]
    fn every_format_has_every_combination() {
        let study = sweep_sample();
        let csv = sweep_results(&study, Format::Csv).expect("written");
        assert!(csv.starts_with(
            "combination,case,pools.batch.asg.max,commitments.base.usd-per-hour,pareto,"
        ));
        let costs = csv.lines().filter(|l| l.contains(",cost,USD,")).count();
        assert_eq!(costs, study.combinations.len());
        let json: serde_json::Value =
            serde_json::from_str(&sweep_results(&study, Format::Json).expect("written"))
                .expect("JSON");
        assert_eq!(json["combinations"].as_array().map(Vec::len), Some(18));
        let markdown = sweep_results(&study, Format::Markdown).expect("written");
        assert!(markdown.contains("| **spot** |"), "{markdown}");
    }

    #[test]
    fn a_sweep_read_back_shows_the_same_table() {
        let dir = tempfile::tempdir().expect("dir");
        let mut study = sweep_sample();
        study.combinations[4].serves_less = true;
        let file = std::fs::File::create(dir.path().join("sweep.json")).expect("file");
        study.document().write(file).expect("written");
        let past = PastSweep::open(dir.path()).expect("read back");
        for (format, as_markdown) in [(Format::Table, false), (Format::Markdown, true)] {
            let was = sweep_results(&study, format).expect("shown");
            assert_eq!(past_sweep_table(&past, as_markdown), was);
        }
    }

    #[test]
    fn nothing_finished_is_said() {
        let mut study = sweep_sample();
        for combination in &mut study.combinations {
            combination.outcomes.iter_mut().for_each(|o| *o = None);
        }
        for format in [Format::Table, Format::Markdown] {
            assert_eq!(sweep_results(&study, format).expect("said"), "no cell was finished\n");
        }
    }
}
