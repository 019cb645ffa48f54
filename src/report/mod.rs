//! What people read: the report, the tables, the verdict in words.
//!
//! `charts` turn plain data into SVG and know nothing of studies; `figures`
//! maps a study to charts; `page` is the report, `terminal` what a run prints.
//! No wall clock: what is written depends on the study alone.

pub mod charts;
mod figures;
#[cfg(test)]
mod sample;
mod text;

pub use figures::chart_files;
