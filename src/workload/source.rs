//! How rows become a trace, whatever format they come from.
//!
//! A reader implements [`RowSource`]: it turns its format's columns into
//! [`RawRow`]s and says of every other row why not. [`load`] is the one place
//! that applies defaults, checks ranges, interns shapes, sorts, and decides
//! what a bad row leads to. Three words are kept apart:
//!
//! * **bad**: the row cannot be read (no number, negative, too few fields).
//!   `on-bad-row: fail` stops with the first twenty; `quarantine` leaves them
//!   out, counts and lists them.
//! * **rejected**: the row is well formed and describes nothing to replay,
//!   such as a job that never started. Counted by reason, never an error.
//! * **clipped**: the row is replayed with a value its source cut off.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use super::draws::RowDraws;
use super::intern::{LocalTemplates, MAX_SHAPES, PodRules, TraceData};
use super::model::{Trace, TraceRow, Usage};
use crate::error::{Error, Result};
use crate::text::{MAX_MS, excerpt};
use crate::units::{Bytes, MilliCpu};

/// Most rows of one trace.
pub const MAX_ROWS: u64 = 50_000_000;
/// Bad rows shown at once before giving up.
pub(crate) const SHOWN_BAD_ROWS: usize = 20;
/// Quarantined rows kept with their text; beyond it they are only counted.
pub const LISTED_QUARANTINED_ROWS: usize = 10_000;
/// Distinct shapes beyond which a simulation slows down noticeably.
const MANY_SHAPES: usize = 2_000;
/// Longest pod name and namespace (an RFC 1123 subdomain, as the Kubernetes
/// API demands of pod names).
const MAX_NAME_BYTES: usize = 253;

/// A reason with a stable name, for reports and tests, and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Stable name such as `zero-run-time`.
    pub name: &'static str,
    /// What it means, as the rest of a sentence about rows.
    pub text: &'static str,
}

/// The trace has more distinct shapes than is comfortable.
const WARN_MANY_SHAPES: Code = Code {
    name: "many-shapes",
    text: "distinct pod shapes; rounding requests makes the simulation faster",
};
/// Rows stood out of order.
const WARN_UNSORTED: Code =
    Code { name: "unsorted", text: "rows stood before an earlier arrival and were sorted" };

/// One row of a source. `None` means the source does not say.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawRow<'a> {
    /// Name, empty where there is none.
    pub name: &'a str,
    /// Namespace, where the row states one.
    pub namespace: Option<&'a str>,
    /// Milliseconds since the start of the run.
    pub arrival_ms: i64,
    /// Milliseconds.
    pub duration_ms: i64,
    /// Requested cpu.
    pub cpu: Option<MilliCpu>,
    /// Requested memory.
    pub memory: Option<Bytes>,
    /// Amounts in the order of [`RowSource::extended`]; may be empty.
    pub extended: &'a [i64],
    /// Pods in the row.
    pub count: i64,
    /// Priority, where the row states one.
    pub priority: Option<i32>,
    /// Mean usage.
    pub usage: Usage,
    /// 95th percentile of usage.
    pub usage_p95: Usage,
    /// Largest usage.
    pub usage_max: Usage,
    /// Why a value of this row was cut off, if one was.
    pub clipped: Option<Code>,
    /// How its pods come to differ: which of [`RowSource::draws`].
    pub draws: Option<u32>,
    /// What else the user should know about this row.
    pub warnings: [Option<Code>; 3],
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The column at fault, empty where it is the row as a whole.
    pub column: String,
    /// A sentence about it: the value and what is wrong with it.
    pub cause: String,
    /// The row as it stands in the file, shortened.
    pub text: String,
}

/// What a source found.
#[derive(Debug)]
// Almost every value is a row: boxing it would allocate per row.
#[allow(clippy::large_enum_variant)]
pub enum Next<'a> {
    /// A row to replay.
    Row(RawRow<'a>),
    /// A row that describes nothing to replay.
    Rejected(Code),
    /// A row that cannot be read.
    Bad(BadRow),
    /// No more rows.
    End,
}

/// A reader of some format.
pub trait RowSource {
    /// Names of the extended resources its rows may carry.
    fn extended(&self) -> &[String];

    /// The next row. A failure here concerns the file as a whole.
    ///
    /// # Errors
    /// When the file cannot be read further.
    fn next_row(&mut self) -> Result<Next<'_>>;

    /// Where the last row stands: its line, or its number in a binary file,
    /// from 1.
    fn position(&self) -> u64;

    /// Accepted rows that turn out to be clipped only once the whole source
    /// is known, and why.
    fn clipped_at_end(&self) -> Option<(Code, u64)> {
        None
    }

    /// What else the user should know once the whole source is known, and how
    /// often it happened.
    fn noted_at_end(&self) -> Option<(Code, u64)> {
        None
    }

    /// What [`RawRow::draws`] refers to; asked for once, at the end.
    fn draws(&mut self) -> Vec<RowDraws> {
        Vec::new()
    }

    /// What [`RowSource::position`] counts.
    fn unit(&self) -> &'static str {
        "line"
    }
}

/// What happens to rows that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadRow {
    /// Reading fails and shows them.
    #[default]
    Fail,
    /// They are left out, counted and listed.
    Quarantine,
}

/// What the user says about a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceOptions {
    /// Namespace of rows that state none.
    pub namespace: String,
    /// Priority of rows that state none.
    pub priority: i32,
    /// Requested cpu of rows that state none.
    pub cpu: Option<MilliCpu>,
    /// Requested memory of rows that state none.
    pub memory: Option<Bytes>,
    /// Constraints and life cycle of its pods.
    pub rules: PodRules,
    /// What happens to rows that cannot be read.
    pub on_bad_row: OnBadRow,
    /// Start of the run in Unix milliseconds, to which calendar timestamps
    /// refer; where absent a trace must count in seconds.
    pub start_unix_ms: Option<i64>,
}

impl Default for TraceOptions {
    fn default() -> Self {
        TraceOptions {
            namespace: "default".into(),
            priority: 0,
            cpu: None,
            memory: None,
            rules: PodRules::default(),
            on_bad_row: OnBadRow::default(),
            start_unix_ms: None,
        }
    }
}

/// How often something happened, and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// Meaning of the code they are counted under.
    pub text: &'static str,
}

/// Rows counted by code name.
pub type Tallies = BTreeMap<&'static str, Tally>;

/// A row that was left out because it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its line or row number.
    pub position: u64,
    /// Why.
    pub bad: BadRow,
}

/// What became of every row of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadReport {
    /// Name of the source as the user wrote it.
    pub source: String,
    /// Rows read: accepted, rejected and quarantined.
    pub rows: u64,
    /// Rows replayed.
    pub accepted: u64,
    /// Pods in them.
    pub pods: u64,
    /// Rows that stood before an earlier one and were sorted.
    pub sorted: u64,
    /// Rows that describe nothing to replay, by reason.
    pub rejected: Tallies,
    /// Accepted rows with a value the source cut off, by reason.
    pub clipped: Tallies,
    /// Other things to know, by code.
    pub warnings: Tallies,
    /// Rows that cannot be read.
    pub quarantined: u64,
    /// The first [`LISTED_QUARANTINED_ROWS`] of them.
    pub quarantined_rows: Vec<Quarantined>,
}

impl std::fmt::Display for ReadReport {
    /// One line: what became of the rows.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = crate::nouns::counted(self.rows, "row");
        write!(f, "trace {}: {rows}, {} accepted", self.source, self.accepted)?;
        if self.sorted > 0 {
            write!(f, ", {} out of order", self.sorted)?;
        }
        for (what, tallies) in
            [("rejected", &self.rejected), ("clipped", &self.clipped), ("noted", &self.warnings)]
        {
            for (code, tally) in tallies {
                write!(f, ", {} {what} ({code})", tally.rows)?;
            }
        }
        if self.quarantined > 0 {
            write!(f, ", {} quarantined", self.quarantined)?;
        }
        Ok(())
    }
}

impl ReadReport {
    /// Writes the quarantined rows as CSV. Spreadsheets run cells that start
    /// like a formula, and these cells come from a file that is already
    /// known to be odd: such cells get a leading apostrophe.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write_quarantine_csv(&self, out: impl Write) -> io::Result<()> {
        let inert = |text: &str| {
            if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                format!("'{text}")
            } else {
                text.to_owned()
            }
        };
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["source", "position", "column", "reason", "row"])?;
        for row in &self.quarantined_rows {
            csv.write_record([
                &inert(&self.source),
                &row.position.to_string(),
                &inert(&row.bad.column),
                &inert(&row.bad.cause),
                &inert(&row.bad.text),
            ])?;
        }
        csv.flush()
    }
}

/// A trace that was read, and what became of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedTrace {
    /// What is replayed.
    pub data: TraceData,
    /// What became of the rows.
    pub report: ReadReport,
}

/// Counts one row under a code.
pub(crate) fn count(tallies: &mut Tallies, code: Code) {
    tallies.entry(code.name).or_insert(Tally { rows: 0, text: code.text }).rows += 1;
}

/// Reads all rows of a source into a sorted trace.
///
/// # Errors
/// When the file cannot be read, has bad rows and they are not quarantined,
/// exceeds a bound, or leaves nothing to replay.
pub fn load(source: &mut dyn RowSource, name: &str, options: &TraceOptions) -> Result<LoadedTrace> {
    let mut report = ReadReport { source: name.to_owned(), ..ReadReport::default() };
    let mut templates = LocalTemplates::new(source.extended());
    let mut trace = Trace::default();
    loop {
        let bad = match source.next_row()? {
            Next::End => break,
            Next::Rejected(code) => {
                report.rows += 1;
                count(&mut report.rejected, code);
                continue;
            }
            Next::Bad(bad) => bad,
            Next::Row(row) => {
                if let Err(bad) = check(&row) {
                    bad
                } else {
                    report.rows += 1;
                    if report.rows > MAX_ROWS {
                        return Err(Error::input(format!(
                            "`{name}`: more than {MAX_ROWS} rows; split the trace"
                        )));
                    }
                    accept(&row, &mut trace, &mut templates, options, name)?;
                    if let Some(code) = row.clipped {
                        count(&mut report.clipped, code);
                    }
                    for code in row.warnings.into_iter().flatten() {
                        count(&mut report.warnings, code);
                    }
                    continue;
                }
            }
        };
        report.rows += 1;
        report.quarantined += 1;
        if report.quarantined_rows.len() < LISTED_QUARANTINED_ROWS {
            report.quarantined_rows.push(Quarantined { position: source.position(), bad });
        }
        if options.on_bad_row == OnBadRow::Fail && report.quarantined_rows.len() >= SHOWN_BAD_ROWS {
            break;
        }
    }
    if options.on_bad_row == OnBadRow::Fail && !report.quarantined_rows.is_empty() {
        let remedy = "correct them, or leave such rows out with `on-bad-row: quarantine`";
        return Err(bad_rows(name, source.unit(), &report.quarantined_rows, remedy));
    }
    if trace.is_empty() {
        return Err(Error::input(empty(name, &report)));
    }
    if let Some((code, rows)) = source.clipped_at_end().filter(|(_, rows)| *rows > 0) {
        report.clipped.insert(code.name, Tally { rows, text: code.text });
    }
    if let Some((code, rows)) = source.noted_at_end().filter(|(_, rows)| *rows > 0) {
        report.warnings.insert(code.name, Tally { rows, text: code.text });
    }
    trace.set_draws(source.draws());
    report.accepted = trace.len() as u64;
    report.pods = trace.pods();
    report.sorted = trace.sort() as u64;
    let mut warn = |code: Code, rows: u64| {
        report.warnings.insert(code.name, Tally { rows, text: code.text });
    };
    if report.sorted > 0 {
        warn(WARN_UNSORTED, report.sorted);
    }
    if templates.len() > MANY_SHAPES {
        warn(WARN_MANY_SHAPES, templates.len() as u64);
    }
    trace.shrink_to_fit();
    Ok(LoadedTrace {
        data: TraceData {
            trace: Arc::new(trace),
            shapes: templates.finish().into(),
            rules: options.rules.clone(),
        },
        report,
    })
}

fn accept(
    row: &RawRow<'_>,
    trace: &mut Trace,
    templates: &mut LocalTemplates,
    options: &TraceOptions,
    name: &str,
) -> Result<()> {
    let template = templates
        .intern(
            row.cpu.or(options.cpu),
            row.memory.or(options.memory),
            row.extended,
            row.namespace.unwrap_or(&options.namespace),
            row.priority.unwrap_or(options.priority),
        )
        .ok_or_else(|| {
            Error::input(format!(
                "`{name}`: more than {MAX_SHAPES} distinct pod shapes; round the requests"
            ))
        })?;
    trace.push_row(&TraceRow {
        arrival_ms: row.arrival_ms,
        duration_ms: row.duration_ms,
        template,
        // In range: `check` saw it.
        count: u32::try_from(row.count).unwrap_or(1),
        usage: row.usage,
        usage_p95: row.usage_p95,
        usage_max: row.usage_max,
        name: row.name,
        draws: row.draws,
        ordinal: None,
    });
    Ok(())
}

/// Ranges that hold for every format, so that no reader can forget one.
fn check(row: &RawRow<'_>) -> std::result::Result<(), BadRow> {
    let bad = |column: &str, cause: &str| {
        Err(BadRow { column: column.into(), cause: cause.into(), text: String::new() })
    };
    let time = |ms: i64| (0..=MAX_MS).contains(&ms);
    let cpu = |c: Option<MilliCpu>| c.is_none_or(|c| (0..=1_000_000_000).contains(&c.0));
    let memory = |m: Option<Bytes>| m.is_none_or(|m| (0..=1 << 52).contains(&m.0));
    if !time(row.arrival_ms) {
        return bad("arrival", "is negative or beyond 1,000 years");
    }
    if !time(row.duration_ms) {
        return bad("duration", "is negative or beyond 1,000 years");
    }
    if !cpu(row.cpu) {
        return bad("cpu", "is negative or above a million cores");
    }
    if !memory(row.memory) {
        return bad("memory", "is negative or above 4 PiB");
    }
    if [row.usage, row.usage_p95, row.usage_max].iter().any(|u| !cpu(u.cpu) || !memory(u.memory)) {
        return bad("usage", "is negative or absurdly large");
    }
    if !(1..=1_000_000).contains(&row.count) {
        return bad("count", "must be from 1 to 1,000,000");
    }
    if row.extended.iter().any(|n| !(0..=1_000_000_000).contains(n)) {
        return bad("extended resource", "is negative or above a milliard");
    }
    if row.name.len() > MAX_NAME_BYTES {
        return bad("name", "is longer than 253 bytes");
    }
    if row.namespace.is_some_and(|n| n.is_empty() || n.len() > MAX_NAME_BYTES) {
        return bad("namespace", "is longer than 253 bytes");
    }
    Ok(())
}

/// Rows of a file that cannot be read, until there are enough of them.
#[derive(Debug)]
pub struct BadRows {
    name: String,
    unit: &'static str,
    remedy: &'static str,
    rows: Vec<Quarantined>,
}

impl BadRows {
    /// None yet of a file called `name`; its places are counted in `unit`, such
    /// as `line`.
    #[must_use]
    pub fn new(name: &str, unit: &'static str, remedy: &'static str) -> Self {
        BadRows { name: name.to_owned(), unit, remedy, rows: Vec::new() }
    }

    /// Adds one.
    ///
    /// # Errors
    /// With the twentieth.
    pub fn add(&mut self, position: u64, bad: BadRow) -> Result<()> {
        self.rows.push(Quarantined { position, bad });
        if self.rows.len() < SHOWN_BAD_ROWS { Ok(()) } else { self.finish() }
    }

    /// Ends.
    ///
    /// # Errors
    /// When there were any.
    pub fn finish(&self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        Err(bad_rows(&self.name, self.unit, &self.rows, self.remedy))
    }
}

/// One error about many rows: place and cause of each, one remedy.
pub(crate) fn bad_rows(name: &str, unit: &str, rows: &[Quarantined], remedy: &str) -> Error {
    let many = if rows.len() >= SHOWN_BAD_ROWS {
        format!("the first {SHOWN_BAD_ROWS} bad rows")
    } else if rows.len() == 1 {
        "1 bad row".to_owned()
    } else {
        format!("{} bad rows", rows.len())
    };
    let mut text = format!("`{name}`: {many}");
    for Quarantined { position, bad } in rows {
        let column = if bad.column.is_empty() {
            String::new()
        } else {
            format!(", column `{}`", bad.column)
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  --> {name}: {unit} {position}{column}: {}", bad.cause);
    }
    text.push_str("\n  ");
    text.push_str(remedy);
    Error::input(text)
}

fn empty(name: &str, report: &ReadReport) -> String {
    if report.rows == 0 {
        return format!("`{name}` has no rows; a trace needs at least one");
    }
    let mut text = format!("`{name}`: none of its {} rows can be replayed", report.rows);
    for (code, tally) in &report.rejected {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {} rejected ({code}): {}", tally.rows, tally.text);
    }
    if let Some(first) = report.quarantined_rows.first() {
        let _ = write!(
            text,
            "\n  {} quarantined, the first: {} {}",
            report.quarantined, first.bad.column, first.bad.cause
        );
    }
    text
}

/// A [`BadRow`] about one value of a column.
#[must_use]
pub fn bad_value(column: &str, value: &[u8], cause: &str, row_text: &[u8]) -> BadRow {
    let value = value.trim_ascii();
    let cause = if value.is_empty() {
        format!("the empty value {cause}")
    } else {
        format!("`{}` {cause}", excerpt(value, 40))
    };
    BadRow { column: column.to_owned(), cause, text: excerpt(row_text, 200) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows from memory.
    struct Rows(Vec<RawRow<'static>>, u64);

    impl RowSource for Rows {
        fn extended(&self) -> &[String] {
            &[]
        }
        fn next_row(&mut self) -> Result<Next<'_>> {
            self.1 += 1;
            Ok(self.0.pop().map_or(Next::End, Next::Row))
        }
        fn position(&self) -> u64 {
            self.1
        }
    }

    fn row() -> RawRow<'static> {
        RawRow { arrival_ms: 5, duration_ms: 5, count: 1, ..RawRow::default() }
    }

    #[test]
    fn ranges_hold_whatever_the_reader_does() {
        let bad = [
            RawRow { arrival_ms: -1, ..row() },
            RawRow { duration_ms: i64::MAX, ..row() },
            RawRow { count: 0, ..row() },
            RawRow { cpu: Some(MilliCpu(-1)), ..row() },
            RawRow { memory: Some(Bytes(i64::MAX)), ..row() },
            RawRow { extended: &[-1], ..row() },
        ];
        let n = bad.len();
        let options = TraceOptions { on_bad_row: OnBadRow::Quarantine, ..TraceOptions::default() };
        let mut rows = bad.to_vec();
        rows.push(row());
        let loaded = load(&mut Rows(rows.clone(), 0), "t", &options).expect("one row is fine");
        assert_eq!((loaded.report.quarantined, loaded.report.accepted), (n as u64, 1));
        let error = load(&mut Rows(rows, 0), "t", &TraceOptions::default())
            .expect_err("bad rows fail by default")
            .to_string();
        assert!(error.starts_with("`t`: 6 bad rows\n  --> t: line 2, column `"), "{error}");
    }

    #[test]
    fn nothing_to_replay_is_an_error_that_says_why() {
        let error = load(&mut Rows(vec![], 0), "t", &TraceOptions::default())
            .expect_err("empty")
            .to_string();
        assert!(error.contains("has no rows"), "{error}");
    }

    #[test]
    fn defaults_fill_what_rows_leave_open() {
        let options = TraceOptions {
            cpu: Some(MilliCpu(250)),
            namespace: "batch".into(),
            priority: 7,
            ..TraceOptions::default()
        };
        let stated = RawRow { cpu: Some(MilliCpu(1)), namespace: Some("x"), ..row() };
        let loaded = load(&mut Rows(vec![stated, row()], 0), "t", &options).expect("fine");
        let shapes = &loaded.data.shapes;
        assert_eq!((shapes[0].cpu, shapes[0].namespace.as_str()), (options.cpu, "batch"));
        assert_eq!((shapes[1].cpu, shapes[1].priority), (Some(MilliCpu(1)), 7));
    }

    #[test]
    fn quarantined_cells_are_inert_in_a_spreadsheet() {
        let report = ReadReport {
            source: "t.csv".into(),
            quarantined_rows: vec![Quarantined {
                position: 3,
                bad: bad_value("cpu", b"x", "is odd", b"=cmd|calc,1"),
            }],
            ..ReadReport::default()
        };
        let mut out = Vec::new();
        report.write_quarantine_csv(&mut out).expect("memory");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(
            text,
            "source,position,column,reason,row\nt.csv,3,cpu,`x` is odd,\"'=cmd|calc,1\"\n"
        );
    }
}
