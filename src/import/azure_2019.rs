//! Invocations of Azure Functions, 2019: a day of a file that counts
//! invocations per function and minute, with a file of run times and one of
//! memory beside it (`AzureFunctionsDataset2019`).
//!
//! | file, column | use |
//! | --- | --- |
//! | trace: `HashOwner`, `HashApp`, `HashFunction` | key of the function; the first twelve characters of the last name its pods |
//! | trace: `1` … `1440` | invocations in each minute of the day |
//! | trace: `Trigger` | not used |
//! | `durations`: `percentile_Average_0`, `_1`, `_25`, `_50`, `_75`, `_99`, `_100` | run times, milliseconds |
//! | `durations`: `Average` | run time where a run is not drawn |
//! | `memory`: `AverageAllocatedMb`, `_pct95`, `_pct100` | usage (mean, 95th percentile, largest), MiB; the largest is what a pod requests |
//! | `memory`: `HashFunction` | where it is absent, as in the published set, the memory of an app holds for each of its functions |
//!
//! Every invocation is a pod of its own that ends with it: no instance is
//! kept warm or shared, which is how Kubernetes Jobs or Fargate tasks would
//! run it. Functions behind a service are better told as a service with its
//! demand. The trace says nothing of cpu.
//!
//! A row of the trace is a minute of a function, unexpanded. For each seed its
//! pods are spread uniformly over the minute, and their run times drawn
//! between the percentiles (linear in between, rounded up to milliseconds):
//! see [`RowDraws`].
//!
//! | | what happens |
//! | --- | --- |
//! | required option | `durations`; `requests.cpu`; `memory` or `requests.memory` |
//! | sorted | minutes of a function before those of the function above it, counted |
//! | rejected | `never-invoked` · `no-duration`: a function that the file of run times lacks · `no-memory`: one without memory, if `requests.memory` does not say |
//! | bad | a missing or extra field, a count that is no whole number; in the files beside, any such value, or percentiles that do not ascend, stops the reading |
//! | clipped | nothing |
//! | warned | nothing |

use std::io::Read;

use rustc_hash::FxHashMap;

use super::azure_2021::short_name;
use crate::error::{Error, Result};
use crate::text;
use crate::units::Bytes;
use crate::workload::Usage;
use crate::workload::draws::RowDraws;
use crate::workload::source::{BadRow, Code, Next, Quarantined, RawRow, RowSource, bad_rows};
use crate::workload::table::Table;

const MINUTE_MS: i64 = 60_000;
/// Minutes of the day that a file covers.
const MINUTES: usize = 1_440;
/// Most invocations of a function in a minute.
const MOST_INVOCATIONS: i64 = 100_000_000;

const NEVER_INVOKED: Code = Code { name: "never-invoked", text: "functions without invocation" };
const NO_DURATION: Code =
    Code { name: "no-duration", text: "functions whose run time `durations` does not say" };
const NO_MEMORY: Code = Code {
    name: "no-memory",
    text: "functions whose memory neither `memory` nor `requests.memory` says",
};

const KEY: [&str; 3] = ["HashOwner", "HashApp", "HashFunction"];
const DURATIONS: [&str; 8] = [
    "Average",
    "percentile_Average_0",
    "percentile_Average_1",
    "percentile_Average_25",
    "percentile_Average_50",
    "percentile_Average_75",
    "percentile_Average_99",
    "percentile_Average_100",
];
/// What the percentiles stand for, in parts per million.
const PERCENTILES: [u32; 7] = [0, 10_000, 250_000, 500_000, 750_000, 990_000, 1_000_000];
const MEMORY: [&str; 3] =
    ["AverageAllocatedMb", "AverageAllocatedMb_pct95", "AverageAllocatedMb_pct100"];

/// Key of a function, or of an app: its hashes, tab between them.
type Key = Vec<u8>;

/// Reads the three files.
pub struct Azure2019 {
    table: Table,
    key: [usize; KEY.len()],
    /// Columns of the minutes, with the minute from 0.
    minutes: Vec<(usize, i64)>,
    /// By function: mean run time in ms, and which of `draws`.
    durations: FxHashMap<Key, (i64, u32)>,
    draws: Vec<RowDraws>,
    memory: Option<Memory>,
    /// Whether pods without memory get some from elsewhere.
    memory_elsewhere: bool,
    /// Invocations per minute of the function at hand, in the order of
    /// `minutes`, and how many minutes have been given out.
    counts: Vec<i64>,
    next: usize,
    now: Function,
}

#[derive(Default)]
struct Function {
    name: String,
    duration_ms: i64,
    draws: u32,
    memory: Option<[Bytes; 3]>,
}

struct Memory {
    per_function: bool,
    /// Mean, 95th percentile, largest.
    of: FxHashMap<Key, [Bytes; 3]>,
}

/// A file beside the trace, opened.
pub struct Beside<'a> {
    /// Its bytes.
    pub input: Box<dyn Read>,
    /// What errors call it.
    pub name: &'a str,
}

impl Azure2019 {
    /// Reads `trace`, and the files beside it at once. `memory_elsewhere`:
    /// pods of functions without memory get the default of the workload.
    ///
    /// # Errors
    /// When a file cannot be read or lacks a column, or one of those beside
    /// the trace has a bad row.
    pub fn new(
        trace: Beside<'_>,
        durations: Beside<'_>,
        memory: Option<Beside<'_>>,
        memory_elsewhere: bool,
    ) -> Result<Self> {
        let what = "an invocation table of azure-functions-2019";
        let table = Table::new(trace.input, trace.name)?;
        let key = table.require(KEY, what)?;
        let minutes: Vec<(usize, i64)> = table
            .header()
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((at, name.trim().parse::<i64>().ok()?)))
            .collect();
        let ascends = minutes.iter().zip(1..).all(|((_, minute), n)| *minute == n);
        if minutes.len() != MINUTES || !ascends {
            return Err(Error::input(format!(
                "`{}` is not {what}: its columns of minutes are not 1 to {MINUTES}",
                table.name()
            )));
        }
        let (durations, draws) = read_durations(durations)?;
        Ok(Azure2019 {
            table,
            key,
            minutes: minutes.into_iter().map(|(at, minute)| (at, minute - 1)).collect(),
            durations,
            draws,
            memory: memory.map(read_memory).transpose()?,
            memory_elsewhere,
            counts: Vec::new(),
            next: 0,
            now: Function::default(),
        })
    }

    /// Takes up the function of the row at hand.
    fn take_up(&mut self) -> std::result::Result<std::result::Result<(), Code>, BadRow> {
        let table = &self.table;
        table.check_width()?;
        self.counts.clear();
        for (at, _) in &self.minutes {
            let count = text::integer(table.cell(*at), 0, MOST_INVOCATIONS);
            self.counts.push(count.map_err(|cause| table.fault(*at, &cause))?);
        }
        let name = short_name(table.cell(self.key[2]))
            .ok_or_else(|| table.fault(self.key[2], "is not text"))?;
        self.now.name.clear();
        self.now.name.push_str(name);
        // Nothing to give out unless all is known.
        self.next = self.counts.len();
        if self.counts.iter().all(|n| *n == 0) {
            return Ok(Err(NEVER_INVOKED));
        }
        let function = key(table, &self.key);
        let Some((duration_ms, draws)) = self.durations.get(&function) else {
            return Ok(Err(NO_DURATION));
        };
        (self.now.duration_ms, self.now.draws) = (*duration_ms, *draws);
        self.now.memory = self.memory.as_ref().and_then(|memory| {
            let columns = if memory.per_function { &self.key[..] } else { &self.key[..2] };
            memory.of.get(&key(table, columns)).copied()
        });
        if self.now.memory.is_none() && !self.memory_elsewhere {
            return Ok(Err(NO_MEMORY));
        }
        self.next = 0;
        Ok(Ok(()))
    }
}

fn key(table: &Table, columns: &[usize]) -> Key {
    let cells: Vec<&[u8]> = columns.iter().map(|at| table.cell(*at).trim_ascii()).collect();
    cells.join(&b'\t')
}

/// Calls `row` for each row of a file beside the trace; bad ones stop the
/// reading.
fn each_row(
    table: &mut Table,
    mut row: impl FnMut(&Table) -> std::result::Result<(), BadRow>,
) -> Result<()> {
    while table.advance()? {
        if let Err(bad) = table.check_width().and_then(|()| row(table)) {
            let bad = [Quarantined { position: table.line(), bad }];
            return Err(bad_rows(table.name(), "line", &bad, "correct it"));
        }
    }
    Ok(())
}

type Durations = (FxHashMap<Key, (i64, u32)>, Vec<RowDraws>);

fn read_durations(file: Beside<'_>) -> Result<Durations> {
    let what = "a table of run times of azure-functions-2019";
    let mut table = Table::new(file.input, file.name)?;
    let columns = table.require(KEY, what)?;
    let at = table.require(DURATIONS, what)?;
    let (mut known, mut draws) = (FxHashMap::default(), Vec::new());
    each_row(&mut table, |table| {
        let mut us = [0; DURATIONS.len()];
        for (us, at) in us.iter_mut().zip(at) {
            let ms = text::decimal(table.cell(at)).map_err(|c| table.fault(at, c))?;
            if ms > text::MAX_MS as f64 {
                return Err(table.fault(at, "is longer than 1,000 years"));
            }
            *us = (ms * 1e3).round() as i64;
        }
        let [mean, percentiles @ ..] = us;
        if let Some(n) = percentiles.windows(2).position(|w| w[0] > w[1]) {
            return Err(table.fault(at[n + 2], "is below the percentile before it"));
        }
        let run_us = PERCENTILES.into_iter().zip(percentiles).collect();
        known.insert(key(table, &columns), ((mean + 999) / 1_000, draws.len() as u32));
        draws.push(RowDraws { within_ms: MINUTE_MS, run_us });
        Ok(())
    })?;
    Ok((known, draws))
}

fn read_memory(file: Beside<'_>) -> Result<Memory> {
    let what = "a table of memory of azure-functions-2019";
    let mut table = Table::new(file.input, file.name)?;
    let [owner, app] = table.require([KEY[0], KEY[1]], what)?;
    let function = table.find(KEY[2]);
    let columns: Vec<usize> = [owner, app].into_iter().chain(function).collect();
    let at = table.require(MEMORY, what)?;
    let mut of = FxHashMap::default();
    each_row(&mut table, |table| {
        let mut bytes = [Bytes(0); MEMORY.len()];
        for (bytes, at) in bytes.iter_mut().zip(at) {
            let mib = text::decimal(table.cell(at)).map_err(|c| table.fault(at, c))?;
            if mib > 1e9 {
                return Err(table.fault(at, "is more than a billion MiB"));
            }
            *bytes = Bytes((mib * f64::from(1 << 20)).ceil() as i64);
        }
        of.insert(key(table, &columns), bytes);
        Ok(())
    })?;
    Ok(Memory { per_function: function.is_some(), of })
}

impl RowSource for Azure2019 {
    fn extended(&self) -> &[String] {
        &[]
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        loop {
            while let Some(count) = self.counts.get(self.next).copied() {
                let (_, minute) = self.minutes[self.next];
                self.next += 1;
                if count == 0 {
                    continue;
                }
                let used = |n: usize| Usage { cpu: None, memory: self.now.memory.map(|m| m[n]) };
                return Ok(Next::Row(RawRow {
                    name: &self.now.name,
                    arrival_ms: minute * MINUTE_MS,
                    duration_ms: self.now.duration_ms,
                    memory: self.now.memory.map(|m| m[2]),
                    count,
                    usage: used(0),
                    usage_p95: used(1),
                    usage_max: used(2),
                    draws: Some(self.now.draws),
                    ..RawRow::default()
                }));
            }
            self.counts.clear();
            self.next = 0;
            if !self.table.advance()? {
                return Ok(Next::End);
            }
            match self.take_up() {
                Ok(Ok(())) => {}
                Ok(Err(code)) => return Ok(Next::Rejected(code)),
                Err(bad) => {
                    self.counts.clear();
                    return Ok(Next::Bad(bad));
                }
            }
        }
    }

    fn position(&self) -> u64 {
        self.table.line()
    }

    fn draws(&mut self) -> Vec<RowDraws> {
        std::mem::take(&mut self.draws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MilliCpu;
    use crate::workload::source::{LoadedTrace, OnBadRow, TraceOptions, load};
    use proptest::prelude::*;
    use std::io::Cursor;

    fn header() -> String {
        let minutes: Vec<String> = (1..=MINUTES).map(|m| m.to_string()).collect();
        format!("HashOwner,HashApp,HashFunction,Trigger,{}\n", minutes.join(","))
    }

    /// A function invoked this often in these minutes, from 1.
    fn function(name: &str, invoked: &[(usize, &str)]) -> String {
        let mut cells = vec!["0"; MINUTES];
        for (minute, count) in invoked {
            cells[minute - 1] = count;
        }
        format!("o,a,{name},timer,{}\n", cells.join(","))
    }

    const DURATION_ROWS: &str = "HashOwner,HashApp,HashFunction,Average,Count,\
        percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,\
        percentile_Average_75,percentile_Average_99,percentile_Average_100\n\
        o,a,f,100.5,1,10,20,50,100,150,199,200\no,a,g,1,1,1,1,1,1,1,1,1\n";
    const MEMORY_ROWS: &str = "HashOwner,HashApp,HashFunction,SampleCount,AverageAllocatedMb,\
        AverageAllocatedMb_pct95,AverageAllocatedMb_pct100\no,a,f,1,100,110,128\n";
    const APP_ROWS: &str = "HashOwner,HashApp,AverageAllocatedMb,AverageAllocatedMb_pct95,\
        AverageAllocatedMb_pct100\no,a,1,2,3.5\n";

    fn read(
        [trace, durations, memory]: [&[u8]; 3],
        elsewhere: bool,
        on_bad_row: OnBadRow,
    ) -> Result<LoadedTrace> {
        let beside = |bytes: &[u8], name: &'static str| {
            let input = text::unpack(Cursor::new(bytes.to_vec())).expect("memory");
            Beside { input, name }
        };
        let memory = (!memory.is_empty()).then(|| beside(memory, "m.csv"));
        let (trace, durations) = (beside(trace, "t.csv"), beside(durations, "d.csv"));
        let mut source = Azure2019::new(trace, durations, memory, elsewhere)?;
        let cpu = Some(MilliCpu(100));
        load(&mut source, "t.csv", &TraceOptions { cpu, on_bad_row, ..TraceOptions::default() })
    }

    fn rows(rows: &str, memory: &str, elsewhere: bool) -> Result<LoadedTrace> {
        let trace = header() + rows;
        let files = [trace.as_bytes(), DURATION_ROWS.as_bytes(), memory.as_bytes()];
        read(files, elsewhere, OnBadRow::Fail)
    }

    #[test]
    fn minutes_become_rows_that_are_drawn_later() {
        let text = function("f", &[(1, "3"), (1_440, "2")])
            + &function("g", &[(2, "1")])
            + &function("h", &[(2, "1")])
            + &function("f", &[]);
        let loaded = rows(&text, MEMORY_ROWS, true).expect("fine");
        let trace = &loaded.data.trace;
        assert_eq!(trace.arrival_ms, [0, 60_000, 86_340_000]);
        assert_eq!(trace.duration_ms, [101, 1, 101]);
        assert_eq!(trace.count, [3, 1, 2]);
        assert_eq!(trace.row(0).draws, Some(0));
        assert_eq!(trace.row(1).draws, Some(1));
        let wanted = RowDraws {
            within_ms: 60_000,
            run_us: vec![
                (0, 10_000),
                (10_000, 20_000),
                (250_000, 50_000),
                (500_000, 100_000),
                (750_000, 150_000),
                (990_000, 199_000),
                (1_000_000, 200_000),
            ],
        };
        assert_eq!(trace.draws()[0], wanted);
        let shape = &loaded.data.shapes[trace.template[0].index()];
        assert_eq!((shape.cpu, shape.memory), (Some(MilliCpu(100)), Some(Bytes(128 << 20))));
        assert_eq!(trace.usage[0].memory, Some(Bytes(100 << 20)));
        assert_eq!(trace.usage_p95[0].memory, Some(Bytes(110 << 20)));
        assert_eq!(trace.name(0), "f");
        assert_eq!(loaded.report.rejected["no-duration"].rows, 1);
        assert_eq!(loaded.report.rejected["never-invoked"].rows, 1);
        let strict = rows(&text, MEMORY_ROWS, false).expect("fine");
        assert_eq!(strict.report.rejected["no-memory"].rows, 1);
        // The published set has memory per app.
        let app = rows(&text, APP_ROWS, false).expect("fine");
        assert_eq!(app.data.shapes[0].memory, Some(Bytes(7 << 19)));
        assert!(!app.report.rejected.contains_key("no-memory"));
    }

    #[test]
    fn bad_rows_and_headers_are_named() {
        let error = rows(&function("f", &[(3, "-1")]), "", true).expect_err("bad").to_string();
        let wanted = "line 2, column `3`: `-1` is not a whole number from 0";
        assert!(error.contains(wanted), "{error}");
        let trace = header() + &function("f", &[(3, "1")]);
        let bad = |durations: &str, memory: &str| {
            let files = [trace.as_bytes(), durations.as_bytes(), memory.as_bytes()];
            read(files, true, OnBadRow::Quarantine).expect_err("bad").to_string()
        };
        let error = bad(&DURATION_ROWS.replace("150", "99"), "");
        let wanted = "d.csv: line 2, column `percentile_Average_75`: `99` is below the percentile";
        assert!(error.contains(wanted), "{error}");
        let error = bad(&DURATION_ROWS.replace("100.5", "-1"), "");
        assert!(error.contains("d.csv: line 2, column `Average`: `-1` is negative"), "{error}");
        let error = bad(DURATION_ROWS, &MEMORY_ROWS.replace("128", "1e12"));
        assert!(error.contains("is more than a billion MiB"), "{error}");
        let error = bad(MEMORY_ROWS, "");
        let wanted = "`d.csv` is not a table of run times of azure-functions-2019: it lacks the \
            columns `Average`";
        assert!(error.starts_with(wanted), "{error}");
        let short = "HashOwner,HashApp,HashFunction,Trigger,1,2\n";
        let files = [short.as_bytes(), DURATION_ROWS.as_bytes(), b""];
        let error = read(files, true, OnBadRow::Fail).expect_err("short").to_string();
        assert!(error.contains("its columns of minutes are not 1 to 1440"), "{error}");
    }

    #[test]
    fn the_real_day_has_the_documented_counts() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let dir = shared.join("data/traces/azure-functions-2019");
        let file = |name: &str| std::fs::read(dir.join(name)).expect("reads");
        let files = [file("invocations.csv"), file("durations.csv"), file("memory.csv")];
        let [trace, durations, memory] = files.each_ref().map(Vec::as_slice);
        let loaded = read([trace, durations, memory], false, OnBadRow::Fail).expect("reads");
        // Minutes with invocations: 230 + 225 + 225 + 225.
        assert_eq!((loaded.report.accepted, loaded.report.pods), (905, 4_525));
        let trace = &loaded.data.trace;
        let of = |name: &str| {
            let mine = (0..trace.len()).filter(|row| trace.name(*row) == name);
            mine.map(|row| trace.count[row]).sum::<u32>()
        };
        assert_eq!((of("c13acdc7567b"), of("a2faad786b3c")), (1_150, 1_125));
        assert_eq!(trace.draws().len(), 4);
        let requests: Vec<_> = loaded.data.shapes.iter().filter_map(|s| s.memory).collect();
        assert_eq!(requests, [152, 235, 382, 113].map(|mib| Bytes(mib << 20)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_changed_byte_panics(
            file in 0usize..3, at in any::<proptest::sample::Index>(), byte in any::<u8>(),
        ) {
            let trace = header() + &function("f", &[(3, "1")]);
            let mut files = [trace.into_bytes(), DURATION_ROWS.into(), MEMORY_ROWS.into()];
            let i = at.index(files[file].len());
            files[file][i] = byte;
            let [a, b, c] = files.each_ref().map(Vec::as_slice);
            let _ = read([a, b, c], true, OnBadRow::Quarantine);
            files[file].truncate(i);
            let [a, b, c] = files.each_ref().map(Vec::as_slice);
            let _ = read([a, b, c], true, OnBadRow::Fail);
        }
    }
}
