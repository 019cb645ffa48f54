//! The usage table of this project, `.csv` or `.csv.gz`: what a person or a
//! script can write, and what every other format can be turned into without
//! loss.
//!
//! | column | meaning | |
//! | --- | --- | --- |
//! | `start` | start of the interval: a timestamp (RFC 3339; without a zone it is UTC) or Unix seconds | required; empty in a row that only states requests |
//! | `seconds` | length of the interval, as a decimal | required; empty where `start` is |
//! | `namespace` | namespace | none |
//! | `workload` | the owning workload | one of `workload` and `pod` must be there and not empty |
//! | `pod` | pod | |
//! | `container` | container; empty for the pod as a whole | none |
//! | `node` | node it ran on | unknown |
//! | `replicas` | replicas that the values are a mean over | 1 |
//! | `cpu_avg` `cpu_max` | cpu used: cores (`0.0015`) or a quantity (`1500u`, `250m`) | unknown |
//! | `memory_avg` `memory_max` | memory used: bytes or a quantity (`512Mi`) | unknown |
//! | `cpu_request` `cpu_limit` `memory_request` `memory_limit` | what it asked for then; the latest of each holds | not stated |
//!
//! Cpu is kept to a millionth of a core and memory to a byte (nearest), times
//! to a millisecond. Any other column is an error. Rows may stand in any
//! order. Sorting, holes, duplicates and overlaps are those of
//! [`super::gather`].
//!
//! | | what happens |
//! | --- | --- |
//! | bad | a value outside its column's meaning, negative, NaN or infinite, more than a million cores or 4 PiB; an interval that is empty or longer than 366 days; a row that names neither workload nor pod; too many or too few fields |

use std::io::{self, Read, Write};

use super::gather::{Gather, LoadedUsage, bytes, check_interval, scaled};
use super::{MicroCpu, StatedResources, UsageKey, UsageSample, UsageSet};
use crate::error::{Error, Result};
use crate::text;
use crate::units::Bytes;
use crate::workload::native::push_seconds;
use crate::workload::source::{BadRow, OnBadRow, bad_value};
use crate::workload::table::Table;

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 16] = [
    "start",
    "seconds",
    "namespace",
    "workload",
    "pod",
    "container",
    "node",
    "replicas",
    "cpu_avg",
    "cpu_max",
    "memory_avg",
    "memory_max",
    "cpu_request",
    "cpu_limit",
    "memory_request",
    "memory_limit",
];

/// Whether a header is one of this format.
#[must_use]
pub fn is_header(header: &[String]) -> bool {
    let has = |name: &str| header.iter().any(|h| clean(h) == name);
    has("start") && has("seconds") && (has("workload") || has("pod"))
}

/// A column's name without the byte order mark that spreadsheets write.
fn clean(name: &str) -> &str {
    name.trim_start_matches('\u{feff}').trim()
}

/// Reads a usage table into `gather`.
///
/// # Errors
/// When it cannot be read, its columns are wrong, or rows are bad.
pub fn read_into(table: &mut Table, gather: &mut Gather) -> Result<()> {
    let at = columns(table)?;
    while table.advance()? {
        gather.row();
        match row(table, &at) {
            Ok(row) => {
                let series = gather.series(row.key)?;
                series.on_node(row.node);
                if let Some(replicas) = row.replicas {
                    series.replicas(replicas);
                }
                let time = row.sample.map_or(i64::MIN, |s| s.start_unix_ms);
                series.state(time, row.stated);
                if let Some(sample) = row.sample {
                    series.sample(sample);
                }
            }
            Err(mut bad) => {
                bad.text = table.row_text();
                gather.bad(table.line(), bad)?;
            }
        }
    }
    Ok(())
}

/// Reads a usage table, which errors call `name`.
///
/// # Errors
/// As [`read_into`], and when there is nothing in it.
pub fn read(input: Box<dyn Read>, name: &str, on_bad_row: OnBadRow) -> Result<LoadedUsage> {
    let mut table = Table::new(input, name)?;
    let mut gather = Gather::new(name, "line", on_bad_row);
    read_into(&mut table, &mut gather)?;
    gather.finish()
}

/// Where each of [`COLUMNS`] stands.
type Places = [Option<usize>; COLUMNS.len()];

fn columns(table: &Table) -> Result<Places> {
    let mut at: Places = [None; COLUMNS.len()];
    let mut faults = Vec::new();
    for (place, raw) in table.header().iter().enumerate() {
        let name = clean(raw);
        let shown = text::excerpt(name.as_bytes(), 60);
        match COLUMNS.iter().position(|c| *c == name) {
            Some(i) if at[i].is_some() => faults.push(format!("column `{shown}` appears twice")),
            Some(i) => at[i] = Some(place),
            None => {
                let hint = crate::names::nearest(name, COLUMNS).map_or_else(
                    || format!("known columns are {}", COLUMNS.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                faults.push(format!("unknown column `{shown}`; {hint}"));
            }
        }
        if faults.len() >= 20 {
            break;
        }
    }
    for (i, name) in [(0, "start"), (1, "seconds")] {
        if at[i].is_none() {
            faults.push(format!("column `{name}` is missing"));
        }
    }
    if at[3].is_none() && at[4].is_none() {
        faults.push("there is neither a column `workload` nor a column `pod`".into());
    }
    if faults.is_empty() {
        return Ok(at);
    }
    Err(Error::input(format!("`{}` is no usage table: {}", table.name(), faults.join("\n  "))))
}

/// One row.
struct Row<'a> {
    key: UsageKey,
    node: &'a str,
    replicas: Option<u32>,
    stated: StatedResources,
    /// `None` in a row that only states requests.
    sample: Option<UsageSample>,
}

fn row<'a>(table: &'a Table, at: &Places) -> std::result::Result<Row<'a>, BadRow> {
    table.check_width()?;
    let cell = |i: usize| at[i].map_or(&b""[..], |c| table.cell(c).trim_ascii());
    let fault = |i: usize, cause: &str| bad_value(COLUMNS[i], cell(i), cause, b"");
    let name = |i: usize| std::str::from_utf8(cell(i)).map_err(|_| fault(i, "is not text"));
    fn known<T>(
        value: &[u8],
        read: impl Fn(&[u8]) -> std::result::Result<T, String>,
    ) -> std::result::Result<Option<T>, String> {
        if value.is_empty() { Ok(None) } else { read(value).map(Some) }
    }
    let cpu = |i: usize| known(cell(i), cpu).map_err(|c| fault(i, &c));
    let memory = |i: usize| known(cell(i), memory).map_err(|c| fault(i, &c));
    let key = UsageKey {
        namespace: name(2)?.to_owned(),
        workload: name(3)?.to_owned(),
        pod: name(4)?.to_owned(),
        container: name(5)?.to_owned(),
    };
    if key.workload.is_empty() && key.pod.is_empty() {
        let cause = "names neither a workload nor a pod".to_owned();
        return Err(BadRow { column: String::new(), cause, text: String::new() });
    }
    let replicas = known(cell(7), |v| text::integer(v, 1, 1_000_000)).map_err(|c| fault(7, &c))?;
    let stated = StatedResources {
        cpu_request: cpu(12)?,
        cpu_limit: cpu(13)?,
        memory_request: memory(14)?,
        memory_limit: memory(15)?,
    };
    let sample = if cell(0).is_empty() && cell(1).is_empty() {
        None
    } else {
        let start_unix_ms = unix_ms(cell(0)).map_err(|c| fault(0, c))?;
        let span_ms = text::seconds_ms(cell(1)).map_err(|c| fault(1, c))?;
        check_interval(start_unix_ms, span_ms).map_err(|c| fault(1, &c))?;
        Some(UsageSample {
            start_unix_ms,
            span_ms,
            cpu_mean: cpu(8)?,
            cpu_max: cpu(9)?,
            memory_mean: memory(10)?,
            memory_max: memory(11)?,
        })
    };
    if sample.is_none() && [8, 9, 10, 11].iter().any(|i| !cell(*i).is_empty()) {
        return Err(fault(0, "is no start, but the row has usage"));
    }
    let replicas = replicas.map(|n| n as u32);
    Ok(Row { key, node: name(6)?, replicas, stated, sample })
}

/// A timestamp or Unix seconds, in Unix milliseconds.
///
/// # Errors
/// When it is neither.
pub fn unix_ms(value: &[u8]) -> std::result::Result<i64, &'static str> {
    if text::is_timestamp(value) { text::timestamp_ms(value) } else { text::seconds_ms(value) }
}

/// Cores, or a Kubernetes quantity with `m`, `u` or `n`, to the millionth.
fn cpu(value: &[u8]) -> std::result::Result<MicroCpu, String> {
    let (number, micro) = match value {
        [number @ .., b'm'] => (number, 1e3),
        [number @ .., b'u'] => (number, 1.0),
        [number @ .., b'n'] => (number, 1e-3),
        number => (number, 1e6),
    };
    scaled(number, micro, 1e12, "is above a million cores").map(MicroCpu)
}

/// Bytes, or a Kubernetes quantity.
fn memory(value: &[u8]) -> std::result::Result<Bytes, String> {
    match value.last() {
        Some(b'0'..=b'9' | b'.') => bytes(value),
        _ => text::memory(value),
    }
}

/// Writes a set as a usage table that reads back as the same set.
///
/// # Errors
/// When writing fails.
pub fn write(set: &UsageSet, out: impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    let known_cpu = |c: Option<MicroCpu>| c.map_or_else(String::new, cores_text);
    let known_memory = |m: Option<Bytes>| m.map_or_else(String::new, |m| m.0.to_string());
    for (key, series) in &set.series {
        let stated = [
            known_cpu(series.stated.cpu_request),
            known_cpu(series.stated.cpu_limit),
            known_memory(series.stated.memory_request),
            known_memory(series.stated.memory_limit),
        ];
        let node = series.node.as_deref().unwrap_or_default();
        let replicas = series.replicas.to_string();
        let mut put = |start: &str, seconds: &str, values: [String; 4]| {
            let front = [start, seconds, &key.namespace, &key.workload, &key.pod, &key.container];
            let back = [node, &replicas];
            let cells = front.into_iter().chain(back);
            let values = values.iter().chain(&stated).map(String::as_str);
            csv.write_record(cells.chain(values))
        };
        if series.samples.is_empty() {
            put("", "", std::array::from_fn(|_| String::new()))?;
        }
        let mut seconds = String::new();
        for s in &series.samples {
            seconds.clear();
            push_seconds(&mut seconds, s.span_ms);
            let values = [
                known_cpu(s.cpu_mean),
                known_cpu(s.cpu_max),
                known_memory(s.memory_mean),
                known_memory(s.memory_max),
            ];
            put(&timestamp_text(s.start_unix_ms), &seconds, values)?;
        }
    }
    csv.flush()
}

/// RFC 3339 in UTC, with milliseconds where there are any.
fn timestamp_text(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms)
        .map_or_else(|_| unix_ms.to_string(), |t| t.to_string())
}

/// Cores as a decimal of at most six places, without trailing zeros.
#[must_use]
pub fn cores_text(cpu: MicroCpu) -> String {
    let (whole, part) = (cpu.0.div_euclid(1_000_000), cpu.0.rem_euclid(1_000_000));
    if part == 0 {
        return whole.to_string();
    }
    format!("{whole}.{part:06}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::usage::UsageSeries;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn load(text: &str, on_bad_row: OnBadRow) -> Result<LoadedUsage> {
        read(Box::new(Cursor::new(text.as_bytes().to_vec())), "u.csv", on_bad_row)
    }

    #[test]
    fn a_hand_written_table_is_understood() {
        let text = "\u{feff}start,seconds,namespace,workload,pod,cpu_avg,memory_avg,memory_max,cpu_request\n\
            2026-01-05T08:00:00Z,3600,shop,web,,1500u,512Mi,600Mi,250m\n\
            1767603600,3600,shop,web,,0.0015005,,,\n\
            ,,shop,cart,,,,,0.1\n";
        let loaded = load(text, OnBadRow::Fail).expect("fine");
        assert_eq!((loaded.report.rows, loaded.report.series, loaded.report.samples), (3, 2, 2));
        let key = |w: &str| UsageKey {
            namespace: "shop".into(),
            workload: w.into(),
            ..UsageKey::default()
        };
        let web = &loaded.set.series[&key("web")];
        let start = text::timestamp_ms(b"2026-01-05T08:00:00Z").expect("a timestamp");
        assert_eq!(
            web.samples[0],
            UsageSample {
                start_unix_ms: start,
                span_ms: 3_600_000,
                cpu_mean: Some(MicroCpu(1_500)),
                cpu_max: None,
                memory_mean: Some(Bytes(512 << 20)),
                memory_max: Some(Bytes(600 << 20)),
            }
        );
        assert_eq!(web.samples[1].start_unix_ms, start + 3_600_000);
        assert_eq!(web.samples[1].cpu_mean, Some(MicroCpu(1_501)));
        assert_eq!(web.stated.cpu_request, Some(MicroCpu(250_000)));
        assert_eq!(loaded.set.series[&key("cart")].samples, []);
    }

    #[test]
    fn faults_are_named_with_their_places() {
        let error = load("start,second,pods\n", OnBadRow::Fail).expect_err("odd").to_string();
        for part in [
            "unknown column `second`; did you mean `seconds`?",
            "unknown column `pods`; did you mean `pod`?",
            "column `seconds` is missing",
            "neither a column `workload` nor a column `pod`",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let rows = "start,seconds,pod,cpu_avg\nx,60,a,1\n0,0,a,1\n0,60,,1\n0,60,a,-1\n,,a,1\n0,60,a\n0,60,a,1\n";
        let error = load(rows, OnBadRow::Fail).expect_err("bad").to_string();
        for part in [
            "u.csv: line 2, column `start`: `x` is not",
            "line 3, column `seconds`: `0` is an interval that is empty",
            "line 4: names neither a workload nor a pod",
            "line 5, column `cpu_avg`: `-1` is negative",
            "line 6, column `start`: the empty value is no start, but the row has usage",
            "line 7: has 3 fields where the header has 4",
            "on-bad-row: quarantine",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let loaded = load(rows, OnBadRow::Quarantine).expect("one row is fine");
        assert_eq!((loaded.report.quarantined, loaded.report.samples), (6, 1));
    }

    #[test]
    fn a_table_without_usage_is_an_error() {
        let error = load("start,seconds,pod,cpu_avg\n0,60,a,\n", OnBadRow::Fail).expect_err("hole");
        assert!(error.to_string().contains("holds no usage"), "{error}");
        assert!(load("", OnBadRow::Fail).is_err());
    }

    fn known<T: std::fmt::Debug + Clone + 'static>(
        value: impl Strategy<Value = T> + 'static,
    ) -> impl Strategy<Value = Option<T>> {
        proptest::option::of(value)
    }

    fn series() -> impl Strategy<Value = UsageSeries> {
        let cpu = || known((0i64..1_000_000_000_000).prop_map(MicroCpu));
        let memory = || known((0i64..1 << 52).prop_map(Bytes));
        let sample = (1i64..100_000, 1i64..100_000, cpu(), cpu(), memory(), memory());
        let samples = proptest::collection::vec(sample, 0..4);
        let stated = (cpu(), cpu(), memory(), memory());
        (known("[a-z\"',;=-]{1,9}"), 1u32..9, stated, samples).prop_map(
            |(node, replicas, stated, drawn)| {
                let mut at = 1_700_000_000_000;
                let mut samples = Vec::new();
                for (gap, span_ms, cpu_mean, cpu_max, memory_mean, memory_max) in drawn {
                    let start_unix_ms = at + gap;
                    at = start_unix_ms + span_ms;
                    let known = cpu_mean.is_some() || cpu_max.is_some();
                    if known || memory_mean.is_some() || memory_max.is_some() {
                        samples.push(UsageSample {
                            start_unix_ms,
                            span_ms,
                            cpu_mean,
                            cpu_max,
                            memory_mean,
                            memory_max,
                        });
                    }
                }
                let (cpu_request, cpu_limit, memory_request, memory_limit) = stated;
                let stated =
                    StatedResources { cpu_request, cpu_limit, memory_request, memory_limit };
                UsageSeries { node, replicas, stated, samples }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(
            drawn in proptest::collection::btree_map(
                ("[a-z]{0,4}", "[a-z,\" ]{1,3}x", "[a-z]{0,4}", "[a-z]{0,4}"), series(), 1..6),
        ) {
            let series = drawn.into_iter().map(|((namespace, workload, pod, container), s)| {
                let workload = workload.trim().to_owned();
                (UsageKey { namespace, workload, pod, container }, s)
            });
            // A series that says nothing has no row.
            let says = |s: &UsageSeries| {
                !s.samples.is_empty() || s.stated != StatedResources::default()
            };
            let set = UsageSet { series: series.filter(|(_, s)| says(s)).collect() };
            prop_assume!(!set.series.is_empty());
            let mut out = Vec::new();
            write(&set, &mut out).expect("memory");
            let back = read(Box::new(Cursor::new(out)), "u.csv", OnBadRow::Fail).expect("reads");
            prop_assert!(back.report.dropped.is_empty());
            prop_assert_eq!(back.set, set);
        }

        #[test]
        fn any_bytes_are_a_table_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let text = [b"start,seconds,pod,cpu_avg\n".as_slice(), &bytes].concat();
            let _ = read(Box::new(Cursor::new(text)), "u.csv", OnBadRow::Quarantine);
            let _ = read(Box::new(Cursor::new(bytes)), "u.csv", OnBadRow::Quarantine);
        }
    }
}
