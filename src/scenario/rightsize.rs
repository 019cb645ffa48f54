//! The part of a case that fits requests to usage.

use std::fmt;

use serde_json::{Value as Json, json};

use super::decode::{Ctx, Decode, Defs, Spanned};
use super::diagnostic::{Span, quote};
use super::number::{Int, Positive, Share};
use super::record::{names, record};
use super::tree::{Key, Node, Value};
use crate::units::{Bytes, MilliCpu, Percent, SimDuration};

record! {
    /// Requests that fit what pods were seen to use.
    #[derive(Default)]
    pub struct Rightsize {
        /// Cpu to request, as p95 or max+15%; p95 unless stated, with method vpa p90+15%.
        "cpu" => cpu: Option<Spanned<UsageExpression>>,
        /// Memory to request; max+15% unless stated, with method vpa p90+15%.
        "memory" => memory: Option<Spanned<UsageExpression>>,
        /// How the pods of a workload are taken together; pooled unless stated.
        "method" => method: Option<Spanned<RightsizeMethod>>,
        /// No request falls below this.
        "floor" => floor: RequestBound = RequestBound::default(),
        /// No request rises above this.
        "ceiling" => ceiling: RequestBound = RequestBound::default(),
        /// Requests are multiples of this, rounded up; 1m and 1Mi unless stated.
        "round" => round: RequestStep = RequestStep::default(),
        /// What becomes of limits where usage states them; keep-ratio unless stated.
        "limits" => limits: Option<Spanned<RightsizeLimits>>,
        /// What becomes of pods that request nothing; set unless stated.
        "absent-requests" => absent_requests: Option<Spanned<RightsizeAbsent>>,
        /// Fewest samples of a workload; 20 unless stated.
        "min-samples" => min_samples: Option<Spanned<Int<1, 1_000_000_000>>>,
        /// Shortest history of a workload; 1d unless stated.
        "min-history" => min_history: Option<Spanned<SimDuration>>,
        /// Least covered share of the history, pod by pod; 75% unless stated.
        "min-coverage" => min_coverage: Option<Spanned<Share>>,
        /// Only these workloads, with * and ? as wildcards; all unless stated.
        "workloads" => workloads: Option<Vec<Spanned<String>>>,
        /// Not these workloads, with * and ? as wildcards.
        "exclude" => exclude: Vec<Spanned<String>> = Vec::new(),
    }
    check check_rightsize;
}

fn check_rightsize(it: &Rightsize, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let mut fine = true;
    if let (Some(low), Some(high)) = (&it.floor.cpu, &it.ceiling.cpu)
        && low.value > high.value
    {
        ctx.diags().error(high.span, format!("the ceiling is below the floor {}", low.value));
        fine = false;
    }
    if let (Some(low), Some(high)) = (&it.floor.memory, &it.ceiling.memory)
        && low.value > high.value
    {
        ctx.diags().error(high.span, format!("the ceiling is below the floor {}", low.value));
        fine = false;
    }
    if it.method.is_some_and(|m| m.value == RightsizeMethod::Vpa) {
        for expression in [&it.cpu, &it.memory].into_iter().flatten() {
            if matches!(expression.statistic, UsageStatistic::Max | UsageStatistic::Mean) {
                let message = format!("method vpa takes quantiles, not `{}`", expression.statistic);
                ctx.diags().error(expression.span, message).help("write p90+15%, as it does");
                fine = false;
            }
        }
    }
    fine
}

names! {
    /// How the pods of a workload are taken together.
    pub enum RightsizeMethod {
        /// The samples of all pods in one heap.
        "pooled" => Pooled,
        /// The statistic of each pod, and of these the largest.
        "per-pod-max" => PerPodMax,
        /// The fading histograms of the Vertical Pod Autoscaler.
        "vpa" => Vpa,
    }
}

names! {
    /// What becomes of limits.
    pub enum RightsizeLimits {
        /// They keep their ratio to the request.
        "keep-ratio" => KeepRatio,
        /// They stay; no request rises above its limit.
        "keep" => Keep,
    }
}

names! {
    /// What becomes of pods that request nothing.
    pub enum RightsizeAbsent {
        /// They get a request.
        "set" => Set,
        /// They stay without.
        "keep" => Keep,
    }
}

record! {
    /// A bound on requests.
    #[derive(Default)]
    pub struct RequestBound {
        /// Processor time.
        "cpu" => cpu: Option<Spanned<MilliCpu>>,
        /// Memory.
        "memory" => memory: Option<Spanned<Bytes>>,
    }
}

record! {
    /// What requests are multiples of.
    #[derive(Default)]
    pub struct RequestStep {
        /// Processor time.
        "cpu" => cpu: Option<Spanned<Positive<MilliCpu>>>,
        /// Memory.
        "memory" => memory: Option<Spanned<Positive<Bytes>>>,
    }
}

/// What is taken of the usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageStatistic {
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// The largest.
    Max,
    /// The mean over time.
    Mean,
}

impl UsageStatistic {
    const ALL: [(&'static str, UsageStatistic); 6] = [
        ("p50", UsageStatistic::P50),
        ("p90", UsageStatistic::P90),
        ("p95", UsageStatistic::P95),
        ("p99", UsageStatistic::P99),
        ("max", UsageStatistic::Max),
        ("mean", UsageStatistic::Mean),
    ];
}

impl fmt::Display for UsageStatistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(_, s)| s == self).map_or("", |(word, _)| word);
        f.write_str(word)
    }
}

/// A statistic of the usage and what is added to it: `p95`, `max+15%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageExpression {
    /// What is taken.
    pub statistic: UsageStatistic,
    /// Share of it that is added.
    pub margin: Percent,
}

impl Decode for UsageExpression {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        const EXPECTED: &str = "a statistic such as p95 or max+15%";
        let Value::String(text) = &node.value else {
            ctx.mismatch(node, EXPECTED);
            return None;
        };
        let (word, margin) = match text.split_once('+') {
            Some((word, margin)) => (word, Some(margin)),
            None => (text.as_str(), None),
        };
        let word = word.trim();
        let Some((_, statistic)) = UsageStatistic::ALL.iter().find(|(w, _)| *w == word) else {
            let message = format!("unknown statistic {}", quote(word));
            let words = UsageStatistic::ALL.iter().map(|(w, _)| *w);
            ctx.diags()
                .error(node.span, message)
                .suggest(word, words)
                .label("p50, p90, p95, p99, max or mean, perhaps with a margin: max+15%");
            return None;
        };
        let margin = match margin.map(str::parse) {
            None => Percent::default(),
            Some(Ok(margin)) => margin,
            Some(Err(e)) => {
                ctx.diags().error(node.span, format!("invalid margin in {}: {e}", quote(text)));
                return None;
            }
        };
        Some(UsageExpression { statistic: *statistic, margin })
    }
    fn schema(_: &mut Defs) -> Json {
        json!({
            "description": "A statistic of the usage, perhaps with a margin: p95, max+15%.",
            "type": "string",
            "pattern": r"^\s*(p50|p90|p95|p99|max|mean)\s*(\+\s*[0-9]*\.?[0-9]+\s*%\s*)?$",
        })
    }
}

/// Sets a value deep in a tree, making its last key where it is missing.
/// Whether the maps on the way were there.
pub fn put(tree: &mut Node, path: &[&str], value: Node) -> bool {
    let Some((name, rest)) = path.split_first() else {
        *tree = value;
        return true;
    };
    let Value::Map(entries) = &mut tree.value else { return false };
    let at = entries.iter().position(|(key, _)| key.name == *name);
    match (at.and_then(|at| entries.get_mut(at)), rest.is_empty()) {
        (Some((_, node)), _) => put(node, rest, value),
        (None, true) => {
            let key = Key { name: (*name).to_owned(), span: value.span };
            entries.push((key, value));
            true
        }
        (None, false) => false,
    }
}
