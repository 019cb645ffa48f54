//! Charts: plain data in, SVG text out. Knows nothing of studies.
//!
//! Every chart reads in light and dark, at the width it is drawn for, without
//! relying on colour alone, and is the same bytes for the same data.

mod canvas;
mod cdf;
mod frame;
mod intervals;
mod over_time;
mod scale;
#[cfg(test)]
pub(super) mod tests;
mod theme;
mod waterfall;

pub use canvas::Look;
pub use cdf::{Distribution, cdf};
pub use intervals::{Interval, intervals};
pub use over_time::{Axis, Band, Curve, Steps, lines, stacked};
pub use theme::{Ink, SERIES, rules, variables};
pub use waterfall::{Amount, Bar, waterfall};
