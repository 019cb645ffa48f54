//! Tables in and out. The only room that knows polars.

pub mod cells;
mod columns;
pub mod focus;
mod leaves;
mod pages;
pub mod rows;
#[cfg(test)]
mod rows_tests;
pub mod tables;
pub mod trace;

/// How traces in Parquet are read.
pub const PARQUET: crate::import::Parquet =
    crate::import::Parquet { native: trace::open_native_parquet, numbers: columns::read_numbers };

/// Makes polars use at most this many threads. Its pool is made at first use
/// and takes its size from the environment, so this must come before any
/// table is touched and before other threads run; where the variable is set
/// already, that choice stays.
pub fn limit_threads(threads: usize) {
    const VARIABLE: &str = "POLARS_MAX_THREADS";
    if std::env::var_os(VARIABLE).is_none() {
        // SAFETY: called once at the start of a command, while the process
        // has a single thread.
        unsafe { std::env::set_var(VARIABLE, threads.to_string()) };
    }
}
