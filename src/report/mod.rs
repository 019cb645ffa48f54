//! What people read: the report, the tables, the verdict in words.
//!
//! `charts` turn plain data into SVG and know nothing of studies; `page` and
//! `terminal` say what a study found.

pub mod charts;
mod text;
/// shim
pub fn page(_: &crate::sweep::Study, _: Option<&crate::advise::Verdict>) -> String { String::new() }
/// shim
pub fn chart_files(_: &crate::sweep::Study, _: Option<&crate::advise::Verdict>) -> Vec<(String, String)> { Vec::new() }
/// shim
pub fn shortened(s: &str, _: usize) -> String { s.to_owned() }
/// shim
pub fn terminal(study: &crate::sweep::Study, v: Option<&crate::advise::Verdict>) -> crate::Result<String> {
    use std::fmt::Write as _;
    let mut s = String::new();
    if let Some(v) = v { for p in v.pieces(study) { let _ = writeln!(s, "{p:?}"); } }
    for c in &study.cases { for o in c.finished() { let _ = writeln!(s, "{} {:?} {:?} {:?}", c.name, o.cost, o.pods, o.pending_s); } }
    Ok(s)
}
