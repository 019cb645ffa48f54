//! The format of a trace with the options that only it has; options of other
//! formats are refused.

use super::defaults::GPU_RESOURCE;
use super::notes::Notes;
use crate::import::alibaba_dlrm::DlrmOptions;
use crate::import::openb::{OpenbOptions, Select};
use crate::import::{Format, OtherFile};
use crate::scenario::{
    Positive, RelPath, Source, Span, Spanned, TraceFormat, TraceOptions, TraceSelect, quote,
};
use crate::units::Bytes;

/// The format of the trace at `path`, for the workload at `place`.
pub(super) fn link(
    place: &str,
    path: &Spanned<RelPath>,
    it: &TraceOptions,
    source: &Source,
    notes: &mut Notes<'_>,
) -> Option<Format> {
    refuse_foreign(path, it, notes);
    let span = path.span;
    let beside = |file: &Spanned<RelPath>| OtherFile {
        path: source.locate(file),
        shown: file.as_str().to_owned(),
    };
    match it.format.map(|f| f.value) {
        Some(TraceFormat::Native) if is_parquet(path) => Some(Format::Parquet),
        Some(TraceFormat::Native) => Some(Format::Csv),
        Some(TraceFormat::Openb) => {
            let select = match it.select.map(|s| s.value) {
                Some(TraceSelect::CpuOnly) => Select::CpuOnly,
                Some(TraceSelect::Gpu) => Select::Gpu,
                Some(TraceSelect::All) | None => Select::All,
            };
            let gpu_resource = gpu_resource(place, it, notes);
            Some(Format::Openb(OpenbOptions { select, gpu_resource }))
        }
        Some(TraceFormat::Swf) => Some(swf(it)),
        Some(TraceFormat::AlibabaBatch2017) => {
            let memory_scale = required(
                it.memory_scale.map(|m| m.value.0),
                span,
                "memory of this trace is a share of one machine, whose memory it does not state",
                "state it as `memory-scale: 256Gi`, with the memory that such a machine had",
                notes,
            )?;
            Some(Format::AlibabaBatch2017 { memory_scale })
        }
        Some(TraceFormat::AlibabaDlrm2025) => Some(Format::AlibabaDlrm2025(DlrmOptions {
            gpu_resource: gpu_resource(place, it, notes),
            rdma_resource: it.rdma_resource.as_ref().map(|name| name.value.clone()),
        })),
        Some(TraceFormat::AzureFunctions2019) => {
            let memory = it.memory.as_ref().map(beside);
            requests(it, span, memory.is_some(), notes);
            let durations = required(
                it.durations.as_ref().map(beside),
                span,
                "this trace counts invocations and does not say how long they ran",
                "name the file of run times that belongs to it as `durations`",
                notes,
            )?;
            Some(Format::AzureFunctions2019 { durations, memory })
        }
        Some(TraceFormat::AzureFunctions2021) => {
            requests(it, span, false, notes);
            Some(Format::AzureFunctions2021)
        }
        Some(TraceFormat::Opendc) => {
            let memory_unit = required(
                it.memory_unit.map(|m| m.value.0),
                span,
                "traces of format opendc differ in their unit of memory, and do not state it",
                "state `memory-unit: 1Ki` for kilobytes, `1Mi` for megabytes",
                notes,
            )?;
            let fragments = it.fragments.as_ref().map(beside);
            Some(Format::Opendc { memory_unit, fragments })
        }
        None => match Format::of_path(path.as_path()) {
            Ok(Format::Swf { .. }) => Some(swf(it)),
            Ok(format) => Some(format),
            Err(error) => {
                notes.diags.error(span, error.to_string());
                None
            }
        },
    }
}

fn is_parquet(path: &Spanned<RelPath>) -> bool {
    matches!(Format::of_path(path.as_path()), Ok(Format::Parquet))
}

fn swf(it: &TraceOptions) -> Format {
    Format::Swf { memory_per_cpu: it.memory_per_cpu.map(|m| m.value.0) }
}

/// A trace without requests needs the workload's.
fn requests(it: &TraceOptions, span: Span, has_memory: bool, notes: &mut Notes<'_>) {
    let stated = it.requests.as_ref();
    let cpu = stated.and_then(|r| r.cpu).is_some();
    let memory = has_memory || stated.and_then(|r| r.memory).is_some();
    for (key, known) in [("cpu", cpu), ("memory", memory)] {
        if !known {
            let message = format!("this trace does not say what {key} its pods request");
            notes
                .diags
                .error(span, message)
                .help(format!("state `requests.{key}` for the workload"));
        }
    }
}

/// The value of an option without which a format says too little.
fn required<T>(
    given: Option<T>,
    span: Span,
    message: &str,
    help: &str,
    notes: &mut Notes<'_>,
) -> Option<T> {
    if given.is_none() {
        notes.diags.error(span, message).help(help);
    }
    given
}

/// The extended resource that GPUs become.
fn gpu_resource(place: &str, it: &TraceOptions, notes: &mut Notes<'_>) -> String {
    if let Some(name) = &it.gpu_resource {
        return name.value.clone();
    }
    notes.default(format!("{place}.gpu-resource"), GPU_RESOURCE.value, GPU_RESOURCE.note);
    GPU_RESOURCE.value.to_owned()
}

/// Refuses options that the format at hand has no use for.
fn refuse_foreign(path: &Spanned<RelPath>, it: &TraceOptions, notes: &mut Notes<'_>) {
    use TraceFormat::{AlibabaBatch2017, AlibabaDlrm2025, AzureFunctions2019, Openb, Opendc, Swf};
    let by_name = matches!(Format::of_path(path.as_path()), Ok(Format::Swf { .. }));
    let format = it.format.map(|f| f.value).or(by_name.then_some(Swf));
    let text = |option: &Option<Spanned<String>>| option.as_ref().map(|s| s.span);
    let file = |option: &Option<Spanned<RelPath>>| option.as_ref().map(|s| s.span);
    let size = |option: &Option<Spanned<Positive<Bytes>>>| option.as_ref().map(|s| s.span);
    let options: [(&str, Option<Span>, &[TraceFormat]); 9] = [
        ("select", it.select.as_ref().map(|s| s.span), &[Openb]),
        ("gpu-resource", text(&it.gpu_resource), &[Openb, AlibabaDlrm2025]),
        ("rdma-resource", text(&it.rdma_resource), &[AlibabaDlrm2025]),
        ("memory-per-cpu", size(&it.memory_per_cpu), &[Swf]),
        ("memory-scale", size(&it.memory_scale), &[AlibabaBatch2017]),
        ("memory-unit", size(&it.memory_unit), &[Opendc]),
        ("durations", file(&it.durations), &[AzureFunctions2019]),
        ("memory", file(&it.memory), &[AzureFunctions2019]),
        ("fragments", file(&it.fragments), &[Opendc]),
    ];
    for (key, given, owners) in options {
        let Some(span) = given else { continue };
        if format.is_some_and(|format| owners.contains(&format)) {
            continue;
        }
        let names: Vec<String> = owners.iter().map(ToString::to_string).collect();
        let owner = names.join(" or ");
        let message = format!("`{key}` applies to traces of format {owner} only");
        notes.diags.error(span, message).help(format!(
            "remove it, or state `format: {}` if {} is one",
            names.first().map_or("", String::as_str),
            quote(path.as_str())
        ));
    }
}
