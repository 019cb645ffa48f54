//! Pods by name: `namespace/name` or `name` as the trace has it, or
//! `workload/number`, where the number counts the workload's pods from 0 in the
//! order of their submission, the same in every case.

use super::super::text;
use super::unknown;
use crate::cluster::Pod;
use crate::workload::{TemplateId, Trace, TraceUse, WorkloadId, Workloads};
use crate::{Error, Result};

/// Names of a trace that are compared with an unknown one.
const COMPARED: usize = 100_000;

/// The workload of this name.
///
/// # Errors
/// A name that no workload has, with the nearest.
pub fn find_workload(workloads: &Workloads, name: &str) -> Result<WorkloadId> {
    let all = workloads.workloads.iter().map(|w| w.name.as_str());
    let found = all.clone().position(|n| n == name).map(|i| WorkloadId(i as u32));
    found.ok_or_else(|| unknown("workload", name, all))
}

/// The piece of work of this name.
///
/// # Errors
/// A name that nothing has, with the nearest; a number beyond the workload's
/// pods.
pub fn find_pod(workloads: &Workloads, name: &str) -> Result<u64> {
    if let Some((workload, number)) = name.rsplit_once('/')
        && let Ok(number) = number.parse::<u64>()
        && let Some(id) = workloads.workloads.iter().position(|w| w.name == workload)
    {
        return numbered(workloads, WorkloadId(id as u32), number);
    }
    for (index, used) in workloads.traces.iter().enumerate() {
        for (row, numbers) in used.trace.numbers().enumerate() {
            if is_called(workloads, used, row, name) {
                return Ok(Pod::trace_ordinal(index, numbers.start));
            }
        }
    }
    Err(nothing_called(workloads, name))
}

fn is_called(workloads: &Workloads, used: &TraceUse, row: usize, name: &str) -> bool {
    let own = used.trace.name(row);
    if own.is_empty() {
        return false;
    }
    let namespace = || {
        let template = &workloads.templates[used.template(row).index()];
        workloads.namespaces[template.namespace.index()].as_str()
    };
    own == name || name.split_once('/').is_some_and(|(n, rest)| rest == own && n == namespace())
}

fn numbered(workloads: &Workloads, id: WorkloadId, number: u64) -> Result<u64> {
    let name = text::name(&workloads.workloads[id.index()].name);
    let is_of = |template: TemplateId| workloads.templates[template.index()].workload == id;
    let trace = workloads.traces.iter().position(|t| !t.trace.is_empty() && is_of(t.template(0)));
    if let Some(trace) = trace {
        let rows = &workloads.traces[trace].trace;
        if rows.numbers().any(|numbers| numbers.contains(&number)) {
            return Ok(Pod::trace_ordinal(trace, number));
        }
        if !rows.ordinal.is_empty() {
            return Err(Error::input(format!(
                "there is no pod `{name}/{number}`\n  = help: `thin` and `growth` leave pods their \
                 numbers, and this one is not among those kept"
            )));
        }
        return Err(too_high(&name, number, rows.pods()));
    }
    if let Some(service) = workloads.services.iter().position(|s| is_of(s.template)) {
        let ordinal = Pod::service_ordinal(service, number);
        // A number too long for an ordinal would reach into other services.
        if Pod::origin(ordinal) != (Pod::origin(Pod::service_ordinal(service, 0)).0, number) {
            return Err(Error::input(format!(
                "there is no pod `{name}/{number}`\n  = help: replicas are counted from {name}/0"
            )));
        }
        return Ok(ordinal);
    }
    Err(Error::input(format!(
        "{name} has no pods that wait for a node\n  = help: a DaemonSet runs on every node that \
         admits it; name a batch workload or a service"
    )))
}

/// A template of the trace or service that the work is from.
fn a_template(workloads: &Workloads, ordinal: u64) -> Option<TemplateId> {
    let source = Pod::origin(ordinal).0;
    match Pod::trace_of(ordinal) {
        Some(trace) => workloads.traces.get(trace).map(|t| t.template(0)),
        None => {
            workloads.services.iter().map(|s| s.template).enumerate().find_map(|(i, t)| {
                (Pod::origin(Pod::service_ordinal(i, 0)).0 == source).then_some(t)
            })
        }
    }
}

/// The pod of this ordinal as `workload/number`.
pub(super) fn pod_of(workloads: &Workloads, ordinal: u64) -> String {
    a_template(workloads, ordinal)
        .map_or_else(String::new, |template| pod_name(workloads, ordinal, template).name)
}

/// The run had no such pod: of its trace or service the probe saw `seen`
/// submitted, the record has `submitted` of each workload.
pub(super) fn not_there(
    workloads: &Workloads,
    ordinal: u64,
    seen: u64,
    submitted: impl Fn(WorkloadId) -> u64,
) -> Error {
    let number = Pod::origin(ordinal).1;
    let template = a_template(workloads, ordinal);
    let workload = template.map(|t| workloads.templates[t.index()].workload);
    let name = workload.map_or("", |w| workloads.workloads[w.index()].name.as_str());
    if seen == 0 && workload.is_some_and(|w| submitted(w) > 0) {
        return Error::input(format!(
            "neither kube-scheduler nor a Fargate profile places the pods of `{}`, and no other \
             story can be told",
            text::name(name)
        ));
    }
    too_high(&text::name(name), number, seen)
}

/// A workload has fewer pods.
fn too_high(workload: &str, number: u64, pods: u64) -> Error {
    let help = match pods {
        0 => format!("{workload} submitted no pod"),
        1 => format!("{workload} submitted one pod: {workload}/0"),
        n => format!("{workload} submitted {n} pods: {workload}/0 to {workload}/{}", n - 1),
    };
    Error::input(format!("there is no pod `{workload}/{number}`\n  = help: {help}"))
}

fn nothing_called(workloads: &Workloads, name: &str) -> Error {
    fn names(trace: &Trace) -> impl Iterator<Item = &str> + Clone {
        (0..trace.len().min(COMPARED)).map(|row| trace.name(row)).filter(|n| !n.is_empty())
    }
    let of_traces = workloads.traces.iter().flat_map(|t| names(&t.trace));
    let bare = name.rsplit_once('/').filter(|(_, n)| n.parse::<u64>().is_err()).map(|(_, n)| n);
    if of_traces.clone().next().is_some()
        && crate::names::nearest(bare.unwrap_or(name), of_traces.clone()).is_some()
    {
        return unknown("pod", bare.unwrap_or(name), of_traces);
    }
    let all = workloads.workloads.iter().map(|w| w.name.as_str());
    match name.rsplit_once('/') {
        Some((workload, number)) if number.parse::<u64>().is_ok() => {
            unknown("workload", workload, all)
        }
        _ => {
            let first = all.clone().next().map_or_else(|| "web".to_owned(), text::name);
            Error::input(format!(
                "there is no pod `{}`\n  = help: write workload/number, as in {first}/0, or the \
                 name that the trace gives it",
                text::name(name)
            ))
        }
    }
}

/// What to call a piece of work, and its name in the trace where it has one.
pub(super) fn pod_name(workloads: &Workloads, ordinal: u64, template: TemplateId) -> PodName {
    let workload = workloads.templates[template.index()].workload;
    let (_, number) = Pod::origin(ordinal);
    let name = format!("{}/{number}", text::name(&workloads.workloads[workload.index()].name));
    let in_trace = Pod::trace_of(ordinal).and_then(|index| {
        let trace = &workloads.traces.get(index)?.trace;
        let row = trace.numbers().position(|numbers| numbers.contains(&number))?;
        Some(trace.name(row)).filter(|n| !n.is_empty()).map(text::name)
    });
    PodName { name, in_trace }
}

/// Names of a piece of work.
pub(super) struct PodName {
    /// `workload/number`.
    pub(super) name: String,
    /// As the trace has it.
    pub(super) in_trace: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rng::Distribution;
    use crate::workload::{
        ClassId, LocalTemplate, NamespaceId, OnInterrupt, PodTemplate, TraceRow, WorkloadInfo,
        WorkloadKind,
    };

    fn workloads() -> Workloads {
        let mut trace = Trace::default();
        for (name, count) in [("compile", 2), ("link", 1)] {
            trace.push_row(&TraceRow {
                template: LocalTemplate(0),
                count,
                name,
                ..TraceRow::default()
            });
        }
        let info = |name: &str, kind| WorkloadInfo { name: name.into(), kind };
        Workloads {
            workloads: vec![
                info("builds", WorkloadKind::Batch),
                info("logs", WorkloadKind::Daemon),
            ],
            namespaces: vec!["ci".into()],
            templates: vec![PodTemplate {
                class: ClassId(0),
                workload: WorkloadId(0),
                namespace: NamespaceId(0),
                on_interrupt: OnInterrupt::Restart,
                startup: Distribution::Constant(0.0),
                life: crate::workload::PodLife::default(),
            }],
            traces: vec![TraceUse { trace: Arc::new(trace), template_base: 0 }],
            ..Workloads::default()
        }
    }

    #[test]
    fn pods_are_found_by_any_of_their_names() {
        let workloads = workloads();
        for (name, number) in [("builds/2", 2), ("link", 2), ("ci/link", 2), ("compile", 0)] {
            let found = find_pod(&workloads, name).expect("found");
            assert_eq!(found, Pod::trace_ordinal(0, number), "{name}");
        }
        let name = pod_name(&workloads, Pod::trace_ordinal(0, 1), TemplateId(0));
        assert_eq!(name.name, "builds/1");
        assert_eq!(name.in_trace.as_deref(), Some("compile"));
    }

    #[test]
    fn unknown_pods_name_what_there_is() {
        let workloads = workloads();
        for (name, says) in [
            ("lnik", "did you mean `link`?"),
            ("ci/lnik", "did you mean `link`?"),
            ("buidls/1", "did you mean `builds`?"),
            ("builds/3", "builds submitted 3 pods: builds/0 to builds/2"),
            ("logs/0", "a DaemonSet runs on every node"),
            ("something-else", "write workload/number, as in builds/0"),
        ] {
            let error = find_pod(&workloads, name).expect_err("unknown");
            assert!(error.is_input());
            assert!(error.to_string().contains(says), "{name}: {error}");
        }
    }

    #[test]
    fn a_number_too_high_and_a_world_that_tells_nothing_are_told_apart() {
        let workloads = workloads();
        let say = |seen, submitted| {
            not_there(&workloads, Pod::trace_ordinal(0, 2), seen, |_| submitted).to_string()
        };
        assert!(say(2, 2).contains("builds submitted 2 pods: builds/0 to builds/1"));
        assert!(say(0, 0).contains("builds submitted no pod"));
        assert!(say(0, 2).contains("no other story can be told"));
    }
}
