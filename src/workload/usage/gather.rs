//! From what a reader finds to a [`UsageSet`]: one place that checks ranges,
//! sorts, merges the quantities of one interval, drops what is there twice,
//! and counts all of it, whatever the format.
//!
//! * **hole**: an interval without any value. Nothing is stored: unknown.
//! * **duplicate**: a value for an interval that has one already. The first
//!   in the order of the source stays.
//! * **overlapping**: an interval that begins before the one before it ends.
//!   The earlier stays.
//! * **unsorted**: samples before an earlier one of their series; sorted.
//!
//! Cost: 80 bytes a sample; sorting and merging are linear where the source
//! is in order.

use std::collections::BTreeMap;

use super::{MicroCpu, StatedResources, UsageKey, UsageSample, UsageSeries, UsageSet};
use crate::error::{Error, Result};
use crate::nouns::counted;
use crate::text::{MAX_MS, decimal};
use crate::units::Bytes;
use crate::workload::source::{
    BadRow, Code, OnBadRow, Quarantined, SHOWN_BAD_ROWS, Tallies, Tally, bad_rows, count,
};

/// Most samples of one source.
const MAX_SAMPLES: u64 = 50_000_000;
/// Most series of one source.
const MAX_SERIES: usize = 2_000_000;
/// Largest cpu of one series, millionths of a core: a million cores.
const MAX_CPU: f64 = 1e12;
/// Largest memory of one series: 4 PiB.
const MAX_MEMORY: f64 = (1u64 << 52) as f64;
/// Longest name of a namespace, workload, pod, container or node.
const MAX_NAME_BYTES: usize = 253;
/// Longest interval of a sample: 366 days.
pub const MAX_SPAN_MS: i64 = 366 * crate::units::DAY_MS;

const HOLE: Code = Code { name: "hole", text: "intervals without any value, which stay unknown" };
const DUPLICATE: Code =
    Code { name: "duplicate", text: "values for an interval that has one already" };
const OVERLAPPING: Code =
    Code { name: "overlapping", text: "intervals that begin before the one before them ends" };
const UNSORTED: Code =
    Code { name: "unsorted", text: "samples that stood before an earlier one and were sorted" };
const MAX_BELOW_MEAN: Code =
    Code { name: "max-below-mean", text: "samples whose largest value is below their mean" };
const MOVED: Code = Code {
    name: "moved",
    text: "series seen on more than one node; their node is taken as unknown",
};

/// What a person should know about a source as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Stable code such as `unit-cpu`.
    pub code: &'static str,
    /// One sentence with the evidence.
    pub text: String,
}

/// What became of every row of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageReport {
    /// Name of the source as the user wrote it.
    pub source: String,
    /// Rows (of JSON: points) read.
    pub rows: u64,
    /// Series kept.
    pub series: u64,
    /// Samples kept.
    pub samples: u64,
    /// Samples left out, by reason.
    pub dropped: Tallies,
    /// Other things to know, by code.
    pub warnings: Tallies,
    /// Things to know that carry evidence of their own.
    pub notices: Vec<Notice>,
    /// Rows that cannot be read.
    pub quarantined: u64,
    /// The first of them.
    pub quarantined_rows: Vec<Quarantined>,
}

impl std::fmt::Display for UsageReport {
    /// One line: what became of the rows.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let UsageReport { source, rows, series, samples, .. } = self;
        let (rows, samples) = (counted(*rows, "row"), counted(*samples, "sample"));
        write!(f, "usage {source}: {rows}, {series} series, {samples}")?;
        for (what, tallies) in [("dropped", &self.dropped), ("noted", &self.warnings)] {
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

/// A source of usage that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadedUsage {
    /// What it holds.
    pub set: UsageSet,
    /// What became of its rows.
    pub report: UsageReport,
}

/// One series while it is read.
#[derive(Debug, Default)]
pub struct Growing {
    node: Option<String>,
    moved: bool,
    replicas: Vec<u32>,
    stated: StatedResources,
    /// When each of the four was stated last.
    stated_at: [i64; 4],
    samples: Vec<UsageSample>,
}

impl Growing {
    /// It runs on this node; empty says nothing.
    pub fn on_node(&mut self, node: &str) {
        match &self.node {
            _ if node.is_empty() => {}
            None => self.node = Some(node.to_owned()),
            Some(known) => self.moved |= known != node,
        }
    }

    /// A sample is a mean over so many replicas.
    pub fn replicas(&mut self, replicas: u32) {
        self.replicas.push(replicas);
    }

    /// What it asks for at a time; the latest statement of each holds.
    pub fn state(&mut self, at_unix_ms: i64, stated: StatedResources) {
        let now = &mut self.stated;
        let mut since = self.stated_at.iter_mut();
        let mut newer = |known: bool, was: bool| match since.next() {
            Some(last) if known && (!was || at_unix_ms >= *last) => {
                *last = at_unix_ms;
                true
            }
            _ => false,
        };
        if newer(stated.cpu_request.is_some(), now.cpu_request.is_some()) {
            now.cpu_request = stated.cpu_request;
        }
        if newer(stated.cpu_limit.is_some(), now.cpu_limit.is_some()) {
            now.cpu_limit = stated.cpu_limit;
        }
        if newer(stated.memory_request.is_some(), now.memory_request.is_some()) {
            now.memory_request = stated.memory_request;
        }
        if newer(stated.memory_limit.is_some(), now.memory_limit.is_some()) {
            now.memory_limit = stated.memory_limit;
        }
    }

    /// What it asks for where a source states shares of an interval: the
    /// largest of each is the whole.
    pub fn state_largest(&mut self, stated: StatedResources) {
        let now = &mut self.stated;
        now.cpu_request = now.cpu_request.max(stated.cpu_request);
        now.cpu_limit = now.cpu_limit.max(stated.cpu_limit);
        now.memory_request = now.memory_request.max(stated.memory_request);
        now.memory_limit = now.memory_limit.max(stated.memory_limit);
    }

    /// An interval with what is known of it.
    pub fn sample(&mut self, sample: UsageSample) {
        self.samples.push(sample);
    }
}

/// Collects what a reader finds.
pub struct Gather {
    series: BTreeMap<UsageKey, Growing>,
    report: UsageReport,
    /// The file being read, as errors call it.
    file: String,
    on_bad_row: OnBadRow,
    unit: &'static str,
    samples: u64,
}

impl Gather {
    /// Nothing yet of the source that errors call `name`, whose positions
    /// count `unit`s.
    #[must_use]
    pub fn new(name: &str, unit: &'static str, on_bad_row: OnBadRow) -> Self {
        Gather {
            series: BTreeMap::new(),
            report: UsageReport { source: name.to_owned(), ..UsageReport::default() },
            file: name.to_owned(),
            on_bad_row,
            unit,
            samples: 0,
        }
    }

    /// What follows is of this file, as errors call it.
    ///
    /// # Errors
    /// When rows of the file before were bad and are not quarantined.
    pub fn file(&mut self, name: &str) -> Result<()> {
        self.check_bad()?;
        name.clone_into(&mut self.file);
        Ok(())
    }

    /// One more row was read.
    pub fn row(&mut self) {
        self.report.rows += 1;
    }

    /// A value is left out.
    pub fn dropped(&mut self, code: Code) {
        count(&mut self.report.dropped, code);
    }

    /// Something to know.
    pub fn noted(&mut self, code: Code) {
        count(&mut self.report.warnings, code);
    }

    /// Something to know, with its evidence.
    pub fn notice(&mut self, code: &'static str, text: String) {
        self.report.notices.push(Notice { code, text });
    }

    /// A row that cannot be read.
    ///
    /// # Errors
    /// Once too many are bad, unless they are quarantined.
    pub fn bad(&mut self, position: u64, bad: BadRow) -> Result<()> {
        self.report.quarantined += 1;
        if self.report.quarantined_rows.len() < SHOWN_BAD_ROWS {
            self.report.quarantined_rows.push(Quarantined { position, bad });
        }
        let full = self.report.quarantined_rows.len() >= SHOWN_BAD_ROWS;
        if full && self.on_bad_row == OnBadRow::Fail { self.check_bad() } else { Ok(()) }
    }

    /// Whether all rows so far can be used.
    ///
    /// # Errors
    /// When rows were bad and are not quarantined.
    pub fn check_bad(&self) -> Result<()> {
        let rows = &self.report.quarantined_rows;
        if self.on_bad_row == OnBadRow::Quarantine || rows.is_empty() {
            return Ok(());
        }
        let remedy = "correct them, or leave such rows out with `on-bad-row: quarantine`";
        Err(bad_rows(&self.file, self.unit, rows, remedy))
    }

    /// The series of that owner.
    ///
    /// # Errors
    /// When the source has too many series or samples, or a name is too long.
    pub fn series(&mut self, key: UsageKey) -> Result<&mut Growing> {
        let source = &self.report.source;
        self.samples += 1;
        if self.samples > MAX_SAMPLES || self.series.len() > MAX_SERIES {
            return Err(Error::input(format!(
                "`{source}`: more than {MAX_SAMPLES} samples or {MAX_SERIES} series; split it"
            )));
        }
        let names = [&key.namespace, &key.workload, &key.pod, &key.container];
        if names.iter().any(|n| n.len() > MAX_NAME_BYTES) {
            return Err(Error::input(format!("`{source}`: a name is longer than 253 bytes")));
        }
        Ok(self.series.entry(key).or_default())
    }

    /// The sorted, merged result.
    ///
    /// # Errors
    /// When rows were bad and are not quarantined, or nothing was found.
    pub fn finish(mut self) -> Result<LoadedUsage> {
        self.check_bad()?;
        let mut set = UsageSet::default();
        for (key, growing) in std::mem::take(&mut self.series) {
            if growing.moved {
                count(&mut self.report.warnings, MOVED);
            }
            let node = growing.node.filter(|_| !growing.moved);
            let samples = merge(growing.samples, &mut self.report);
            if samples.is_empty() && growing.stated == StatedResources::default() {
                continue;
            }
            self.report.samples += samples.len() as u64;
            let replicas = median(growing.replicas).unwrap_or(1).max(1);
            let series = UsageSeries { node, replicas, stated: growing.stated, samples };
            set.series.insert(key, series);
        }
        self.report.series = set.series.len() as u64;
        if set.series.is_empty() {
            let UsageReport { source, rows, .. } = &self.report;
            return Err(Error::input(format!(
                "`{source}` holds no usage: none of its {rows} rows has a value"
            )));
        }
        self.report.notices.extend(suspicious_units(&set));
        Ok(LoadedUsage { set, report: self.report })
    }
}

/// Ascending samples without overlap, quantities of one interval joined.
fn merge(mut samples: Vec<UsageSample>, report: &mut UsageReport) -> Vec<UsageSample> {
    let key = |s: &UsageSample| (s.start_unix_ms, s.span_ms);
    let back = unsorted(&samples);
    if back > 0 {
        let tally =
            report.warnings.entry(UNSORTED.name).or_insert(Tally { rows: 0, text: UNSORTED.text });
        tally.rows += back as u64;
    }
    // Stable: the first of a source stays first.
    samples.sort_by_key(key);
    let mut merged: Vec<UsageSample> = Vec::with_capacity(samples.len());
    for sample in samples {
        let nothing = UsageSample {
            start_unix_ms: sample.start_unix_ms,
            span_ms: sample.span_ms,
            ..UsageSample::default()
        };
        if sample == nothing {
            count(&mut report.dropped, HOLE);
            continue;
        }
        match merged.last_mut() {
            Some(last) if key(last) == key(&sample) => {
                if !fill(last, &sample) {
                    count(&mut report.dropped, DUPLICATE);
                }
            }
            Some(last) if sample.start_unix_ms < last.end_unix_ms() => {
                count(&mut report.dropped, OVERLAPPING);
            }
            _ => merged.push(sample),
        }
    }
    for s in &merged {
        let below = |max: Option<i64>, mean: Option<i64>| matches!((max, mean), (Some(max), Some(mean)) if max < mean);
        if below(s.cpu_max.map(|c| c.0), s.cpu_mean.map(|c| c.0))
            || below(s.memory_max.map(|m| m.0), s.memory_mean.map(|m| m.0))
        {
            count(&mut report.warnings, MAX_BELOW_MEAN);
        }
    }
    merged.shrink_to_fit();
    merged
}

/// Samples before an earlier one of their quantity: a source may tell one
/// quantity after the other.
fn unsorted(samples: &[UsageSample]) -> usize {
    let mut last = [i64::MIN; 4];
    let stands_back = |s: &&UsageSample| {
        let known = [
            s.cpu_mean.is_some(),
            s.cpu_max.is_some(),
            s.memory_mean.is_some(),
            s.memory_max.is_some(),
        ];
        let mut back = false;
        for (last, _) in last.iter_mut().zip(known).filter(|(_, known)| *known) {
            back |= s.start_unix_ms < *last;
            *last = s.start_unix_ms;
        }
        back
    };
    samples.iter().filter(stands_back).count()
}

/// Takes over what is not known yet; false if something was known twice.
fn fill(into: &mut UsageSample, from: &UsageSample) -> bool {
    fn one<T: Copy>(into: &mut Option<T>, from: Option<T>) -> bool {
        let twice = into.is_some() && from.is_some();
        *into = into.or(from);
        !twice
    }
    let fine = [
        one(&mut into.cpu_mean, from.cpu_mean),
        one(&mut into.cpu_max, from.cpu_max),
        one(&mut into.memory_mean, from.memory_mean),
        one(&mut into.memory_max, from.memory_max),
    ];
    fine.iter().all(|f| *f)
}

/// The middle of the values; of an even number of them the lower.
fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// Median ratio of usage to request from which a unit is doubted, and its
/// inverse. Real clusters use between a hundredth and ten times what they
/// request; a wrong prefix is a thousand.
const DOUBTFUL: f64 = 200.0;
/// Pairs that must be there before a ratio says something.
const DOUBTFUL_PAIRS: usize = 3;
/// A pod cannot use more than the largest node: 1,920 vCPU and 32 TiB of the
/// largest U7i instance of EC2.
const LARGEST_NODE: (f64, f64) = (1_920.0, (32u64 << 40) as f64);

/// Whether cpu or memory look wrong by a factor of a thousand: usage far from
/// requests over most series, or above what any machine has.
fn suspicious_units(set: &UsageSet) -> Vec<Notice> {
    let mut notices = Vec::new();
    let means: Vec<(StatedResources, f64, f64)> = set
        .series
        .values()
        .map(|s| {
            let (cpu, memory) = s.mean();
            let cpu = cpu.map_or(f64::NAN, MicroCpu::cores);
            (s.stated, cpu, memory.map_or(f64::NAN, |m| m.0 as f64))
        })
        .collect();
    let cpu = means.iter().map(|(s, cpu, _)| (*cpu, s.cpu_request.map(MicroCpu::cores)));
    let memory = means.iter().map(|(s, _, m)| (*m, s.memory_request.map(|m| m.0 as f64)));
    notices.extend(doubt("unit-cpu", "cpu", "cores", "millicores", LARGEST_NODE.0, cpu));
    let prefixes = "KiB, MiB or bytes";
    notices.extend(doubt("unit-memory", "memory", "bytes", prefixes, LARGEST_NODE.1, memory));
    notices
}

/// A notice where usage and request, or usage and the largest machine, are
/// too far apart. Pairs hold a mean (NaN where unknown) and a request.
pub(super) fn doubt(
    code: &'static str,
    what: &str,
    unit: &str,
    other: &str,
    most: f64,
    pairs: impl Iterator<Item = (f64, Option<f64>)> + Clone,
) -> Option<Notice> {
    let beyond = pairs.clone().filter(|(used, _)| *used > most).count();
    if beyond > 0 {
        let text = format!(
            "{what} of {beyond} series is above {most} {unit}, more than any machine has; \
             is it stated in {other}?"
        );
        return Some(Notice { code, text });
    }
    let mut ratios: Vec<f64> = pairs
        .filter_map(|(used, request)| Some(used / request.filter(|r| *r > 0.0)?))
        .filter(|r| r.is_finite() && *r > 0.0)
        .collect();
    ratios.sort_by(f64::total_cmp);
    let median =
        *ratios.get(ratios.len().checked_sub(DOUBTFUL_PAIRS).map(|_| ratios.len() / 2)?)?;
    (!(1.0 / DOUBTFUL..=DOUBTFUL).contains(&median)).then(|| {
        let n = ratios.len();
        let text = format!(
            "{what} used is {median:.3e} times the request in the middle of {n} series; \
             is one of them not in {unit} but in {other}?"
        );
        Notice { code, text }
    })
}

/// A number of cores, to the nearest millionth.
///
/// # Errors
/// When it is no number, negative, or above a million cores.
pub fn cores(text: &[u8]) -> std::result::Result<MicroCpu, String> {
    scaled(text, 1e6, MAX_CPU, "is above a million cores").map(MicroCpu)
}

/// A number of bytes, to the nearest.
///
/// # Errors
/// When it is no number, negative, or above 4 PiB.
pub fn bytes(text: &[u8]) -> std::result::Result<Bytes, String> {
    scaled(text, 1.0, MAX_MEMORY, "is above 4 PiB").map(Bytes)
}

/// A plain number times `unit`, to the nearest whole.
///
/// # Errors
/// When it is no number, not finite, negative, or above `most` after scaling.
pub fn scaled(
    text: &[u8],
    unit: f64,
    most: f64,
    too_large: &str,
) -> std::result::Result<i64, String> {
    let value = decimal(text)?;
    let scaled = (value * unit).round();
    if scaled > most { Err(too_large.to_owned()) } else { Ok(scaled as i64) }
}

/// Whether a time and a span can be kept.
///
/// # Errors
/// When they cannot.
pub fn check_interval(start_unix_ms: i64, span_ms: i64) -> std::result::Result<(), String> {
    if !(-MAX_MS..=MAX_MS).contains(&start_unix_ms) {
        return Err("is more than 1,000 years from 1970".into());
    }
    if !(1..=MAX_SPAN_MS).contains(&span_ms) {
        return Err("is an interval that is empty, negative or longer than 366 days".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(pod: &str) -> UsageKey {
        UsageKey { namespace: "n".into(), pod: pod.into(), ..UsageKey::default() }
    }

    fn cpu(start: i64, micro: i64) -> UsageSample {
        UsageSample {
            start_unix_ms: start,
            span_ms: 10,
            cpu_mean: Some(MicroCpu(micro)),
            ..UsageSample::default()
        }
    }

    fn gather() -> Gather {
        Gather::new("t", "line", OnBadRow::Fail)
    }

    fn samples(loaded: &LoadedUsage) -> Vec<UsageSample> {
        loaded.set.series.values().flat_map(|s| s.samples.clone()).collect()
    }

    #[test]
    fn samples_are_sorted_merged_and_counted() {
        let mut g = gather();
        let memory = UsageSample {
            start_unix_ms: 0,
            span_ms: 10,
            memory_mean: Some(Bytes(7)),
            ..UsageSample::default()
        };
        let hole = UsageSample { start_unix_ms: 40, span_ms: 10, ..UsageSample::default() };
        for s in [cpu(20, 3), cpu(0, 1), cpu(0, 9), memory, cpu(25, 5), hole] {
            g.series(key("a")).expect("few").sample(s);
        }
        let loaded = g.finish().expect("fine");
        let both = UsageSample { memory_mean: Some(Bytes(7)), ..cpu(0, 1) };
        assert_eq!(samples(&loaded), [both, cpu(20, 3)]);
        let report = &loaded.report;
        for code in ["duplicate", "overlapping", "hole"] {
            assert_eq!(report.dropped[code].rows, 1, "{code}");
        }
        assert_eq!(report.warnings["unsorted"].rows, 1);
        assert_eq!((report.series, report.samples), (1, 2));
        let line = report.to_string();
        assert!(line.starts_with("usage t: 0 rows, 1 series, 2 samples, 1 dropped (dup"), "{line}");
    }

    #[test]
    fn the_latest_statement_and_the_middle_of_replicas_hold() {
        let mut g = gather();
        let ask = |cpu| StatedResources {
            cpu_request: Some(MicroCpu(cpu)),
            ..StatedResources::default()
        };
        let s = g.series(key("a")).expect("few");
        s.state(5, ask(50));
        s.state(9, ask(90));
        s.state(7, StatedResources { memory_limit: Some(Bytes(3)), ..ask(70) });
        for n in [3, 2, 2, 9, 2] {
            s.replicas(n);
        }
        s.on_node("x");
        s.on_node("");
        let b = g.series(key("b")).expect("few");
        b.state_largest(ask(5));
        b.state_largest(ask(3));
        b.on_node("x");
        b.on_node("y");
        let loaded = g.finish().expect("fine");
        let a = &loaded.set.series[&key("a")];
        assert_eq!(a.stated.cpu_request, Some(MicroCpu(90)));
        assert_eq!(a.stated.memory_limit, Some(Bytes(3)));
        assert_eq!((a.replicas, a.node.as_deref()), (2, Some("x")));
        let b = &loaded.set.series[&key("b")];
        assert_eq!((b.stated.cpu_request, &b.node), (Some(MicroCpu(5)), &None));
        assert_eq!(loaded.report.warnings["moved"].rows, 1);
    }

    #[test]
    fn nothing_at_all_is_an_error() {
        let mut g = gather();
        g.row();
        g.series(key("a")).expect("few").on_node("x");
        let error = g.finish().expect_err("empty").to_string();
        assert_eq!(error, "`t` holds no usage: none of its 1 rows has a value");
    }

    #[test]
    fn units_that_look_wrong_are_doubted_with_evidence() {
        // 250 millicores stated as cores, beside requests of 0.25 to 0.5 cores.
        let doubts = |used: i64, request: i64, n: usize| {
            let mut g = gather();
            for i in 0..n {
                let s = g.series(key(&format!("p{i}"))).expect("few");
                s.sample(cpu(0, used));
                s.state_largest(StatedResources {
                    cpu_request: Some(MicroCpu(request)),
                    ..StatedResources::default()
                });
            }
            g.finish().expect("fine").report.notices
        };
        let found = doubts(250_000_000, 500_000, 3);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, "unit-cpu");
        assert!(found[0].text.contains("5.000e2 times the request in the middle of 3 series"));
        assert!(doubts(250_000_000, 500_000, 2).is_empty(), "two pods say little");
        assert!(doubts(1_500, 100_000, 9).is_empty(), "69 times over-requested is real");
        assert_eq!(doubts(500, 1_000_000, 3).len(), 1, "a two-thousandth is doubtful");
        let found = doubts(2_000_000_000, 4_000_000_000, 1);
        assert!(found[0].text.contains("more than any machine has"), "{}", found[0].text);
    }

    #[test]
    fn means_are_weighted_by_length() {
        let long = UsageSample { start_unix_ms: 10, span_ms: 30, ..cpu(10, 5) };
        let series = UsageSeries { samples: vec![cpu(0, 2), long], ..UsageSeries::default() };
        // (2·10 + 5·30) / 40 = 4.25.
        assert_eq!(series.mean(), (Some(MicroCpu(4)), None));
        assert_eq!(MicroCpu(1_499).to_milli().0, 1);
        assert_eq!(MicroCpu(1_500).to_milli().0, 2);
    }

    #[test]
    fn numbers_round_to_the_nearest_unit() {
        assert_eq!(cores(b"0.0015005"), Ok(MicroCpu(1_501)));
        assert_eq!(bytes(b" 1.07e9 "), Ok(Bytes(1_070_000_000)));
        for bad in ["", "x", "-1", "NaN", "inf", "1e30"] {
            assert!(cores(bad.as_bytes()).is_err() && bytes(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check_interval(0, 0).is_err() && check_interval(i64::MIN, 1).is_err());
        assert!(check_interval(0, MAX_SPAN_MS).is_ok());
    }

    proptest! {
        #[test]
        fn samples_come_out_ascending_and_apart(
            drawn in proptest::collection::vec((0i64..50, 1i64..9, 0i64..3), 1..40),
        ) {
            let mut g = gather();
            for (start, span, kind) in &drawn {
                let (start_unix_ms, span_ms) = (*start, *span);
                let mut s = UsageSample { start_unix_ms, span_ms, ..UsageSample::default() };
                if *kind != 1 { s.cpu_mean = Some(MicroCpu(1)); }
                if *kind != 0 { s.memory_mean = Some(Bytes(1)); }
                g.series(key("a")).expect("few").sample(s);
            }
            let loaded = g.finish().expect("at least one stays");
            let kept = samples(&loaded);
            prop_assert!(kept.windows(2).all(|w| w[0].end_unix_ms() <= w[1].start_unix_ms));
            let out: u64 = loaded.report.dropped.values().map(|t| t.rows).sum();
            // Every sample stays, is merged into one that stays, or is counted.
            prop_assert!(kept.len() as u64 + out <= drawn.len() as u64);
            prop_assert!(!kept.is_empty());
        }
    }
}
