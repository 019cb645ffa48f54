//! The format of a trace with the options that only it has; options of other
//! formats are refused.

use super::defaults::GPU_RESOURCE;
use super::notes::Notes;
use crate::import::Format;
use crate::import::openb::{OpenbOptions, Select};
use crate::scenario::{RelPath, Span, Spanned, TraceFormat, TraceOptions, TraceSelect, quote};

/// The format of the trace at `path`, for the workload at `place`.
pub(super) fn link(
    place: &str,
    path: &Spanned<RelPath>,
    it: &TraceOptions,
    notes: &mut Notes<'_>,
) -> Option<Format> {
    let chosen = match it.format.map(|f| f.value) {
        Some(TraceFormat::Native) | None => match Format::of_path(path.as_path()) {
            Ok(Format::Parquet) => Ok(Format::Parquet),
            _ if it.format.is_some() => Ok(Format::Csv),
            by_name => by_name,
        },
        Some(TraceFormat::Openb) => Ok(Format::Openb(openb(place, it, notes))),
        Some(TraceFormat::Swf) => Ok(Format::Swf { memory_per_cpu: None }),
        Some(TraceFormat::AlibabaBatch2017) => {
            let scale = required(
                it.memory_scale.map(|m| m.value.0),
                path.span,
                "memory of this trace is a share of one machine, whose memory it does not state",
                "state it as `memory-scale: 256Gi`, with the memory that such a machine had",
                notes,
            );
            refuse_foreign(&[TraceFormat::AlibabaBatch2017], path, it, notes);
            return Some(Format::AlibabaBatch2017 { memory_scale: scale? });
        }
    };
    let mut format = match chosen {
        Ok(format) => format,
        Err(error) => {
            notes.diags.error(path.span, error.to_string());
            return None;
        }
    };
    let owner: &[TraceFormat] = match &mut format {
        Format::Openb(_) => &[TraceFormat::Openb],
        Format::Swf { memory_per_cpu } => {
            *memory_per_cpu = it.memory_per_cpu.map(|m| m.value.0);
            &[TraceFormat::Swf]
        }
        _ => &[],
    };
    refuse_foreign(owner, path, it, notes);
    Some(format)
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

fn openb(place: &str, it: &TraceOptions, notes: &mut Notes<'_>) -> OpenbOptions {
    let select = match it.select.map(|s| s.value) {
        Some(TraceSelect::CpuOnly) => Select::CpuOnly,
        Some(TraceSelect::Gpu) => Select::Gpu,
        Some(TraceSelect::All) | None => Select::All,
    };
    OpenbOptions { select, gpu_resource: gpu_resource(place, it, notes) }
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
fn refuse_foreign(
    format: &[TraceFormat],
    path: &Spanned<RelPath>,
    it: &TraceOptions,
    notes: &mut Notes<'_>,
) {
    use TraceFormat::{AlibabaBatch2017, Openb, Swf};
    let options: [(&str, Option<Span>, &[TraceFormat]); 4] = [
        ("select", it.select.as_ref().map(|s| s.span), &[Openb]),
        ("gpu-resource", it.gpu_resource.as_ref().map(|s| s.span), &[Openb]),
        ("memory-per-cpu", it.memory_per_cpu.as_ref().map(|s| s.span), &[Swf]),
        ("memory-scale", it.memory_scale.as_ref().map(|s| s.span), &[AlibabaBatch2017]),
    ];
    for (key, given, owners) in options {
        let Some(span) = given else { continue };
        if format.iter().any(|f| owners.contains(f)) {
            continue;
        }
        let names: Vec<String> = owners.iter().map(ToString::to_string).collect();
        let owner = names.join(" or ");
        let message = format!("`{key}` applies to traces of format {owner} only");
        notes.diags.error(span, message).help(format!(
            "remove it, or state `format: {owner}` if {} is one",
            quote(path.as_str())
        ));
    }
}
