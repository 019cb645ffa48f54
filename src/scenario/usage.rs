//! The part of the model that names exports of what pods used.

use super::decode::{Ctx, Map, NonEmpty, OneOrMany, Spanned};
use super::diagnostic::Span;
use super::leaf::RelPath;
use super::number::Positive;
use super::record::{choice, names, record};
use super::workload::OnBadRow;
use crate::units::SimDuration;

record! {
    /// A source of usage: what pods were seen to use.
    pub struct UsageSource {
        one of files: UsageFiles,
        /// What becomes of rows that cannot be used; fail unless stated.
        "on-bad-row" => on_bad_row: Option<Spanned<OnBadRow>>,
        /// Which series belong to which workload, where their names do not say.
        "match" => selectors: Map<UsageMatch> = Map::default(),
    }
}

choice! {
    /// Where the files of a source are.
    pub enum UsageFiles {
        /// One file or several of one format.
        "files" => Files(OneOrMany<Spanned<RelPath>>, + UsageFileOptions),
        /// Answers of Prometheus' query_range.
        "prometheus" => Prometheus(Box<PrometheusFiles>),
    }
}

record! {
    /// How files of usage are read.
    pub struct UsageFileOptions {
        /// Format of the files; by their first line unless stated.
        "format" => format: Option<Spanned<UsageFormat>>,
    }
}

names! {
    /// Formats of usage.
    pub enum UsageFormat {
        /// The usage table of this program.
        "native" => Native,
        /// Pod report of the OpenShift cost-management operator.
        "cluster-hourly" => ClusterHourly,
        /// Container report of the OpenShift cost-management operator.
        "container-15min" => Container15Min,
        /// A virtual machine of the Bitbrains traces.
        "bitbrains" => Bitbrains,
    }
}

record! {
    /// Answers of Prometheus' query_range, by what their values are.
    pub struct PrometheusFiles {
        /// Files whose metric names say what they hold.
        "files" => files: Option<NonEmpty<Spanned<RelPath>>>,
        /// Cores used, such as the rate of container_cpu_usage_seconds_total.
        "cpu-usage" => cpu_usage: Option<Spanned<RelPath>>,
        /// Bytes used, such as container_memory_working_set_bytes.
        "memory-usage" => memory_usage: Option<Spanned<RelPath>>,
        /// Requested cores.
        "cpu-request" => cpu_request: Option<Spanned<RelPath>>,
        /// Requested bytes.
        "memory-request" => memory_request: Option<Spanned<RelPath>>,
        /// Limits in cores.
        "cpu-limit" => cpu_limit: Option<Spanned<RelPath>>,
        /// Limits in bytes.
        "memory-limit" => memory_limit: Option<Spanned<RelPath>>,
        /// Time from one point to the next; by the points unless stated.
        "step" => step: Option<Spanned<Positive<SimDuration>>>,
    }
    check check_prometheus;
}

/// Refuses a source without any file.
fn check_prometheus(it: &PrometheusFiles, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    let single = [
        &it.cpu_usage,
        &it.memory_usage,
        &it.cpu_request,
        &it.memory_request,
        &it.cpu_limit,
        &it.memory_limit,
    ];
    let any = it.files.is_some() || single.iter().any(|f| f.is_some());
    if !any {
        ctx.diags()
            .error(owner, "`prometheus` names no file")
            .help("state `files`, or `cpu-usage`, `memory-usage` and so on");
    }
    any
}

record! {
    /// Picks series by name, each with `*` and `?` as wildcards.
    pub struct UsageMatch {
        /// Namespace; any unless stated.
        "namespace" => namespace: Option<Spanned<String>>,
        /// Owner of the pods; any unless stated.
        "workload" => workload: Option<Spanned<String>>,
        /// Pod; any unless stated.
        "pod" => pod: Option<Spanned<String>>,
        /// Container; any unless stated.
        "container" => container: Option<Spanned<String>>,
    }
    check check_match;
}

/// Refuses a selector that takes everything by mistake.
fn check_match(it: &UsageMatch, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    let any = [&it.namespace, &it.workload, &it.pod, &it.container].iter().any(|s| s.is_some());
    if !any {
        ctx.diags()
            .error(owner, "a match needs a namespace, workload, pod or container")
            .help("write `pod: \"*\"` to take every series");
    }
    any
}
