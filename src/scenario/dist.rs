//! Random quantities as a scenario writes them: a plain value, or a map that
//! names a distribution.

use serde_json::{Value as Json, json};

use super::decode::{Ctx, Decode, Defs};
use super::number::{NonNegative, Positive, Signed};
use super::record::{choice, record};
use super::tree::{Node, Value};
use crate::rng::Distribution;
use crate::units::{Bytes, MilliCpu, SimDuration};

/// A kind of value that can be drawn.
pub trait Quantity: Decode + Signed + std::fmt::Debug + PartialEq {
    /// The name in the schema.
    const NAME: &'static str;
    /// Whether draws can be rounded up to a `step`.
    const HAS_STEP: bool;
    /// In the unit of the distribution: milliseconds, milli-cores, bytes.
    fn units(self) -> f64;
}

impl Quantity for SimDuration {
    const NAME: &'static str = "Time";
    const HAS_STEP: bool = false;
    fn units(self) -> f64 {
        self.0 as f64
    }
}

impl Quantity for MilliCpu {
    const NAME: &'static str = "Cpu";
    const HAS_STEP: bool = true;
    fn units(self) -> f64 {
        self.0 as f64
    }
}

impl Quantity for Bytes {
    const NAME: &'static str = "Memory";
    const HAS_STEP: bool = true;
    fn units(self) -> f64 {
        self.0 as f64
    }
}

/// A distribution of values of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Dist<Q> {
    /// What to draw from: milliseconds, milli-cores or bytes.
    pub distribution: Distribution,
    /// Draws are rounded up to a multiple of this.
    pub step: Option<Q>,
}

/// A random time, in milliseconds.
pub type TimeDist = Dist<SimDuration>;
/// A random cpu size, in milli-cores.
pub type CpuDist = Dist<MilliCpu>;
/// A random memory size, in bytes.
pub type MemoryDist = Dist<Bytes>;

record! {
    /// Uniform between two values.
    pub struct Uniform<Q: Quantity> {
        /// Smallest value.
        "min" => min: Q,
        /// Largest value.
        "max" => max: Q,
    }
}

record! {
    /// Exponential.
    pub struct Exponential<Q: Quantity> {
        /// The mean.
        "mean" => mean: Q,
    }
}

choice! {
    /// How wide a log-normal is.
    pub enum Spread<Q: Quantity> {
        /// The 95th percentile.
        "p95" => P95(Q),
        /// Standard deviation of the logarithm.
        "sigma" => Sigma(NonNegative),
    }
}

record! {
    /// Log-normal, by its median and its 95th percentile or sigma.
    pub struct LogNormal<Q: Quantity> {
        one of spread: Spread<Q>,
        /// The median.
        "median" => median: Q,
    }
}

record! {
    /// Weibull.
    pub struct Weibull<Q: Quantity> {
        /// The scale.
        "scale" => scale: Q,
        /// The shape.
        "shape" => shape: Positive<f64>,
    }
}

record! {
    /// Pareto, truncated above.
    pub struct Pareto<Q: Quantity> {
        /// Smallest value.
        "min" => min: Q,
        /// Largest value.
        "max" => max: Q,
        /// The tail exponent.
        "shape" => shape: Positive<f64>,
    }
}

choice! {
    /// A named distribution.
    pub enum Form<Q: Quantity> {
        /// Always the same value.
        "constant" => Constant(Q),
        /// Uniform between two values.
        "uniform" => Uniform(Uniform<Q>),
        /// Exponential with a mean.
        "exponential" => Exponential(Exponential<Q>),
        /// Log-normal by median and p95 or sigma.
        "lognormal" => LogNormal(LogNormal<Q>),
        /// Weibull.
        "weibull" => Weibull(Weibull<Q>),
        /// Pareto, truncated above.
        "pareto" => Pareto(Pareto<Q>),
    }
}

record! {
    /// A named distribution of sizes.
    pub struct SizedForm<Q: Quantity> {
        one of form: Form<Q>,
        /// Draws are rounded up to a multiple of this.
        "step" => step: Option<Positive<Q>>,
    }
}

impl<Q: Quantity> Form<Q> {
    fn distribution(&self) -> Result<Distribution, String> {
        let made = match self {
            Form::Constant(v) => Distribution::Constant(v.units()),
            Form::Uniform(u) => Distribution::Uniform { min: u.min.units(), max: u.max.units() },
            Form::Exponential(e) => Distribution::Exponential { mean: e.mean.units() },
            Form::LogNormal(l) => match &l.spread {
                Spread::P95(p95) => Distribution::log_normal_p95(l.median.units(), p95.units())
                    .map_err(|e| e.to_string())?,
                Spread::Sigma(sigma) => {
                    Distribution::LogNormal { median: l.median.units(), sigma: sigma.0 }
                }
            },
            Form::Weibull(w) => Distribution::Weibull { scale: w.scale.units(), shape: w.shape.0 },
            Form::Pareto(p) => {
                Distribution::Pareto { min: p.min.units(), max: p.max.units(), shape: p.shape.0 }
            }
        };
        made.validate().map_err(|e| e.to_string())?;
        Ok(made)
    }
}

impl<Q: Quantity> Decode for Dist<Q> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let (form, step) = match &node.value {
            Value::Map(_) if Q::HAS_STEP => {
                let sized = SizedForm::<Q>::decode(node, ctx)?;
                (sized.form, sized.step.map(|s| s.0))
            }
            Value::Map(_) => (Form::<Q>::decode(node, ctx)?, None),
            _ => (Form::Constant(Q::decode(node, ctx)?), None),
        };
        match form.distribution() {
            Ok(distribution) => Some(Dist { distribution, step }),
            Err(problem) => {
                ctx.diags().error(node.span, format!("impossible distribution: {problem}"));
                None
            }
        }
    }
    fn schema(defs: &mut Defs) -> Json {
        let form = if Q::HAS_STEP { SizedForm::<Q>::schema(defs) } else { Form::<Q>::schema(defs) };
        json!({ "anyOf": [Q::schema(defs), form] })
    }
}
