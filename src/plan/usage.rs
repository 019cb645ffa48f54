//! Exports of usage: read once for all cases, joined to the workloads of
//! each, and given to the simulation where a workload does not state what its
//! pods use.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::files::Files;
use super::model::CasePlan;
use super::notes::Notes;
use crate::import::usage::prometheus::Quantity;
use crate::import::usage::{UsageFile, UsageFormat, UsageSource};
use crate::nouns::counted;
use crate::scenario::{self, RelPath, Scenario, Source, Span, Spanned, quote};
use crate::units::Bytes;
use crate::workload::Usage;
use crate::workload::intern::PodShape;
use crate::workload::plan::{Content, PlannedWorkload};
use crate::workload::source::OnBadRow;
use crate::workload::usage::MicroCpu;
use crate::workload::usage::join::{Joined, JoinedUsage, Selector, Target, UsageInput};

/// Reads and joins all sources of a case, and fills in means.
pub(super) fn link(
    scenario: &Scenario,
    source: &Source,
    planned: &mut [PlannedWorkload],
    files: &mut Files,
    notes: &mut Notes<'_>,
) -> JoinedUsage {
    if scenario.usage.is_empty() {
        return JoinedUsage::default();
    }
    let targets = targets(planned);
    let mut inputs = Vec::new();
    for (name, it) in scenario.usage.iter() {
        let selectors = selectors(it, &targets, notes);
        let (wanted, span) = wanted(name, it, source);
        if it.on_bad_row.is_none() {
            let path = format!("usage.{}.on-bad-row", name.value);
            notes.default(path, scenario::OnBadRow::Fail, "choice: nothing is left out unseen");
        }
        match files.usage(&wanted) {
            Ok(loaded) => {
                warn_of_rows(&loaded.report, span, notes);
                inputs.push(UsageInput { name: name.value.clone(), loaded, selectors });
            }
            Err(error) => {
                notes.diags.error(span, error.to_string());
            }
        }
    }
    let joined = JoinedUsage::new(inputs, &targets);
    for told in &joined.sources {
        let span = scenario.usage.get(&told.source).map(span).unwrap_or_default();
        let name = quote(&told.source);
        if let Some((series, workloads)) = &told.ambiguous_example {
            let workloads: Vec<String> = workloads.iter().map(|w| quote(w)).collect();
            let message = format!(
                "usage {name}: {} series name no namespace and could belong to several workloads, \
                 as {} to {}; they are left out",
                told.ambiguous,
                quote(series),
                workloads.join(", ")
            );
            notes
                .diags
                .warning("usage-ambiguous", span, message)
                .help("add the column `namespace`, or `match`");
        }
        if told.unjoined > told.ambiguous {
            let message = format!(
                "usage {name}: {} of {} series belong to no workload of the scenario, such as {}",
                told.unjoined - told.ambiguous,
                told.series + told.unjoined + told.repeated,
                told.examples.join(", ")
            );
            notes.diags.warning("usage-unjoined", span, message).help(
                "name workloads after the owners of the pods, state their namespace, or add `match`",
            );
        }
        if told.repeated > 0 {
            let message = format!(
                "usage {name}: left out {} series that an earlier source has",
                told.repeated
            );
            notes.diags.warning("usage-repeated", span, message);
        }
    }
    doubt_units(scenario, planned, &joined, notes);
    fill(planned, &joined, notes);
    joined
}

/// Memory of a pod below which its unit is doubted, where it requests at
/// least [`SIZEABLE`]: no process of a container is as small.
const TINY: Bytes = Bytes(1 << 20);
/// See [`TINY`].
const SIZEABLE: Bytes = Bytes(64 << 20);
/// Multiple of the request from which on the unit of cpu is doubted, if it is
/// also at least [`MANY_CORES`]: real pods burst, but not so far on average.
const FAR_ABOVE: i64 = 50;
/// See [`FAR_ABOVE`].
const MANY_CORES: MicroCpu = MicroCpu(20_000_000);

/// Warns of workloads whose usage looks stated in another unit, as their
/// requests tell. Sources that state requests themselves are judged by them
/// when they are read.
fn doubt_units(
    scenario: &Scenario,
    planned: &[PlannedWorkload],
    joined: &JoinedUsage,
    notes: &mut Notes<'_>,
) {
    for workload in planned {
        let pods: Vec<&PodShape> = match &workload.content {
            Content::Service(s) => vec![&s.pod],
            Content::Daemon(d) => vec![&d.pod],
            Content::Trace(data) => data.shapes.iter().collect(),
            Content::Generator(_) => continue,
        };
        let mut names = scenario.workload.iter().map(|(name, _)| name);
        let span = names.find(|n| n.value == workload.name).map_or_else(Span::default, |n| n.span);
        let samples = || joined.series(&workload.name).flat_map(|(_, series)| &series.samples);
        let largest = samples().flat_map(|s| [s.memory_mean, s.memory_max]).flatten().max();
        // The least that a pod of it requests, and the most.
        let memory = pods.iter().map(|p| p.memory).min().flatten();
        let cpu = pods.iter().map(|p| p.cpu).max().flatten();
        let name = quote(&workload.name);
        if let (Some(used), Some(request)) = (largest, memory)
            && (used.0 > 0 && used < TINY && request >= SIZEABLE)
        {
            let message = format!(
                "workload {name}: the most memory it was ever seen to use is {} bytes, where it \
                 requests {request}; is it stated in MiB or KiB instead of bytes?",
                used.0
            );
            notes.diags.warning("unit-memory", span, message);
        }
        if let (Some(used), Some(request)) = (joined.mean(&workload.name).0, cpu)
            && used >= MANY_CORES
            && used.0 / 1_000 > FAR_ABOVE.saturating_mul(request.0)
        {
            let message = format!(
                "workload {name}: a pod of it uses {:.1} cores on average, where it requests \
                 {request}; is it stated in millicores instead of cores?",
                used.cores()
            );
            notes.diags.warning("unit-cpu", span, message);
        }
    }
}

/// What usage may belong to.
fn targets(planned: &[PlannedWorkload]) -> Vec<Target> {
    let of = |shapes: &mut dyn Iterator<Item = &PodShape>| -> BTreeSet<String> {
        shapes.map(|s| s.namespace.clone()).collect()
    };
    planned
        .iter()
        .map(|w| {
            let namespaces = match &w.content {
                Content::Trace(data) => of(&mut data.shapes.iter()),
                Content::Generator(g) => BTreeSet::from([g.namespace.clone()]),
                Content::Service(s) => of(&mut std::iter::once(&s.pod)),
                Content::Daemon(d) => of(&mut std::iter::once(&d.pod)),
            };
            Target { name: w.name.clone(), namespaces, pods: replayed(&w.content) }
        })
        .collect()
}

/// Namespace and name of the pods of a trace that names them.
fn replayed(content: &Content) -> BTreeSet<(String, String)> {
    let Content::Trace(data) = content else { return BTreeSet::new() };
    if !data.trace.has_names() {
        return BTreeSet::new();
    }
    let namespace = |row: usize| data.shapes.get(data.trace.template[row].index());
    (0..data.trace.len())
        .filter_map(|row| {
            let name = data.trace.name(row);
            Some((namespace(row)?.namespace.clone(), name.to_owned()))
        })
        .filter(|(_, name)| !name.is_empty())
        .collect()
}

fn selectors(
    it: &scenario::UsageSource,
    targets: &[Target],
    notes: &mut Notes<'_>,
) -> Vec<(String, Selector)> {
    let mut selectors = Vec::new();
    for (name, m) in it.selectors.iter() {
        if !targets.iter().any(|t| t.name == name.value) {
            let message = format!("there is no workload {}", quote(&name.value));
            notes
                .diags
                .error(name.span, message)
                .suggest(&name.value, targets.iter().map(|t| t.name.as_str()));
        }
        let text = |s: &Option<Spanned<String>>| s.as_ref().map(|s| s.value.clone());
        let selector = Selector {
            namespace: text(&m.namespace),
            workload: text(&m.workload),
            pod: text(&m.pod),
            container: text(&m.container),
        };
        selectors.push((name.value.clone(), selector));
    }
    selectors
}

/// Where a source stands in the scenario: its first file.
fn span(it: &scenario::UsageSource) -> Span {
    files_of(it).first().map_or_else(Span::default, |(path, _)| path.span)
}

/// All files of a source, with what the scenario says they hold.
fn files_of(it: &scenario::UsageSource) -> Vec<(&Spanned<RelPath>, Option<Quantity>)> {
    match &it.files {
        scenario::UsageFiles::Files(paths, _) => paths.iter().map(|path| (path, None)).collect(),
        scenario::UsageFiles::Prometheus(p) => {
            let single = [
                (&p.cpu_usage, Quantity::CpuUsage),
                (&p.memory_usage, Quantity::MemoryUsage),
                (&p.cpu_request, Quantity::CpuRequest),
                (&p.memory_request, Quantity::MemoryRequest),
                (&p.cpu_limit, Quantity::CpuLimit),
                (&p.memory_limit, Quantity::MemoryLimit),
            ];
            let named = p.files.iter().flat_map(|f| f.iter()).map(|path| (path, None));
            let single = single
                .into_iter()
                .filter_map(|(path, holds)| path.as_ref().map(|path| (path, Some(holds))));
            named.chain(single).collect()
        }
    }
}

fn wanted(
    name: &Spanned<String>,
    it: &scenario::UsageSource,
    source: &Source,
) -> (UsageSource, Span) {
    let files = files_of(it)
        .into_iter()
        .map(|(path, holds)| UsageFile {
            path: source.locate(path),
            shown: path.as_str().to_owned(),
            holds,
        })
        .collect();
    let (format, step_ms) = match &it.files {
        scenario::UsageFiles::Files(_, options) => (options.format.map(|f| named(f.value)), None),
        scenario::UsageFiles::Prometheus(p) => {
            (Some(UsageFormat::Prometheus), p.step.map(|s| s.value.0.0))
        }
    };
    let on_bad_row = match it.on_bad_row.map(|o| o.value) {
        Some(scenario::OnBadRow::Quarantine) => OnBadRow::Quarantine,
        Some(scenario::OnBadRow::Fail) | None => OnBadRow::Fail,
    };
    (UsageSource { name: name.value.clone(), files, format, on_bad_row, step_ms }, span(it))
}

fn named(format: scenario::UsageFormat) -> UsageFormat {
    match format {
        scenario::UsageFormat::Native => UsageFormat::Native,
        scenario::UsageFormat::ClusterHourly => UsageFormat::ClusterHourly,
        scenario::UsageFormat::Container15Min => UsageFormat::Container15Min,
        scenario::UsageFormat::Bitbrains => UsageFormat::Bitbrains,
    }
}

/// What became of rows that are not kept as they stand.
fn warn_of_rows(
    report: &crate::workload::usage::gather::UsageReport,
    span: Span,
    notes: &mut Notes<'_>,
) {
    let name = quote(&report.source);
    let mut warn = |code, text: String| {
        notes.diags.warning(code, span, format!("usage {name}: {text}"));
    };
    for (code, tally) in &report.dropped {
        warn(code, format!("left out {} {}", tally.rows, tally.text));
    }
    for (code, tally) in &report.warnings {
        warn(code, format!("{} {}", tally.rows, tally.text));
    }
    for notice in &report.notices {
        warn(notice.code, notice.text.clone());
    }
    if report.quarantined > 0 {
        let first = report.quarantined_rows.first();
        let example = first.map_or_else(String::new, |q| {
            format!(", the first at {}: {} {}", q.position, q.bad.column, q.bad.cause)
        });
        let rows = counted(report.quarantined, "row");
        warn("quarantined", format!("left out {rows} that cannot be read{example}"));
    }
}

/// Gives workloads that do not state what their pods use the mean of their
/// series. What a scenario states is left alone, and so is a service whose
/// demand decides its cpu.
fn fill(planned: &mut [PlannedWorkload], joined: &JoinedUsage, notes: &mut Notes<'_>) {
    for workload in planned {
        let mean = mean(joined.mean(&workload.name));
        if mean == Usage::default() {
            continue;
        }
        let (path, usage, follows) = match &mut workload.content {
            Content::Service(s) => ("service", &mut s.usage, s.demand.is_some()),
            Content::Daemon(d) => ("daemonset", &mut d.usage, false),
            Content::Trace(_) | Content::Generator(_) => continue,
        };
        let known = *usage;
        usage.memory = usage.memory.or(mean.memory);
        if !follows {
            usage.cpu = usage.cpu.or(mean.cpu);
        }
        let path = format!("workload.{}.{path}.usage", workload.name);
        let note = "mean of the series that `usage` has of it";
        if let (None, Some(cpu)) = (known.cpu, usage.cpu) {
            notes.default(format!("{path}.cpu"), cpu, note);
        }
        if let (None, Some(memory)) = (known.memory, usage.memory) {
            notes.default(format!("{path}.memory"), memory, note);
        }
    }
}

/// A mean as the simulation counts it.
fn mean((cpu, memory): (Option<MicroCpu>, Option<Bytes>)) -> Usage {
    Usage { cpu: cpu.map(MicroCpu::to_milli), memory }
}

/// How much of a case is known: workloads with requests and with usage, and
/// what became of the series of each source. Empty without a source.
#[must_use]
pub fn coverage(case: &CasePlan) -> Vec<String> {
    let usage = &case.usage;
    if usage.sources.is_empty() {
        return Vec::new();
    }
    let workloads = case.workload.workloads();
    let asks = |of: fn(&PodShape) -> bool| {
        let any = |w: &&PlannedWorkload| match &w.content {
            Content::Trace(data) => data.shapes.iter().any(of),
            Content::Generator(_) => true,
            Content::Service(s) => of(&s.pod),
            Content::Daemon(d) => of(&d.pod),
        };
        workloads.iter().filter(any).count()
    };
    let used = workloads.iter().filter(|w| usage.series(&w.name).next().is_some()).count();
    let mut lines = vec![format!(
        "of {} workloads {} request cpu, {} memory, {used} have usage",
        workloads.len(),
        asks(|pod| pod.cpu.is_some()),
        asks(|pod| pod.memory.is_some()),
    )];
    for told in &usage.sources {
        let Joined { source, series, unjoined, repeated, .. } = told;
        lines.push(format!(
            "usage {source}: {series} series joined to workloads, {unjoined} to none, {repeated} \
             known from an earlier source"
        ));
    }
    lines
}

/// What was read, shared by all cases that read the same files.
pub(super) type Loaded = Arc<crate::workload::usage::gather::LoadedUsage>;
