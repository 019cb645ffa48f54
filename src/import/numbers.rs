//! Columns of numbers, as binary tables hold them, whatever the library that
//! decodes them.

/// A table of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberTable {
    /// Rows of every column.
    pub rows: usize,
    /// The columns asked for, in that order.
    pub columns: Vec<Numbers>,
}

/// A column of numbers; `None` is null.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Whole ones.
    Whole(Vec<Option<i64>>),
    /// Floating ones.
    Floating(Vec<Option<f64>>),
}

impl Numbers {
    /// A whole number from `least` to `most`.
    pub(super) fn whole(
        &self,
        row: usize,
        least: i64,
        most: i64,
    ) -> std::result::Result<i64, String> {
        let value = match self {
            Numbers::Whole(v) => v.get(row).copied().flatten(),
            Numbers::Floating(v) => {
                let value = v.get(row).copied().flatten();
                // Below 2^53 a floating number that is whole is exact.
                value.filter(|v| v.fract() == 0.0 && v.abs() < 9e15).map(|v| v as i64)
            }
        };
        value
            .filter(|v| (least..=most).contains(v))
            .ok_or_else(|| format!("is not a whole number from {least} to {most}"))
    }

    /// A finite number that is not negative.
    pub(super) fn decimal(&self, row: usize) -> std::result::Result<f64, &'static str> {
        let value = match self {
            Numbers::Whole(v) => v.get(row).copied().flatten().map(|v| v as f64),
            Numbers::Floating(v) => v.get(row).copied().flatten(),
        };
        value.filter(|v| v.is_finite() && *v >= 0.0).ok_or("is not a number from 0")
    }

    pub(super) fn text(&self, row: usize) -> String {
        match self {
            Numbers::Whole(v) => v.get(row).copied().flatten().map(|v| v.to_string()),
            Numbers::Floating(v) => v.get(row).copied().flatten().map(|v| v.to_string()),
        }
        .unwrap_or_default()
    }
}
