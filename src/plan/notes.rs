//! What linking has to say: findings, settings, and prices of which not
//! everything is known.

use std::collections::BTreeMap;
use std::fmt;

use super::defaults::Known;
use super::model::{Origin, Setting};
use crate::bill::{Price, PriceStatus};
use crate::catalog;
use crate::scenario::{Diagnostics, Span, Spanned};

/// The flag that allows prices nobody has verified.
const BELIEVED_FLAG: &str = "--allow-believed-prices";

/// Collects while a case is linked.
pub(super) struct Notes<'a> {
    /// Errors and warnings.
    pub(super) diags: &'a mut Diagnostics,
    /// Settings beside those that the scenario states.
    pub(super) settings: Vec<Setting>,
    /// Prices in use that are not published, with their status.
    pub(super) weak: &'a mut BTreeMap<String, PriceStatus>,
    /// Prices in use, with their dates.
    pub(super) dated: &'a mut BTreeMap<String, String>,
    /// Whether such prices may be used if nobody has verified them.
    pub(super) allow_believed: bool,
}

impl Notes<'_> {
    /// A value this program chose.
    pub(super) fn default(
        &mut self,
        path: impl Into<String>,
        value: impl fmt::Display,
        note: impl Into<String>,
    ) {
        self.add(path.into(), value, Origin::Default, note.into());
    }

    /// A value of the tables of types and prices.
    pub(super) fn catalog(
        &mut self,
        path: impl Into<String>,
        value: impl fmt::Display,
        note: impl Into<String>,
    ) {
        self.add(path.into(), value, Origin::Catalog, note.into());
    }

    fn add(&mut self, path: String, value: impl fmt::Display, origin: Origin, note: String) {
        // Two pools of one type state its facts once.
        if !self.settings.iter().any(|s| s.path == path) {
            self.settings.push(Setting { path, value: value.to_string(), origin, note });
        }
    }

    /// The value given, or the default, which is then among the settings.
    pub(super) fn or_default<T: Copy + fmt::Display>(
        &mut self,
        given: Option<Spanned<T>>,
        path: impl Into<String>,
        default: Known<T>,
    ) -> T {
        if let Some(given) = given {
            return given.value;
        }
        self.default(path, default.value, default.note);
        default.value
    }

    /// A price of the catalog, which is then among the settings; `None` after
    /// reporting one that needs consent.
    pub(super) fn price(
        &mut self,
        span: Span,
        path: impl Into<String>,
        unit: &str,
        quote: &catalog::Quote,
    ) -> Option<Price> {
        let path = path.into();
        let price = bill_price(quote);
        if quote.status == catalog::PriceStatus::Believed && !self.allow_believed {
            self.diags
                .error(
                    span,
                    format!("the price `{path}` is a recollection that nobody has verified"),
                )
                .help(format!(
                    "state {BELIEVED_FLAG} to use {} USD per {unit} all the same ({})",
                    quote.rate, &*quote.source
                ));
            return None;
        }
        self.dated.insert(path.clone(), quote.as_of.to_string());
        if !quote.status.is_published() {
            self.weak.insert(path.clone(), price.status);
        }
        let mut note = quote.status.to_string();
        for part in [&*quote.as_of, &*quote.source] {
            if !part.is_empty() {
                note.push_str(", ");
                note.push_str(part);
            }
        }
        self.catalog(path, format!("{} USD per {unit}", quote.rate), note);
        Some(price)
    }
}

/// A quote as the bill takes it, whatever its status: for comparisons that
/// nothing is charged by.
#[must_use]
pub fn bill_price(quote: &catalog::Quote) -> Price {
    Price::new(quote.rate, status(quote.status))
}

fn status(status: catalog::PriceStatus) -> PriceStatus {
    match status {
        catalog::PriceStatus::Real => PriceStatus::Real,
        catalog::PriceStatus::Derived => PriceStatus::Derived,
        catalog::PriceStatus::Representative => PriceStatus::Representative,
        catalog::PriceStatus::Believed => PriceStatus::Believed,
    }
}
