//! What people read: the report, the tables, the verdict in words.
//!
//! `charts` turn plain data into SVG and know nothing of studies; `page` and
//! `terminal` say what a study found.

pub mod charts;
mod text;
