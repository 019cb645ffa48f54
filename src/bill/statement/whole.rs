//! A billing file against the catalog: every row that is modelled priced
//! again, every other one counted.

use std::path::Path;

use super::{
    Class, FilePrice, Format, Item, OpenTable, OurPrice, Repriced, Repricing, Row, Statement,
    Unpriced, reprice,
};
use crate::catalog::Quote;
use crate::text::utc_day;
use crate::{Error, Result};

/// A row, what it is for, and what came of it.
pub struct RepricedRow<'a> {
    /// The row.
    pub row: &'a Row<'a>,
    /// What it charges for.
    pub item: Item<'a>,
    /// Our price, if there is one.
    pub quote: Option<&'a Quote>,
    /// What came of it.
    pub priced: Repriced,
}

/// Prices a file again: `listed` is the list price of an item in a Region,
/// `each` sees every row that is modelled.
///
/// # Errors
/// When the file cannot be read, states no list prices, or has rows that
/// cannot be read: the first twenty are named.
pub fn reprice_file(
    path: &Path,
    open: OpenTable,
    mut listed: impl FnMut(Item<'_>, &str) -> Result<std::result::Result<Quote, Unpriced>>,
    mut each: impl FnMut(&RepricedRow<'_>) -> Result<()>,
) -> Result<(Format, Repricing)> {
    let mut file = Statement::open(path, open)?;
    if file.format() == Format::Hours {
        return Err(Error::input(format!(
            "`{}` is hourly usage and states no bill to compare with; leave out --reprice to price \
             it",
            file.name()
        )));
    }
    let mut all = Repricing::default();
    file.each(|_, row| {
        let Class::Usage(item) = row.class else {
            all.leave(row);
            return Ok(Ok(()));
        };
        let found = listed(item, row.region)?;
        let day = utc_day(row.start_unix_ms);
        let stated = FilePrice {
            quantity: row.quantity,
            unit_price: row.unit_price,
            cost: row.list_cost,
            currency: row.currency,
            day: &day,
        };
        let priced = reprice(item, &stated, found.as_ref().map_err(|cause| *cause));
        // A price that nothing was compared with is none of the answer.
        let quote = found.as_ref().ok().filter(|_| priced.ours.is_some());
        let pedigree = quote.map_or_else(String::new, |quote| {
            format!("{} {}", quote.status, quote.as_of).trim_end().to_owned()
        });
        let our_price = OurPrice { rate: quote.map(|quote| quote.rate), pedigree: &pedigree };
        all.add(row, &item.label(), &priced, &our_price);
        each(&RepricedRow { row, item, quote, priced })?;
        Ok(Ok(()))
    })?;
    Ok((file.format(), all))
}
