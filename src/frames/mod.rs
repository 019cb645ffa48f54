//! Tables in and out. The only room that knows polars.

mod pages;
pub mod trace;
