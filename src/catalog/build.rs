//! Builds `pricing/` from fact tables: `plimsoll prices build --from FACTS -o pricing`.
//!
//! The step is repeatable: rows are sorted by their whole key, decimals
//! written in one form, source ids given in sorted order, so that the same
//! facts yield the same bytes. It keeps only what the catalog reads; what it
//! leaves out, and why, is listed in `pricing/README.md`.

mod charges;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::fargate::FargateOs;
use super::instance::{Arch, INSTANCE_HEADER};
use super::quote::PriceStatus;
use super::region::{FARGATE_HEADER, ON_DEMAND, ON_DEMAND_HEADER, SPOT, SPOT_HEADER};
use super::savings::{PLANS_HEADER, Payment, PlanKind, SCOPE_FARGATE, SCOPE_GENERAL, Term};
use super::table::SOURCES_HEADER;
use super::write::{check_target, write_all};
use super::{
    Catalog, EMBEDDED, MAX_FILE_BYTES, REGIONS_HEADER, TableFile, Tables, read_text, sha256,
};
use crate::units::Rate;
use crate::{Error, Result};

/// Date of the Spot advisor's data, which its table does not repeat per row.
const ADVISOR_DATE: &str = "2025-06-28";
/// Date of the On-Demand table outside us-east-1 and GovCloud.
const EC2INSTANCES_DATE: &str = "2024-04-04";

/// Writes the tables into `out`, which is created where missing, and returns
/// each file's name and SHA-256, by name. No file gets its name before all are
/// complete.
///
/// # Errors
/// When a fact table is missing or malformed, naming file and line, or `out`
/// has other files or cannot be written.
pub fn build(facts: &Path, out: &Path) -> Result<Vec<(String, String)>> {
    check_target(out)?;
    let files = render(facts)?;
    check(&files, None)?;
    write_all(out, files.iter().map(|(name, text)| (name.as_str(), text.as_str())))?;
    Ok(files.into_iter().map(|(name, text)| (name, sha256(&text))).collect())
}

/// Reads the tables as a run would: these Regions of them, or every one.
pub(super) fn check(
    files: &BTreeMap<String, String>,
    regions: Option<&BTreeSet<String>>,
) -> Result<()> {
    if let Some((name, text)) = files.iter().find(|(_, t)| t.len() as u64 > MAX_FILE_BYTES) {
        return Err(Error::input(format!(
            "`{name}` would have {} MiB, and {} can be read back: take fewer Regions with --region",
            text.len() >> 20,
            MAX_FILE_BYTES >> 20
        )));
    }
    let tables = EMBEDDED.iter().map(|(name, _)| TableFile {
        name,
        label: (*name).to_owned(),
        text: Cow::Owned(files.get(*name).cloned().unwrap_or_default()),
    });
    let catalog = Catalog::from_tables(Tables(tables.collect()))?;
    let wanted = |region: &&str| regions.is_none_or(|regions| regions.contains(*region));
    for region in catalog.region_names().filter(wanted) {
        catalog.region(region)?;
    }
    Ok(())
}

/// The tables' names and text, by name.
pub(super) fn render(facts: &Path) -> Result<BTreeMap<String, String>> {
    let mut sources = SourceTable::default();
    let mut files = BTreeMap::new();
    let (types, names) = instance_types(&FactTable::read(facts, "ec2-instance-types.csv")?)?;
    files.insert("instance-types.csv".to_owned(), types);

    let on_demand = FactTable::read(facts, "ec2-on-demand.csv")?;
    let spot = FactTable::read(facts, "ec2-spot.csv")?;
    let factors = FactTable::read(facts, "region-price-factors.csv")?;
    files.insert("regions.csv".to_owned(), regions(&on_demand, &spot, &factors, &mut sources)?);
    files.insert("ec2-on-demand.csv".to_owned(), ec2_on_demand(&on_demand, &names, &mut sources)?);
    files.insert("ec2-spot.csv".to_owned(), ec2_spot(&spot, &names, &mut sources)?);

    let table = FactTable::read(facts, "fargate.csv")?;
    files.insert("fargate.csv".to_owned(), fargate(&table, &mut sources)?);
    let table = FactTable::read(facts, "savings-plans.csv")?;
    files.insert("savings-plans.csv".to_owned(), savings_plans(&table, &names, &mut sources)?);
    let table = FactTable::read(facts, "other-charges.csv")?;
    files.insert("charges.csv".to_owned(), charges::render(&table, &mut sources)?);
    files.insert("sources.csv".to_owned(), sources.render()?);
    Ok(files)
}

/// A fact table in memory, its columns found by name.
struct FactTable {
    label: String,
    columns: BTreeMap<String, usize>,
    rows: Vec<(u64, csv::StringRecord)>,
}

#[derive(Clone, Copy)]
struct Fact<'a> {
    table: &'a FactTable,
    line: u64,
    record: &'a csv::StringRecord,
}

impl FactTable {
    fn read(dir: &Path, name: &str) -> Result<Self> {
        let path = dir.join(name);
        let label = path.display().to_string();
        let text = read_text(&path)?;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let wrong = |e: &csv::Error| {
            let line = e.position().map_or(1, csv::Position::line);
            Error::input(format!("{label}:{line}: {e}"))
        };
        let header = reader.headers().map_err(|e| wrong(&e))?;
        let columns = header.iter().enumerate().map(|(i, name)| (name.to_owned(), i)).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| wrong(&e))?;
            rows.push((record.position().map_or(1, csv::Position::line), record));
        }
        Ok(FactTable { label, columns, rows })
    }

    fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        self.rows.iter().map(|(line, record)| Fact { table: self, line: *line, record })
    }
}

impl<'a> Fact<'a> {
    fn error(self, message: impl std::fmt::Display) -> Error {
        Error::input(format!("{}:{}: {message}", self.table.label, self.line))
    }

    fn get(self, column: &str) -> Result<&'a str> {
        self.table
            .columns
            .get(column)
            .and_then(|i| self.record.get(*i))
            .ok_or_else(|| self.error(format!("there is no column `{column}`")))
    }

    /// A decimal in its one canonical form; empty stays empty.
    fn decimal(self, column: &str) -> Result<String> {
        let text = self.get(column)?;
        if text.is_empty() {
            return Ok(String::new());
        }
        let rate: Rate = text.parse().map_err(|e| self.error(format!("{column} `{text}`: {e}")))?;
        Ok(rate.to_string())
    }

    /// The catalog's status for the facts' word, and a remark where the word
    /// says more than the status does.
    fn status(self) -> Result<(PriceStatus, &'static str)> {
        match self.get("status")? {
            "approximate" => {
                Ok((PriceStatus::Representative, "; a rounded public figure, not a quote"))
            }
            // A published figure of which it is not known what it covers.
            "real-unclear-split" => Ok((PriceStatus::Representative, "")),
            word => PriceStatus::from_word(word)
                .map(|status| (status, ""))
                .ok_or_else(|| self.error(format!("unknown status `{word}`"))),
        }
    }
}

/// Collects sources and gives each an id that does not depend on row order.
#[derive(Default)]
struct SourceTable {
    /// (status, date, text) by id.
    known: BTreeMap<String, (PriceStatus, String, String)>,
}

impl SourceTable {
    /// A source whose id is fixed.
    fn named(&mut self, id: &str, status: PriceStatus, as_of: &str, text: &str) -> String {
        self.known.insert(id.to_owned(), (status, as_of.to_owned(), text.to_owned()));
        id.to_owned()
    }

    /// Ids `prefix-1`, `prefix-2` … for the sources of a table, in their
    /// sorted order.
    fn numbered(
        &mut self,
        prefix: &str,
        wanted: &BTreeSet<(PriceStatus, String, String)>,
    ) -> BTreeMap<(PriceStatus, String, String), String> {
        let mut ids = BTreeMap::new();
        for (i, source) in wanted.iter().enumerate() {
            let id = self.named(&format!("{prefix}-{}", i + 1), source.0, &source.1, &source.2);
            ids.insert(source.clone(), id);
        }
        ids
    }

    fn render(&self) -> Result<String> {
        let rows = self.known.iter().map(|(id, (status, as_of, text))| {
            vec![id.clone(), status.to_string(), as_of.clone(), text.clone()]
        });
        write_csv(SOURCES_HEADER, rows)
    }
}

/// Header and rows as text, one line each; quoted only where it must be.
pub(super) fn write_csv(
    header: &str,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<String> {
    let failed = |e: csv::Error| Error::failed(format!("cannot write a price table: {e}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header.split(',')).map_err(failed)?;
    for row in rows {
        writer.write_record(&row).map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| Error::failed(format!("cannot write a price table: {e}")))?;
    String::from_utf8(bytes).map_err(|e| Error::failed(format!("cannot write a price table: {e}")))
}

/// Rows sorted by key; a key that comes twice is an error.
fn sorted(rows: Vec<(Fact<'_>, usize, Vec<String>)>) -> Result<Vec<Vec<String>>> {
    let mut map: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (fact, key_columns, row) in rows {
        let key = row.iter().take(key_columns).cloned().collect();
        if map.insert(key, row).is_some() {
            return Err(fact.error("this row repeats an earlier one"));
        }
    }
    Ok(map.into_values().collect())
}

/// Columns whose name differs between the facts and `instance-types.csv`.
const RENAMED: [(&str, &str); 4] = [
    ("enis", "enis_default_card"),
    ("branch_enis", "branch_enis_eks"),
    ("awsvpc_tasks", "ecs_awsvpc_tasks_default"),
    ("awsvpc_tasks_trunk", "ecs_awsvpc_tasks_trunk"),
];

fn instance_types(table: &FactTable) -> Result<(String, BTreeSet<String>)> {
    let mut rows = Vec::new();
    let mut names = BTreeSet::new();
    for fact in table.facts() {
        let name = fact.get("instance_type")?;
        if name != format!("{}.{}", fact.get("family")?, fact.get("size")?) {
            return Err(fact.error(format!("`{name}` is not its family and size")));
        }
        names.insert(name.to_owned());
        let row = INSTANCE_HEADER
            .split(',')
            .map(|column| {
                let renamed = RENAMED.iter().find(|(ours, _)| *ours == column);
                fact.get(renamed.map_or(column, |(_, theirs)| theirs)).map(str::to_owned)
            })
            .collect::<Result<Vec<_>>>()?;
        rows.push((fact, 1, row));
    }
    Ok((write_csv(INSTANCE_HEADER, sorted(rows)?)?, names))
}

fn regions(
    on_demand: &FactTable,
    spot: &FactTable,
    factors: &FactTable,
    sources: &mut SourceTable,
) -> Result<String> {
    let mut priced: BTreeMap<&str, &str> = BTreeMap::new();
    for fact in spot.facts() {
        priced.insert(fact.get("region")?, "none");
    }
    for fact in on_demand.facts() {
        let currency = match fact.get("currency")? {
            "USD" => "usd",
            "CNY" => "cny",
            other => return Err(fact.error(format!("unknown currency `{other}`"))),
        };
        priced.insert(fact.get("region")?, currency);
    }
    let mut ratios = BTreeMap::new();
    for fact in factors.facts() {
        let as_of = fact.get("as_of")?;
        let id = sources.named(
            "region-ratio",
            PriceStatus::Derived,
            as_of,
            &format!("median ratio of the On-Demand prices of {as_of} to those of us-east-1"),
        );
        let ratio = fact.decimal("median_ratio_to_us_east_1")?;
        ratios.insert(fact.get("region")?, (ratio, fact.get("types_compared")?, id));
    }
    let rows = priced.iter().map(|(region, on_demand)| {
        let (ratio, compared, id) = ratios.get(region).cloned().unwrap_or_default();
        vec![(*region).to_owned(), (*on_demand).to_owned(), ratio, compared.to_owned(), id]
    });
    write_csv(REGIONS_HEADER, rows)
}

fn ec2_on_demand(
    table: &FactTable,
    names: &BTreeSet<String>,
    sources: &mut SourceTable,
) -> Result<String> {
    let mut rows = Vec::new();
    for fact in table.facts() {
        let name = fact.get("instance_type")?;
        if fact.get("currency")? != "USD" || !names.contains(name) {
            continue;
        }
        let as_of = fact.get("as_of")?;
        let source = match fact.get("source")? {
            "karpenter" => sources.named(
                "karpenter",
                PriceStatus::Real,
                as_of,
                "aws/karpenter-provider-aws generated price table, us-east-1",
            ),
            "karpenter-gov" => sources.named(
                "karpenter-gov",
                PriceStatus::Real,
                as_of,
                "aws/karpenter-provider-aws generated price table, GovCloud",
            ),
            "ec2instances" if as_of != EC2INSTANCES_DATE => {
                return Err(fact.error(format!("expected the date {EC2INSTANCES_DATE}")));
            }
            // List prices of these fell by a third to a half between the
            // table's date and 2026, so an old row is no quote any more.
            "ec2instances" if name.starts_with("p4") || name.starts_with("p5") => sources.named(
                "ec2instances-p4-p5",
                PriceStatus::Representative,
                as_of,
                "vantage-sh/ec2instances.info commit a19cd859; p4 and p5 list prices fell later, so likely too high",
            ),
            "ec2instances" => sources.named(
                "ec2instances",
                PriceStatus::Real,
                as_of,
                "vantage-sh/ec2instances.info commit a19cd859",
            ),
            other => return Err(fact.error(format!("unknown source `{other}`"))),
        };
        let price = fact.decimal("price_per_hour")?;
        let region = fact.get("region")?.to_owned();
        rows.push((fact, 2, vec![region, name.to_owned(), price, source]));
    }
    write_csv(ON_DEMAND_HEADER, sorted(rows)?)
}

fn ec2_spot(
    table: &FactTable,
    names: &BTreeSet<String>,
    sources: &mut SourceTable,
) -> Result<String> {
    let source = sources.named(
        "spot-advisor",
        PriceStatus::Derived,
        ADVISOR_DATE,
        "On-Demand less the Spot advisor's 30-day average saving, Linux (alexei-led/spotinfo spot-advisor-data.json)",
    );
    let mut rows = Vec::new();
    for fact in table.facts() {
        let name = fact.get("instance_type")?;
        if !names.contains(name) {
            continue;
        }
        let row = vec![
            fact.get("region")?.to_owned(),
            name.to_owned(),
            fact.get("advisor_saving_pct")?.to_owned(),
            fact.get("advisor_interruption_band")?.to_owned(),
            source.clone(),
        ];
        rows.push((fact, 2, row));
    }
    write_csv(SPOT_HEADER, sorted(rows)?)
}

/// A row whose source is still to be numbered.
type Unsourced<'a> = (Fact<'a>, usize, Vec<String>, (PriceStatus, String, String));

fn with_sources(
    rows: Vec<Unsourced<'_>>,
    prefix: &str,
    header: &str,
    sources: &mut SourceTable,
) -> Result<String> {
    let wanted = rows.iter().map(|(_, _, _, source)| source.clone()).collect();
    let ids = sources.numbered(prefix, &wanted);
    let rows = rows
        .into_iter()
        .map(|(fact, keys, mut row, source)| {
            row.push(ids.get(&source).cloned().unwrap_or_default());
            (fact, keys, row)
        })
        .collect();
    write_csv(header, sorted(rows)?)
}

/// The source of a row that states status, date and text itself.
fn source_of(fact: Fact<'_>) -> Result<(PriceStatus, String, String)> {
    let (status, remark) = fact.status()?;
    Ok((status, fact.get("as_of")?.to_owned(), format!("{}{remark}", fact.get("source")?)))
}

fn fargate(table: &FactTable, sources: &mut SourceTable) -> Result<String> {
    let mut rows = Vec::new();
    for fact in table.facts() {
        let os = fact.get("os")?;
        let os = FargateOs::from_word(os)
            .ok_or_else(|| fact.error(format!("unknown operating system `{os}`")))?;
        let purchase = match fact.get("purchase")? {
            known @ (ON_DEMAND | SPOT) => known,
            other => return Err(fact.error(format!("unknown purchase option `{other}`"))),
        };
        let arch = match fact.get("arch")? {
            "x86_64" => Arch::Amd64,
            "arm64" => Arch::Arm64,
            other => return Err(fact.error(format!("unknown architecture `{other}`"))),
        };
        let row = vec![
            fact.get("region")?.to_owned(),
            os.to_string(),
            arch.to_string(),
            purchase.to_owned(),
            fact.decimal("usd_per_vcpu_hour")?,
            fact.decimal("usd_per_gb_hour")?,
            fact.decimal("usd_per_ephemeral_gb_hour")?,
        ];
        rows.push((fact, 4, row, source_of(fact)?));
    }
    with_sources(rows, "fargate", FARGATE_HEADER, sources)
}

fn savings_plans(
    table: &FactTable,
    names: &BTreeSet<String>,
    sources: &mut SourceTable,
) -> Result<String> {
    let mut rows: Vec<Unsourced<'_>> = Vec::new();
    let mut text_above = String::new();
    for fact in table.facts() {
        let text = match fact.get("source")? {
            "as above" => std::mem::take(&mut text_above),
            text => text.to_owned(),
        };
        text_above.clone_from(&text);
        let plan = match fact.get("plan")? {
            "ComputeSP" => PlanKind::ComputeSp,
            "RI-convertible" => PlanKind::ConvertibleRi,
            "EC2InstanceSP" => PlanKind::Ec2InstanceSp,
            "RI-standard" => PlanKind::StandardRi,
            other => return Err(fact.error(format!("unknown plan `{other}`"))),
        };
        let scope = match fact.get("scope")? {
            // An upper bound is no price, and Lambda is not planned for.
            "maximum" | "Lambda duration" => continue,
            "Fargate" | "Fargate 1 vCPU + 1 GB" => SCOPE_FARGATE,
            "m/c/r current generation" => SCOPE_GENERAL,
            name if names.contains(name) => name,
            name if name.contains('.') => continue,
            other => return Err(fact.error(format!("unknown scope `{other}`"))),
        };
        let term = fact.get("term")?;
        let term =
            Term::from_word(term).ok_or_else(|| fact.error(format!("unknown term `{term}`")))?;
        let payment = match fact.get("payment")? {
            "noUpfront" => Payment::NoUpfront,
            "partialUpfront" => Payment::PartialUpfront,
            "allUpfront" => Payment::AllUpfront,
            other => return Err(fact.error(format!("unknown payment `{other}`"))),
        };
        let (status, remark) = fact.status()?;
        let source = (status, fact.get("as_of")?.to_owned(), format!("{text}{remark}"));
        let row = vec![
            fact.get("region")?.to_owned(),
            scope.to_owned(),
            plan.to_string(),
            term.to_string(),
            payment.to_string(),
            fact.decimal("discount_fraction")?,
        ];
        rows.push((fact, 5, row, source));
    }
    // Where a worked figure and a planning default speak of the same thing,
    // the better status stays.
    let mut best: BTreeMap<Vec<String>, Unsourced<'_>> = BTreeMap::new();
    for row in rows {
        let key: Vec<String> = row.2.iter().take(5).cloned().collect();
        match best.get(&key) {
            Some(known) if known.3.0 == row.3.0 => {
                return Err(row.0.error("this row repeats an earlier one"));
            }
            Some(known) if known.3.0 < row.3.0 => {}
            _ => {
                best.insert(key, row);
            }
        }
    }
    with_sources(best.into_values().collect(), "plans", PLANS_HEADER, sources)
}
