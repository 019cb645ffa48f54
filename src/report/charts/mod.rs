//! Charts: plain data in, SVG text out. Knows nothing of studies.
//!
//! Every chart reads in light and dark, at the width it is drawn for, without
//! relying on colour alone, and is the same bytes for the same data.

mod along;
mod breakeven;
mod canvas;
mod cdf;
mod frame;
mod heat;
mod intervals;
mod means;
mod over_time;
mod pareto;
mod scale;
#[cfg(test)]
pub(super) mod tests;
mod theme;
mod waterfall;

pub use along::{Along, Measured, Over, along};
pub use breakeven::{Falling, Level, breakeven};
pub use canvas::Look;
pub use cdf::{Distribution, cdf};
pub use heat::{Cell, Grid, heat};
pub use intervals::{Interval, differences, intervals};
pub use over_time::{Axis, Band, Curve, Steps, lines, stacked};
pub use pareto::{Standing, Tradeoff, pareto};
pub use theme::{Ink, SERIES, rules, variables};
pub use waterfall::{Amount, Bar, waterfall};
