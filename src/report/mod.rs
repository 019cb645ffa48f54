//! What people read: the report, the tables, the verdict in words.
//!
//! `charts` turn plain data into SVG and know nothing of studies; `figures`
//! maps a study to charts; `page` is the report, `terminal` what a run prints.
//! No wall clock: what is written depends on the study alone.

mod breakeven;
pub mod charts;
mod combinations;
pub mod commit;
mod comparison;
mod coverage;
pub mod explain;
mod figures;
mod left_out;
mod money_figures;
mod money_words;
mod page;
mod patches;
mod reprice;
mod rightsize;
mod rows;
#[cfg(test)]
mod sample;
mod sweep_figures;
mod terminal;
mod text;
mod usage_bill;
mod words;

pub use breakeven::{breakeven, breakeven_charts};
pub use combinations::{past_sweep_table, sweep_results};
pub use comparison::comparison;
pub use coverage::coverage;
pub use figures::chart_files;
pub use page::{page, rightsize_chart, rightsize_page, sweep_page};
pub use patches::{Patches, patches};
pub use reprice::{RepriceRows, reprice};
pub use rightsize::{RightsizeFormat, rightsize, rightsize_csv, rightsize_json};
pub use sweep_figures::sweep_chart_files;
pub use terminal::{Format, results, terminal, wrapped};
pub use text::{name as printable, shortened};
pub use usage_bill::{UsageBy, usage_bill, usage_currencies, usage_left_out};
