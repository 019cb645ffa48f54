//! `plimsoll report`: shows a finished result again, from its own files.

use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, TableStyle, presets};

use super::{Format, Outcome, print};
use crate::sweep::{PastSweep, read};
use crate::{Error, Result};

/// What the table shows: metric in `comparison.csv`, heading, decimals.
const COLUMNS: [(&str, &str, usize); 7] = [
    ("cost", "cost $", 2),
    ("cost_monthly", "$/month", 2),
    ("pending_p95", "p95 wait s", 1),
    ("evictions", "evicted", 1),
    ("interruptions", "interr.", 1),
    ("unserved_core_hours", "unserved", 1),
    ("nodes_peak", "peak", 0),
];

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Characters of a case's name at most.
const NAME: usize = 18;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Directory that `plimsoll run` or `plimsoll sweep` wrote
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    if PastSweep::is_in(&args.directory) {
        return sweep(args);
    }
    let comparison = comparison(&args.directory)?;
    let text = match args.format {
        Format::Csv => comparison,
        Format::Json => summaries(&args.directory, &comparison)?,
        Format::Table => table(&args.directory, &comparison, presets::NOTHING)?,
        Format::Markdown => table(&args.directory, &comparison, presets::ASCII_MARKDOWN)?,
    };
    print(&text)?;
    Ok(Outcome::Fine)
}

/// A sweep, from its own files.
fn sweep(args: &Args) -> Result<Outcome> {
    let past = PastSweep::open(&args.directory)?;
    let text = match args.format {
        Format::Table | Format::Markdown => {
            crate::report::past_sweep_table(&past, args.format == Format::Markdown)
        }
        Format::Json => read(&args.directory.join("sweep.json"))?,
        Format::Csv => read(&args.directory.join("combinations.csv"))?,
    };
    print(&text)?;
    Ok(Outcome::Fine)
}

/// What `comparison.csv` of a result holds.
fn comparison(directory: &Path) -> Result<String> {
    let path = directory.join("comparison.csv");
    if directory.is_dir() && !path.exists() {
        let why = if PastSweep::is_in(directory) {
            "holds a sweep; name a result of `plimsoll run`"
        } else {
            "is no result of `plimsoll run`: it has no `comparison.csv`"
        };
        return Err(Error::input(format!("`{}` {why}", directory.display())));
    }
    read(&path)
}

/// One line of `comparison.csv` as far as it is shown.
#[derive(Debug, serde::Deserialize)]
struct Line {
    case: String,
    workload: String,
    metric: String,
    mean: f64,
}

fn lines(directory: &Path, comparison: &str) -> Result<Vec<Line>> {
    csv::Reader::from_reader(comparison.as_bytes())
        .deserialize()
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| {
            let path = directory.join("comparison.csv");
            Error::input(format!("`{}` is no comparison of plimsoll: {e}", path.display()))
        })
}

/// Cases in the order of the file.
fn cases(lines: &[Line]) -> Vec<&str> {
    let mut cases: Vec<&str> = Vec::new();
    for line in lines {
        if cases.last() != Some(&line.case.as_str()) {
            cases.push(&line.case);
        }
    }
    cases
}

fn table(directory: &Path, comparison: &str, style: TableStyle) -> Result<String> {
    let lines = lines(directory, comparison)?;
    let mut table = Table::new();
    table.load_style(style);
    let mut header = vec!["case"];
    header.extend(COLUMNS.iter().map(|(_, heading, _)| *heading));
    table.set_header(header);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for case in cases(&lines) {
        let cells = COLUMNS.iter().map(|(metric, _, places)| {
            lines
                .iter()
                .find(|l| l.case == case && l.workload.is_empty() && l.metric == *metric)
                .map_or_else(|| "-".to_owned(), |l| format!("{:.places$}", l.mean))
        });
        rows.push(std::iter::once(crate::report::printable(case)).chain(cells).collect());
    }
    // What figures leave of the line, a blank on either side, is for names.
    let taken = (1..=COLUMNS.len()).map(|column| {
        let heading = COLUMNS[column - 1].1.len();
        rows.iter().map(|row| row[column].len()).chain([heading]).max().unwrap_or(0) + 2
    });
    let room = WIDTH.saturating_sub(taken.sum::<usize>() + 2).clamp(8, NAME);
    for mut row in rows {
        row[0] = crate::report::shortened(&row[0], room);
        table.add_row(row);
    }
    for column in 1..=COLUMNS.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(table.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}

/// The cases of a result and the summary of one of them, or of the first.
pub(super) fn summary(directory: &Path, case: Option<&str>) -> Result<serde_json::Value> {
    let lines = lines(directory, &comparison(directory)?)?;
    let all = cases(&lines);
    let case = match case {
        Some(case) if all.contains(&case) => case,
        Some(case) => {
            let near = crate::names::nearest(case, all.iter().copied());
            let help = near.map_or_else(
                || format!("the result has {}", all.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let shown = directory.display();
            return Err(Error::input(format!("`{shown}` has no case `{case}`\n  = help: {help}")));
        }
        None => all.first().copied().unwrap_or_default(),
    };
    summary_of(directory, case)
}

fn summary_of(directory: &Path, case: &str) -> Result<serde_json::Value> {
    // The file is ours, but its names become a path: only plain ones.
    if case.is_empty() || case.contains(['/', '\\']) || case.starts_with('.') {
        return Err(Error::input(format!("`{case}` is no name of a case")));
    }
    let path = directory.join(case).join("summary.json");
    serde_json::from_str(&read(&path)?)
        .map_err(|e| Error::input(format!("`{}`: {e}", path.display())))
}

/// The summaries of all cases as one JSON array.
fn summaries(directory: &Path, comparison: &str) -> Result<String> {
    let lines = lines(directory, comparison)?;
    let mut all = Vec::new();
    for case in cases(&lines) {
        all.push(summary_of(directory, case)?);
    }
    serde_json::to_string_pretty(&all)
        .map(|s| s + "\n")
        .map_err(|e| Error::failed(format!("cannot print summaries: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_a_terminal_with_long_names() {
        let mut csv = vec!["case,workload,metric,mean".to_owned()];
        for case in ["base", "rightsized-fewest-nodes-of-all", "\u{1b}[31mred"] {
            csv.extend(COLUMNS.iter().map(|(metric, ..)| format!("{case},,{metric},12345.6")));
        }
        let table = table(Path::new("d"), &csv.join("\n"), presets::NOTHING).expect("a table");
        assert!(table.lines().all(|l| l.chars().count() <= WIDTH), "{table}");
        assert!(table.contains("rights") && !table.contains('\u{1b}'), "{table}");
        assert_eq!(table.lines().count(), 4);
    }
}
