//! `plimsoll prices`: what the tables say, and rebuilding them from facts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, TableStyle, presets};

use super::price_age::today;
use super::{Console, Format, Outcome, print};
use crate::catalog::{self, Catalog, LOCK_FILE, PriceFilter, PriceRow};
use crate::{Error, Result};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Show instance types with On-Demand and Spot prices
    Show(Show),
    /// Take prices from files of AWS into price tables
    Update(Update),
    /// Rebuild the price tables from a directory of fact tables
    Build {
        /// Directory of the fact tables
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// Directory to write the tables to
        #[arg(short, long, value_name = "DIR", default_value = "pricing")]
        output: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// Types to show, `*` as wildcard, as in 'm6i.*'; all if none is named
    types: Vec<String>,
    /// AWS Region
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Use the price tables in this directory
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_PRICING")]
    pricing: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct Update {
    /// Files of AWS, told by their content: price lists of EC2, ECS, EKS and Savings Plans, the
    /// Spot advisor, Spot price histories, answers of describe-savings-plans,
    /// describe-savings-plans-offering-rates and describe-reserved-instances
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    from: Vec<PathBuf>,
    /// Only these AWS Regions [default: all of a file]
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// Date of files that bear none [default: when the file last changed]
    #[arg(long, value_name = "DATE")]
    as_of: Option<jiff::civil::Date>,
    /// Start from the price tables in this directory
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_PRICING")]
    pricing: Option<PathBuf>,
    /// Directory to write the tables and prices.lock to
    #[arg(short, long, value_name = "DIR", default_value = "pricing")]
    output: PathBuf,
}

fn update(args: &Update) -> Result<String> {
    let told = catalog::update::update(&catalog::update::Update {
        base: args.pricing.as_deref(),
        files: &args.from,
        regions: &args.region,
        as_of: args.as_of,
        today: today(),
        out: &args.output,
    })?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["file", "what", "date", "rows"]);
    for it in &told {
        table.add_row([&it.file, it.kind, &it.as_of, &it.rows.to_string()]);
    }
    if let Some(column) = table.column_mut(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text: String = table.lines().map(|l| format!("{}\n", l.trim_end())).collect();
    for it in &told {
        for left_out in &it.left_out {
            let _ = writeln!(text, "{}: left out {left_out}", it.file);
        }
        if it.older > 0 {
            let _ = writeln!(text, "{}: {} of its rows replaced newer ones", it.file, it.older);
        }
    }
    let dir = args.output.display();
    let _ = writeln!(text, "written to {dir}; use it with --pricing {dir}");
    Ok(text)
}

pub(super) fn run(verb: &Verb, console: &Console) -> Result<Outcome> {
    match verb {
        Verb::Show(show) => print(&shown(show, console)?)?,
        Verb::Update(args) => print(&update(args)?)?,
        Verb::Build { from, output } => {
            let files = catalog::build::build(from, output)?;
            let text: String =
                files.iter().map(|(file, sha256)| format!("{sha256}  {file}\n")).collect();
            print(&text)?;
        }
    }
    Ok(Outcome::Fine)
}

/// The tables of a directory or of the program; warns of those that are not
/// what was imported.
pub(super) fn load(dir: Option<&Path>, console: &Console) -> Result<Catalog> {
    let catalog = Catalog::load(dir)?;
    if let Some(text) = catalog.edited() {
        console.warn(catalog::EDITED_PRICES, &text);
    }
    Ok(catalog)
}

fn shown(show: &Show, console: &Console) -> Result<String> {
    let catalog = load(show.pricing.as_deref(), console)?;
    let region = catalog.region(&show.region)?;
    let filter = PriceFilter { patterns: show.types.clone(), arch: None };
    let rows = region.table(&filter);
    if rows.is_empty() {
        return Err(Error::input(format!(
            "no priced instance type of {} matches; `plimsoll prices show` lists all",
            show.region
        )));
    }
    match show.format {
        Format::Json => serde_json::to_string_pretty(&rows)
            .map(|s| s + "\n")
            .map_err(|e| Error::failed(format!("cannot print prices: {e}"))),
        Format::Csv => {
            let mut out = csv::Writer::from_writer(Vec::new());
            for row in &rows {
                out.serialize(row)
                    .map_err(|e| Error::failed(format!("cannot print prices: {e}")))?;
            }
            let bytes =
                out.into_inner().map_err(|e| Error::failed(format!("cannot print prices: {e}")))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        Format::Table => {
            let files = catalog.imported().map(|files| format!("\n{LOCK_FILE}: {files}\n"));
            Ok(table(&rows, presets::NOTHING) + &files.unwrap_or_default())
        }
        Format::Markdown => Ok(table(&rows, presets::ASCII_MARKDOWN)),
    }
}

fn table(rows: &[PriceRow], style: TableStyle) -> String {
    let mut table = Table::new();
    table.load_style(style);
    table.set_header(["type", "vCPU", "GiB", "pods", "$/h", "Spot $/h", "off", "band", "status"]);
    for row in rows {
        table.add_row(cells(row));
    }
    for column in 1..8 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn cells(row: &PriceRow) -> [String; 9] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let gib = row.memory.0 as f64 / f64::from(1 << 30);
    [
        row.instance_type.to_string(),
        row.vcpu.to_string(),
        gib.to_string(),
        row.max_pods.to_string(),
        row.on_demand.to_string(),
        or_dash(row.spot.map(|r| r.to_string())),
        or_dash(row.spot_saving_pct.map(|p| format!("{p}%"))),
        or_dash(row.spot_band.map(|b| b.to_string())),
        row.status.to_string(),
    ]
}
