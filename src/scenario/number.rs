//! The plain numbers of a scenario, with their bounds in the type.

use std::fmt;
use std::ops::Deref;

use serde_json::{Value as Json, json};

use super::decode::{Ctx, Decode, Defs};
use super::diagnostic::quote;
use super::leaf::{number, scalar};
use super::tree::Node;
use crate::units::{Bytes, MilliCpu, Percent, SimDuration};

/// A whole number between `MIN` and `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Int<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Int<MIN, MAX> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64> fmt::Display for Int<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a whole number; digits only, perhaps with a sign.
fn whole(node: &Node, ctx: &mut Ctx<'_>) -> Option<i128> {
    let Some(text) = number(node) else {
        ctx.mismatch(node, "a whole number");
        return None;
    };
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        ctx.mismatch(node, "a whole number");
        return None;
    }
    // Beyond i128 any bound is passed, and the sign says which.
    let huge = if text.starts_with('-') { i128::MIN } else { i128::MAX };
    Some(text.parse().unwrap_or(huge))
}

fn bounded(node: &Node, ctx: &mut Ctx<'_>, min: i128, max: i128) -> Option<i128> {
    let value = whole(node, ctx)?;
    if (min..=max).contains(&value) {
        return Some(value);
    }
    let text = number(node).unwrap_or_default();
    let message = if value < min {
        format!("{} is too small: at least {min}", quote(text))
    } else {
        format!("{} is too large: at most {max}", quote(text))
    };
    ctx.diags().error(node.span, message);
    None
}

impl<const MIN: u64, const MAX: u64> Decode for Int<MIN, MAX> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let value = bounded(node, ctx, i128::from(MIN), i128::from(MAX))?;
        u64::try_from(value).ok().map(Int)
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl Decode for $ty {
            fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
                let value = bounded(node, ctx, i128::from(<$ty>::MIN), i128::from(<$ty>::MAX))?;
                <$ty>::try_from(value).ok()
            }
            fn schema(_: &mut Defs) -> Json {
                json!({ "type": "integer", "minimum": <$ty>::MIN, "maximum": <$ty>::MAX })
            }
        }
    )*};
}

integers!(u32, i32, u64);

impl Decode for f64 {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let Some(text) = number(node) else {
            ctx.mismatch(node, "a number");
            return None;
        };
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Some(value),
            _ => {
                ctx.diags().error(node.span, format!("{} is out of range", quote(text)));
                None
            }
        }
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "number" })
    }
}

/// A value with a sign, for [`Positive`].
pub trait Signed: Copy {
    /// Whether it is above zero.
    fn is_positive(self) -> bool;
}

impl Signed for f64 {
    fn is_positive(self) -> bool {
        self > 0.0
    }
}

impl Signed for SimDuration {
    fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Signed for MilliCpu {
    fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Signed for Bytes {
    fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Signed for Share {
    fn is_positive(self) -> bool {
        self.0.is_positive()
    }
}

impl Signed for Percent {
    fn is_positive(self) -> bool {
        self.ppm > 0
    }
}

/// A value above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Positive<T>(pub T);

impl<T> Deref for Positive<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Decode + Signed> Decode for Positive<T> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let value = T::decode(node, ctx)?;
        if value.is_positive() {
            return Some(Positive(value));
        }
        let message = format!("{} must be more than 0", quote(scalar(node).unwrap_or_default()));
        ctx.diags().error(node.span, message);
        None
    }
    fn schema(defs: &mut Defs) -> Json {
        let mut schema = T::schema(defs);
        if let Some(object) = schema.as_object_mut().filter(|o| o.contains_key("type")) {
            object.insert("exclusiveMinimum".to_owned(), Json::from(0));
        }
        schema
    }
}

/// A number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NonNegative(pub f64);

impl Decode for NonNegative {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let value = f64::decode(node, ctx)?;
        if value >= 0.0 {
            return Some(NonNegative(value));
        }
        let message = format!("{} must not be negative", quote(scalar(node).unwrap_or_default()));
        ctx.diags().error(node.span, message);
        None
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "number", "minimum": 0 })
    }
}

/// A number between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fraction(pub f64);

impl Decode for Fraction {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let value = f64::decode(node, ctx)?;
        if (0.0..=1.0).contains(&value) {
            return Some(Fraction(value));
        }
        let message =
            format!("{} must be between 0 and 1", quote(scalar(node).unwrap_or_default()));
        ctx.diags().error(node.span, message);
        None
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

/// A factor as a percentage above 0 and of at most 10,000 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth(pub Percent);

impl Decode for Growth {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let value = Positive::<Percent>::decode(node, ctx)?.0;
        if value.ppm <= 100_000_000 {
            return Some(Growth(value));
        }
        ctx.diags().error(node.span, "more than 10000%");
        None
    }
    fn schema(defs: &mut Defs) -> Json {
        Percent::schema(defs)
    }
}

/// A percentage of at most 100 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(pub Percent);

impl Decode for Share {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let value = Percent::decode(node, ctx)?;
        if value.ppm <= 1_000_000 {
            return Some(Share(value));
        }
        ctx.diags().error(node.span, "more than 100%");
        None
    }
    fn schema(defs: &mut Defs) -> Json {
        Percent::schema(defs)
    }
}

/// A percentage off a price: less than 100 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Off(pub Percent);

impl Decode for Off {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let value = Share::decode(node, ctx)?.0;
        if value.ppm < 1_000_000 {
            return Some(Off(value));
        }
        let message = "a discount leaves something to pay";
        ctx.diags().error(node.span, message).help("state less than 100%");
        None
    }
    fn schema(defs: &mut Defs) -> Json {
        Percent::schema(defs)
    }
}
