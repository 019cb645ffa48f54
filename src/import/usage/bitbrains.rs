//! One virtual machine of the Bitbrains traces (GWA-T-12 of the Grid
//! Workloads Archive, `fastStorage` and `Rnd`): cells end in a semicolon and
//! a tab.
//!
//! | column | use |
//! | --- | --- |
//! | `Timestamp [ms]` | end of the interval. Seconds since 1970 in spite of the name; values of 10^11 and more are milliseconds |
//! | `CPU cores`, `CPU usage [%]` | percent of all cores: mean cpu used |
//! | `CPU usage [MHZ]`, `CPU capacity provisioned [MHZ]` | not used: the same to rounding |
//! | `Memory usage [KB]` | KiB: mean memory used |
//! | `CPU cores`, `Memory capacity provisioned [KB]` | what the machine asks for and cannot exceed: request and limit |
//! | disks and networks | not used |
//!
//! The step drifts (299 to 301 s), so each sample covers the time since the
//! one before it; after a gap of more than one and a half typical steps, and
//! for the first, one typical step (the median). That a sample is the mean of
//! the time before it, not a reading, is believed: the archive does not say.
//! The series is named by the file: `vm.csv.gz` is pod `vm`, without
//! namespace; a scenario's `match` says whose it is.
//!
//! | | what happens |
//! | --- | --- |
//! | bad | a missing or extra field, a value that is no number, negative or absurdly large |

use crate::error::{Error, Result};
use crate::units::Bytes;
use crate::workload::source::{BadRow, bad_value};
use crate::workload::table::Table;
use crate::workload::usage::gather::{Gather, MAX_SPAN_MS, scaled};
use crate::workload::usage::{MicroCpu, StatedResources, UsageKey, UsageSample};

/// Columns that must be present, by their beginning.
pub(super) const REQUIRED: [&str; 5] = [
    "Timestamp",
    "CPU cores",
    "CPU usage [%]",
    "Memory capacity provisioned [KB]",
    "Memory usage [KB]",
];

/// From here on a timestamp counts milliseconds: 1973 in those, the year 5138
/// in seconds.
const MILLISECONDS: f64 = 1e11;

struct Row {
    end_unix_ms: i64,
    cpu: MicroCpu,
    memory: Bytes,
    stated: StatedResources,
}

/// Reads a machine's file into `gather` as pod `name`.
///
/// # Errors
/// When it cannot be read, lacks a column, or rows are bad.
pub(super) fn read_into(table: &mut Table, name: &str, gather: &mut Gather) -> Result<()> {
    let mut at = [0; REQUIRED.len()];
    let mut missing = Vec::new();
    for (slot, wanted) in at.iter_mut().zip(REQUIRED) {
        match table.header().iter().position(|h| h.trim().starts_with(wanted)) {
            Some(column) => *slot = column,
            None => missing.push(format!("`{wanted}`")),
        }
    }
    if !missing.is_empty() {
        return Err(Error::input(format!(
            "`{}` is no Bitbrains machine: it lacks the columns {}",
            table.name(),
            missing.join(", ")
        )));
    }
    let mut rows: Vec<Row> = Vec::new();
    while table.advance()? {
        gather.row();
        match row(table, &at) {
            Ok(row) => rows.push(row),
            Err(mut bad) => {
                bad.text = table.row_text();
                gather.bad(table.line(), bad)?;
            }
        }
    }
    gather.check_bad()?;
    let mut steps: Vec<i64> = rows
        .windows(2)
        .map(|w| w[1].end_unix_ms - w[0].end_unix_ms)
        .filter(|ms| (1..=MAX_SPAN_MS).contains(ms))
        .collect();
    steps.sort_unstable();
    let Some(&step) = steps.get(steps.len() / 2) else {
        return Err(Error::input(format!(
            "`{}`: fewer than two samples in order; their distance is the length of one",
            table.name()
        )));
    };
    let mut before: Option<i64> = None;
    for row in rows {
        let since = before.map_or(step, |b| row.end_unix_ms.saturating_sub(b));
        // Out of order, or after a gap: its place is sorted out afterwards.
        let span_ms = if (1..=step * 3 / 2).contains(&since) { since } else { step };
        before = Some(row.end_unix_ms);
        let key = UsageKey { pod: name.to_owned(), ..UsageKey::default() };
        let series = gather.series(key)?;
        series.state(row.end_unix_ms, row.stated);
        series.sample(UsageSample {
            start_unix_ms: row.end_unix_ms - span_ms,
            span_ms,
            cpu_mean: Some(row.cpu),
            memory_mean: Some(row.memory),
            ..UsageSample::default()
        });
    }
    Ok(())
}

fn row(table: &Table, at: &[usize; REQUIRED.len()]) -> std::result::Result<Row, BadRow> {
    // A row may end in a separator, as the format's cells do.
    if !table.cell(table.header().len()).is_empty() {
        table.check_width()?;
    }
    let number = |i: usize, unit: f64, most: f64| {
        let value = table.cell(at[i]).trim_ascii();
        scaled(value, unit, most, "is absurdly large")
            .map_err(|cause| bad_value(REQUIRED[i], value, &cause, b""))
    };
    let stamp = number(0, 1.0, 3e13)?;
    let end_unix_ms = if stamp as f64 >= MILLISECONDS { stamp } else { number(0, 1e3, 1e14)? };
    let cores = number(1, 1e6, 1e12)?;
    // Percent of all cores, in millionths of a core.
    let cpu = number(2, cores as f64 / 100.0, 1e12)?;
    let most = (1u64 << 52) as f64;
    let (provisioned, memory) = (number(3, 1024.0, most)?, number(4, 1024.0, most)?);
    let (cores, provisioned) = (Some(MicroCpu(cores)), Some(Bytes(provisioned)));
    Ok(Row {
        end_unix_ms,
        cpu: MicroCpu(cpu),
        memory: Bytes(memory),
        stated: StatedResources {
            cpu_request: cores,
            cpu_limit: cores,
            memory_request: provisioned,
            memory_limit: provisioned,
        },
    })
}
