//! Integer newtypes for everything the simulation and the bill count.
//!
//! Nothing here knows Kubernetes, AWS or a file format beyond the textual
//! form of a single value. Floats appear only where a value leaves for a
//! statistic or a chart.

mod money;
mod portions;
mod quantity;
mod time;

pub use money::{Money, Rate, div_half_even, split_exact};
pub use portions::Portions;
pub use quantity::{Bytes, MilliCpu, Percent, parse_cpu, parse_memory};
pub use time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, SimDuration, SimTime, parse_duration};

/// Why a textual value was refused: one sentence, without the value itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseUnitError(pub String);

impl ParseUnitError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        ParseUnitError(message.into())
    }
}
