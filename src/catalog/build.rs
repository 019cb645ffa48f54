//! Builds `pricing/` from fact tables: `plimsoll prices build --from FACTS -o pricing`.
//!
//! The step is repeatable: rows are sorted by their whole key, decimals
//! written in one form, source ids given in sorted order, so that the same
//! facts yield the same bytes. It keeps only what the catalog reads; what it
//! leaves out, and why, is listed in `pricing/README.md`.

mod charges;
mod facts;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::fargate::FargateOs;
use super::instance::{Arch, INSTANCE_HEADER};
use super::quote::PriceStatus;
use super::region::{FARGATE_HEADER, ON_DEMAND, ON_DEMAND_HEADER, SPOT, SPOT_HEADER};
use super::savings::{PLANS_HEADER, Payment, PlanKind, SCOPE_FARGATE, SCOPE_GENERAL, Term};
use super::write::{check_target, write_all, write_csv};
use super::{Catalog, EMBEDDED, MAX_FILE_BYTES, REGIONS_HEADER, TableFile, Tables, sha256};
use crate::{Error, Result};
use facts::{FactTable, SourceTable, Unsourced, sorted, source_of, with_sources};

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
