//! Traces drawn from named distributions.
//!
//! Every draw is keyed by (seed, purpose and workload, ordinal of the pod), so
//! that a change of sizes moves neither arrivals nor durations, and a longer
//! trace begins like a shorter one.
//!
//! Cost: some 0.15 µs a pod for three keyed streams, and one stable sort
//! where arrivals are not drawn in order; a million pods take about 0.2
//! CPU-s and 24 MB.

use std::sync::Arc;

use super::intern::{LocalTemplates, MAX_SHAPES, PodRules, TraceData};
use super::model::{LocalTemplate, Trace, TraceRow, Usage};
use super::source::MAX_ROWS;
use crate::error::{Error, Result};
use crate::rng::{Distribution, Draws};
use crate::text::MAX_MS;
use crate::units::{Bytes, HOUR_MS, MilliCpu, Percent, SimDuration};

/// A value of a specification that cannot work, by the field's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field, as in `arrivals`.
    pub field: &'static str,
    /// What is wrong, as the rest of a sentence about the field.
    pub cause: String,
}

impl Fault {
    pub(super) fn new(field: &'static str, cause: impl Into<String>) -> Self {
        Fault { field, cause: cause.into() }
    }
}

/// Where a stream of arrivals ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// After this many pods.
    Count(u64),
    /// Before this time.
    Until(SimDuration),
}

/// When pods arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrivals {
    /// At random with a constant rate.
    Poisson {
        /// Mean arrivals per hour.
        per_hour: f64,
        /// Where it ends.
        limit: Limit,
    },
    /// `count` pods at independent uniform times in `[0, over)`.
    Uniform {
        /// How many.
        count: u64,
        /// Over which time.
        over: SimDuration,
    },
    /// One pod at 0 and one after every interval.
    Even {
        /// The interval.
        every: SimDuration,
        /// Where it ends.
        limit: Limit,
    },
    /// Groups of pods at stated times.
    Bursts(Vec<Burst>),
    /// A group of pods again and again.
    Periodic {
        /// Time of the first group.
        at: SimDuration,
        /// From group to group.
        every: SimDuration,
        /// Pods in a group.
        size: u32,
        /// Each pod comes up to this much later, uniformly.
        jitter: SimDuration,
        /// Where it ends; `Until` bounds the groups, not the jitter.
        limit: Limit,
    },
}

/// Pods that arrive together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// When.
    pub at: SimDuration,
    /// How many.
    pub size: u32,
}

/// One of the shapes a generator picks from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedShape {
    /// How often, relative to the other shapes.
    pub weight: u32,
    /// Requested cpu.
    pub cpu: Option<MilliCpu>,
    /// Requested memory.
    pub memory: Option<Bytes>,
    /// Extended resources by name.
    pub extended: Vec<(String, i64)>,
}

/// How large pods are.
#[derive(Debug, Clone, PartialEq)]
pub enum Sizes {
    /// One of these.
    Shapes(Vec<WeightedShape>),
    /// Cpu and memory drawn independently and rounded up to steps, so that
    /// the number of distinct shapes stays small.
    Drawn {
        /// Milli-cores.
        cpu: Distribution,
        /// Cpu is a multiple of this, and at least it.
        cpu_step: MilliCpu,
        /// Bytes.
        memory: Distribution,
        /// Memory is a multiple of this, and at least it.
        memory_step: Bytes,
    },
}

/// Mean usage as a share of the request; `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageShare {
    /// Of the cpu request.
    pub cpu: Option<Percent>,
    /// Of the memory request.
    pub memory: Option<Percent>,
}

/// A trace to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratorSpec {
    /// When pods arrive.
    pub arrivals: Arrivals,
    /// How long they run, milliseconds.
    pub duration: Distribution,
    /// How large they are.
    pub sizes: Sizes,
    /// How much of that they use.
    pub usage: UsageShare,
    /// Their namespace.
    pub namespace: String,
    /// Their priority.
    pub priority: i32,
    /// Their constraints and life cycle.
    pub rules: PodRules,
}

impl GeneratorSpec {
    /// Everything about it that cannot work.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.arrivals.faults(&mut faults);
        if let Err(e) = self.duration.validate() {
            faults.push(Fault::new("duration", e.to_string()));
        }
        match &self.sizes {
            Sizes::Shapes(shapes) => {
                if shapes.iter().all(|s| s.weight == 0) {
                    faults.push(Fault::new("shapes", "needs at least one shape with a weight"));
                }
                if shapes.len() > MAX_SHAPES {
                    faults.push(Fault::new("shapes", format!("has more than {MAX_SHAPES} shapes")));
                }
            }
            Sizes::Drawn { cpu, cpu_step, memory, memory_step } => {
                for (field, d) in [("cpu", cpu), ("memory", memory)] {
                    if let Err(e) = d.validate() {
                        faults.push(Fault::new(field, e.to_string()));
                    }
                }
                if cpu_step.0 <= 0 {
                    faults.push(Fault::new("cpu-step", "must be positive"));
                }
                if memory_step.0 <= 0 {
                    faults.push(Fault::new("memory-step", "must be positive"));
                }
            }
        }
        faults
    }

    /// Whether two seeds can give different traces.
    #[must_use]
    pub fn is_random(&self) -> bool {
        let arrivals = match &self.arrivals {
            Arrivals::Poisson { .. } | Arrivals::Uniform { .. } => true,
            Arrivals::Even { .. } | Arrivals::Bursts(_) => false,
            Arrivals::Periodic { jitter, .. } => jitter.0 > 0,
        };
        let sizes = match &self.sizes {
            Sizes::Shapes(shapes) => shapes.iter().filter(|s| s.weight > 0).count() > 1,
            Sizes::Drawn { cpu, memory, .. } => !(cpu.is_constant() && memory.is_constant()),
        };
        arrivals || sizes || !self.duration.is_constant()
    }

    /// Whether its sizes, and so its templates, can differ between seeds.
    #[must_use]
    pub fn draws_sizes(&self) -> bool {
        matches!(self.sizes, Sizes::Drawn { .. })
    }

    /// Draws the trace of workload `name`. With a list of shapes, template
    /// `i` is the `i`-th distinct shape whatever the seed; drawn sizes are
    /// numbered by first use.
    ///
    /// # Errors
    /// When [`GeneratorSpec::faults`] finds any, when the arrivals are more
    /// than a trace may hold or none at all, or when drawn sizes are too many.
    pub fn generate(&self, name: &str, seed: u64) -> Result<TraceData> {
        if let Some(fault) = self.faults().first() {
            return Err(Error::input(format!(
                "workload `{name}`: {} {}",
                fault.field, fault.cause
            )));
        }
        let mut trace = Trace::default();
        let mut sizes = SizeDraws::new(self, name);
        let duration_key = format!("duration/{name}");
        let mut trouble = None;
        let mut ordinal = 0u64;
        self.arrivals.each(name, seed, &mut |arrival_ms| {
            let duration_ms = if self.duration.is_constant() {
                self.duration.sample_ms(&mut Draws::new(0, "", 0))
            } else {
                self.duration.sample_ms(&mut Draws::new(seed, &duration_key, ordinal))
            };
            let Some((template, usage)) = sizes.draw(seed, ordinal) else {
                trouble = Some("draws too many distinct sizes; use larger steps");
                return false;
            };
            ordinal += 1;
            if ordinal > MAX_ROWS {
                trouble = Some("draws more than 50,000,000 pods");
                return false;
            }
            trace.push_row(&TraceRow {
                arrival_ms: arrival_ms.min(MAX_MS),
                duration_ms: duration_ms.min(MAX_MS),
                template,
                count: 1,
                usage,
                ..TraceRow::default()
            });
            true
        });
        if trace.is_empty() {
            trouble =
                trouble.or(Some("draws no pods; give it more time, a higher rate or a count"));
        }
        if let Some(cause) = trouble {
            return Err(Error::input(format!("workload `{name}`: the generator {cause}")));
        }
        trace.sort();
        trace.shrink_to_fit();
        Ok(TraceData {
            trace: Arc::new(trace),
            shapes: sizes.templates.finish().into(),
            rules: self.rules.clone(),
        })
    }
}

impl Arrivals {
    fn faults(&self, faults: &mut Vec<Fault>) {
        let mut fault = |cause: &str| faults.push(Fault::new("arrivals", cause));
        let too_many = "would be more than 50,000,000 pods";
        let expected = match self {
            Arrivals::Poisson { per_hour, limit } => {
                if !(per_hour.is_finite() && *per_hour > 0.0) {
                    return fault("need a positive rate per hour");
                }
                match limit {
                    Limit::Count(n) => {
                        if *n as f64 / per_hour * HOUR_MS as f64 > MAX_MS as f64 / 2.0 {
                            fault("would take more than 500 years");
                        }
                        *n as f64
                    }
                    // Well below the bound, so that chance does not reach it.
                    Limit::Until(t) => per_hour * t.0 as f64 / HOUR_MS as f64 * 1.1,
                }
            }
            Arrivals::Uniform { count, over } => {
                if over.0 <= 0 {
                    return fault("need a positive time to spread over");
                }
                *count as f64
            }
            Arrivals::Even { every, limit } => groups(*every, SimDuration::ZERO, *limit, 1),
            Arrivals::Periodic { at, every, size, limit, .. } => {
                if *size == 0 {
                    return fault("need a size of at least 1");
                }
                groups(*every, *at, *limit, *size)
            }
            Arrivals::Bursts(bursts) => bursts.iter().map(|b| f64::from(b.size)).sum(),
        };
        if expected.is_nan() {
            fault("need a positive interval");
        } else if expected > MAX_ROWS as f64 {
            fault(too_many);
        } else if expected < 1.0 && !matches!(self, Arrivals::Poisson { .. }) {
            fault("would be no pods at all");
        }
    }

    /// Calls `arrive` with each arrival in order of ordinals until it says
    /// false.
    fn each(&self, name: &str, seed: u64, arrive: &mut impl FnMut(i64) -> bool) {
        let key = format!("arrival/{name}");
        match self {
            Arrivals::Poisson { per_hour, limit } => {
                let mean_ms = HOUR_MS as f64 / per_hour;
                let mut at = 0.0;
                for ordinal in 0..MAX_ROWS {
                    at += Draws::new(seed, &key, ordinal).exponential(mean_ms);
                    let over = match limit {
                        Limit::Count(n) => ordinal >= *n,
                        Limit::Until(end) => at >= end.0 as f64,
                    };
                    if over || !arrive(at as i64) {
                        return;
                    }
                }
            }
            Arrivals::Uniform { count, over } => {
                for ordinal in 0..*count {
                    let at = Draws::new(seed, &key, ordinal).below(over.0.unsigned_abs());
                    if !arrive(at as i64) {
                        return;
                    }
                }
            }
            Arrivals::Even { every, limit } => {
                each_group(*every, SimDuration::ZERO, *limit, 1, &mut |at, _| arrive(at));
            }
            Arrivals::Periodic { at, every, size, jitter, limit } => {
                let width = jitter.0.max(0).unsigned_abs() + 1;
                each_group(*every, *at, *limit, *size, &mut |at, ordinal| {
                    let late = match width {
                        1 => 0,
                        _ => Draws::new(seed, &key, ordinal).below(width) as i64,
                    };
                    arrive(at.saturating_add(late))
                });
            }
            Arrivals::Bursts(bursts) => {
                for burst in bursts {
                    for _ in 0..burst.size {
                        if !arrive(burst.at.0.max(0)) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

/// Expected pods of a regular stream; NaN where the interval is not positive.
fn groups(every: SimDuration, at: SimDuration, limit: Limit, size: u32) -> f64 {
    if every.0 <= 0 {
        return f64::NAN;
    }
    match limit {
        Limit::Count(n) => n as f64,
        Limit::Until(end) => {
            let span = (end.0 - at.0).max(0) as f64;
            (span / every.0 as f64).ceil() * f64::from(size)
        }
    }
}

/// Groups of `size` at `at`, `at + every`, … with the ordinal of each pod.
fn each_group(
    every: SimDuration,
    at: SimDuration,
    limit: Limit,
    size: u32,
    arrive: &mut impl FnMut(i64, u64) -> bool,
) {
    let mut ordinal = 0;
    let mut group_ms = at.0.max(0);
    loop {
        if matches!(limit, Limit::Until(end) if group_ms >= end.0) {
            return;
        }
        for _ in 0..size {
            if matches!(limit, Limit::Count(n) if ordinal >= n) || !arrive(group_ms, ordinal) {
                return;
            }
            ordinal += 1;
        }
        group_ms = group_ms.saturating_add(every.0);
    }
}

/// Sizes of one generator while it runs.
struct SizeDraws<'a> {
    spec: &'a GeneratorSpec,
    key: String,
    templates: LocalTemplates,
    /// Running sums of weights, with what each shape stands for.
    weighted: Vec<(u64, LocalTemplate, Usage)>,
}

impl<'a> SizeDraws<'a> {
    fn new(spec: &'a GeneratorSpec, name: &str) -> Self {
        let mut extended: Vec<String> = Vec::new();
        let mut weighted = Vec::new();
        if let Sizes::Shapes(shapes) = &spec.sizes {
            extended =
                shapes.iter().flat_map(|s| s.extended.iter().map(|(n, _)| n.clone())).collect();
            extended.sort();
            extended.dedup();
        }
        let mut templates = LocalTemplates::new(&extended);
        if let Sizes::Shapes(shapes) = &spec.sizes {
            let mut sum = 0;
            for shape in shapes {
                let amount = |name: &String| {
                    shape.extended.iter().filter(|(n, _)| n == name).map(|(_, n)| *n).sum()
                };
                let amounts: Vec<i64> = extended.iter().map(amount).collect();
                let (namespace, priority) = (&spec.namespace, spec.priority);
                let template =
                    templates.intern(shape.cpu, shape.memory, &amounts, namespace, priority);
                sum += u64::from(shape.weight);
                let usage = share(spec.usage, shape.cpu, shape.memory);
                weighted.push((sum, template.unwrap_or_default(), usage));
            }
        }
        SizeDraws { spec, key: format!("size/{name}"), templates, weighted }
    }

    /// The size of a pod; `None` once there are too many.
    fn draw(&mut self, seed: u64, ordinal: u64) -> Option<(LocalTemplate, Usage)> {
        match &self.spec.sizes {
            Sizes::Shapes(_) => {
                let (total, ..) = *self.weighted.last()?;
                let at = match self.weighted.len() {
                    1 => 0,
                    _ => Draws::new(seed, &self.key, ordinal).below(total),
                };
                let pick = self.weighted.partition_point(|(sum, ..)| *sum <= at);
                self.weighted.get(pick).map(|(_, template, usage)| (*template, *usage))
            }
            Sizes::Drawn { cpu, cpu_step, memory, memory_step } => {
                let mut draws = Draws::new(seed, &self.key, ordinal);
                let cpu = MilliCpu(to_step(cpu.sample(&mut draws), cpu_step.0, 1_000_000_000));
                let memory = Bytes(to_step(memory.sample(&mut draws), memory_step.0, 1 << 52));
                let (namespace, priority) = (&self.spec.namespace, self.spec.priority);
                let template =
                    self.templates.intern(Some(cpu), Some(memory), &[], namespace, priority)?;
                Some((template, share(self.spec.usage, Some(cpu), Some(memory))))
            }
        }
    }
}

/// Rounds up to a multiple of `step` between one step and `most`.
fn to_step(value: f64, step: i64, most: i64) -> i64 {
    let most_steps = (most / step).max(1);
    // `as` saturates; the clamp then bounds it.
    ((value / step as f64).ceil() as i64).clamp(1, most_steps) * step
}

fn share(share: UsageShare, cpu: Option<MilliCpu>, memory: Option<Bytes>) -> Usage {
    let of = |request: i64, share: Percent| {
        let ppm = i128::from(request) * i128::from(share.ppm);
        i64::try_from((ppm + 999_999) / 1_000_000).unwrap_or(i64::MAX)
    };
    Usage {
        cpu: share.cpu.zip(cpu).map(|(s, c)| MilliCpu(of(c.0, s))),
        memory: share.memory.zip(memory).map(|(s, m)| Bytes(of(m.0, s))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::DAY_MS;

    fn shapes(n: u32) -> Sizes {
        let shape = |i: u32| WeightedShape {
            weight: 1,
            cpu: Some(MilliCpu(500 * i64::from(i + 1))),
            memory: Some(Bytes(i64::from(i + 1) << 30)),
            extended: vec![],
        };
        Sizes::Shapes((0..n).map(shape).collect())
    }

    /// The published load of the peer simulator: uniform arrivals over 24 h,
    /// durations uniform from 5,000 s to 30,000 s, six shapes.
    fn peer(count: u64) -> GeneratorSpec {
        GeneratorSpec {
            arrivals: Arrivals::Uniform { count, over: SimDuration(DAY_MS) },
            duration: Distribution::Uniform { min: 5e6, max: 3e7 },
            sizes: shapes(6),
            usage: UsageShare::default(),
            namespace: "default".into(),
            priority: 0,
            rules: PodRules::default(),
        }
    }

    fn with(arrivals: Arrivals) -> GeneratorSpec {
        GeneratorSpec { arrivals, ..peer(1) }
    }

    fn arrivals(spec: &GeneratorSpec, seed: u64) -> Vec<i64> {
        spec.generate("w", seed).expect("generates").trace.arrival_ms.clone()
    }

    #[test]
    fn the_peer_load_has_its_moments() {
        let data = peer(60_000).generate("w", 1).expect("generates");
        let trace = &data.trace;
        assert_eq!((trace.len(), data.shapes.len()), (60_000, 6));
        assert!(trace.arrival_ms.is_sorted() && trace.usage.is_empty());
        let mean = |v: &[i64]| v.iter().sum::<i64>() as f64 / v.len() as f64;
        assert!((mean(&trace.arrival_ms) / (DAY_MS as f64 / 2.0) - 1.0).abs() < 0.01);
        assert!((mean(&trace.duration_ms) / 17.5e6 - 1.0).abs() < 0.01);
        assert!(trace.duration_ms.iter().all(|d| (5_000_000..=30_000_000).contains(d)));
        for shape in 0..6 {
            let n = trace.template.iter().filter(|t| t.0 == shape).count();
            assert!((9_500..10_500).contains(&n), "{n}");
        }
    }

    #[test]
    fn the_first_rows_are_pinned() {
        let data = peer(1_000).generate("peer", 1).expect("generates");
        let rows: Vec<_> = (0..4)
            .map(|i| data.trace.row(i))
            .map(|r| (r.arrival_ms, r.duration_ms, r.template.0))
            .collect();
        let first = [
            (33_263, 17_862_208, 5),
            (146_048, 5_374_431, 3),
            (203_945, 24_995_820, 4),
            (224_983, 29_138_173, 3),
        ];
        assert_eq!(rows, first);
        let poisson = with(Arrivals::Poisson { per_hour: 60.0, limit: Limit::Count(4) });
        assert_eq!(arrivals(&poisson, 1), [333, 75_613, 80_670, 98_664]);
    }

    #[test]
    fn seeds_differ_and_repeat() {
        assert_eq!(peer(100).generate("w", 1).ok(), peer(100).generate("w", 1).ok());
        assert_ne!(arrivals(&peer(100), 1), arrivals(&peer(100), 2));
        let (a, b) = (peer(100).generate("a", 1), peer(100).generate("b", 1));
        assert_ne!(a.ok(), b.ok());
    }

    #[test]
    fn a_change_of_sizes_moves_nothing_else() {
        let few = peer(500).generate("w", 3).expect("generates");
        let many = GeneratorSpec { sizes: shapes(200), ..peer(500) };
        let many = many.generate("w", 3).expect("generates");
        assert_eq!(few.trace.arrival_ms, many.trace.arrival_ms);
        assert_eq!(few.trace.duration_ms, many.trace.duration_ms);
        assert_eq!(many.shapes.len(), 200);
    }

    #[test]
    fn poisson_has_its_rate_and_a_prefix() {
        let day = Limit::Until(SimDuration(DAY_MS));
        let all = arrivals(&with(Arrivals::Poisson { per_hour: 1_000.0, limit: day }), 5);
        // 24,000 expected, standard deviation 155.
        assert!((23_400..24_600).contains(&all.len()), "{}", all.len());
        assert!(all.iter().all(|a| *a < DAY_MS));
        let some =
            arrivals(&with(Arrivals::Poisson { per_hour: 1_000.0, limit: Limit::Count(50) }), 5);
        assert_eq!(some, all[..50]);
        // Gaps of a Poisson stream vary as much as their mean.
        let gaps: Vec<f64> = all.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let var = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((var.sqrt() / mean - 1.0).abs() < 0.03);
    }

    #[test]
    fn regular_streams_are_exact() {
        let every = SimDuration(10);
        let limit = Limit::Until(SimDuration(30));
        assert_eq!(arrivals(&with(Arrivals::Even { every, limit }), 1), [0, 10, 20]);
        let bursts =
            vec![Burst { at: SimDuration(7), size: 1 }, Burst { at: SimDuration(5), size: 2 }];
        assert_eq!(arrivals(&with(Arrivals::Bursts(bursts)), 1), [5, 5, 7]);
        let periodic = |jitter, limit| Arrivals::Periodic {
            at: SimDuration(5),
            every,
            size: 2,
            jitter: SimDuration(jitter),
            limit,
        };
        assert_eq!(arrivals(&with(periodic(0, limit)), 1), [5, 5, 15, 15, 25, 25]);
        assert_eq!(arrivals(&with(periodic(0, Limit::Count(3))), 1), [5, 5, 15]);
        let late = arrivals(&with(periodic(4, limit)), 1);
        assert!(late.iter().all(|a| (5..=9).contains(&(a % 10))), "{late:?}");
        assert_ne!(late, [5, 5, 15, 15, 25, 25]);
    }

    #[test]
    fn drawn_sizes_stand_on_steps_and_usage_is_a_share() {
        let spec = GeneratorSpec {
            sizes: Sizes::Drawn {
                cpu: Distribution::Uniform { min: 0.0, max: 1_000.0 },
                cpu_step: MilliCpu(250),
                memory: Distribution::Constant(1.0),
                memory_step: Bytes(1 << 30),
            },
            usage: UsageShare { cpu: Some(Percent { ppm: 333_000 }), memory: None },
            ..peer(1_000)
        };
        let data = spec.generate("w", 1).expect("generates");
        let mut cpus: Vec<i64> = data.shapes.iter().filter_map(|s| s.cpu).map(|c| c.0).collect();
        cpus.sort_unstable();
        assert_eq!(cpus, [250, 500, 750, 1_000]);
        assert!(data.shapes.iter().all(|s| s.memory == Some(Bytes(1 << 30))));
        let row = data.trace.row(0);
        let cpu = data.shapes[row.template.index()].cpu.expect("drawn").0;
        let expected = (cpu * 333 + 999) / 1_000;
        assert_eq!(row.usage, Usage { cpu: Some(MilliCpu(expected)), memory: None });
    }

    #[test]
    fn nonsense_is_refused_with_its_field() {
        let zero = SimDuration::ZERO;
        let year = Limit::Until(SimDuration(365 * DAY_MS));
        for arrivals in [
            Arrivals::Poisson { per_hour: f64::NAN, limit: year },
            Arrivals::Poisson { per_hour: 1e9, limit: year },
            Arrivals::Poisson { per_hour: 1e-9, limit: Limit::Count(1_000_000) },
            Arrivals::Uniform { count: 1, over: zero },
            Arrivals::Uniform { count: 0, over: SimDuration(1) },
            Arrivals::Uniform { count: u64::MAX, over: SimDuration(1) },
            Arrivals::Even { every: zero, limit: year },
            Arrivals::Even { every: SimDuration(1), limit: year },
            Arrivals::Even { every: SimDuration(1), limit: Limit::Until(zero) },
            Arrivals::Bursts(vec![]),
            Arrivals::Periodic {
                at: zero,
                every: SimDuration(1),
                size: 0,
                jitter: zero,
                limit: year,
            },
        ] {
            let spec = with(arrivals);
            assert_eq!(spec.faults().first().map(|f| f.field), Some("arrivals"), "{spec:?}");
            assert!(spec.generate("w", 1).is_err());
        }
        let none = GeneratorSpec { sizes: Sizes::Shapes(vec![]), ..peer(1) };
        assert_eq!(none.faults()[0].field, "shapes");
        let endless = GeneratorSpec { duration: Distribution::Constant(f64::INFINITY), ..peer(1) };
        assert_eq!(endless.faults()[0].field, "duration");
        let silent =
            with(Arrivals::Poisson { per_hour: 1e-6, limit: Limit::Until(SimDuration(1)) });
        let error = silent.generate("w", 1).expect_err("no pods").to_string();
        assert!(error.contains("draws no pods"), "{error}");
    }

    #[test]
    fn randomness_is_known() {
        assert!(peer(1).is_random());
        let limit = Limit::Count(1);
        let fixed = GeneratorSpec {
            arrivals: Arrivals::Even { every: SimDuration(1), limit },
            duration: Distribution::Constant(1.0),
            sizes: shapes(1),
            ..peer(1)
        };
        assert!(!fixed.is_random());
        assert!(GeneratorSpec { sizes: shapes(2), ..fixed }.is_random());
    }
}
