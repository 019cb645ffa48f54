//! Tables in and out. The only room that knows polars.

mod tables;

pub use tables::{write_bill, write_nodes, write_pods, write_timeline};
