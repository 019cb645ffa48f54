//! What `--export` writes: the bill of a case in the formats of others.

use std::io::Write;

use crate::bill::Bill;
use crate::bill::focus::{self, Labels, Sources};
use crate::bill::opencost;
use crate::observe::Record;
use crate::plan::{CasePlan, Plan};
use crate::workload::Workloads;
use crate::{Error, Result, frames};

/// A format of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Export {
    /// FOCUS 1.2, `focus.csv`
    FocusCsv,
    /// FOCUS 1.2, `focus.parquet`
    FocusParquet,
    /// As OpenCost's allocation API answers, `opencost.json`
    Opencost,
}

impl Export {
    const fn file(self) -> &'static str {
        match self {
            Export::FocusCsv => "focus.csv",
            Export::FocusParquet => "focus.parquet",
            Export::Opencost => "opencost.json",
        }
    }
}

/// Writes a case in each of the formats.
pub(super) fn write<W: Write>(
    exports: &[Export],
    plan: &Plan,
    case: &CasePlan,
    record: &Record,
    workloads: &Workloads,
    bill: &Bill,
    file: &impl Fn(&str) -> Result<W>,
) -> Result<()> {
    let sources = Sources {
        record,
        cluster: &case.setup.cluster,
        workloads,
        plan: &case.billing,
        labels: Labels { scenario: &plan.name, case: &case.name, region: &case.region },
    };
    for export in exports {
        let out = file(export.file())?;
        match export {
            Export::FocusCsv => focus::write_csv(&focus::Table::new(bill, sources)?, out)
                .map_err(|e| Error::failed(format!("cannot write {}: {e}", export.file())))?,
            Export::FocusParquet => {
                frames::focus::write_parquet(&focus::Table::new(bill, sources)?, out)?;
            }
            Export::Opencost => {
                opencost::write_opencost(bill, record, workloads, &plan.name, out)?;
            }
        }
    }
    Ok(())
}
