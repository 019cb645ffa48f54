//! A Region's rows of the tables of instances and Fargate.

use super::{
    FARGATE_HEADER, FargateRow, MOST_SPOT_SAVING, ON_DEMAND, SPOT, SPOT_HAZARD_PER_HOUR,
    SPOT_HEADER, SpotRow, find, find_rates,
};
use crate::Result;
use crate::catalog::charges::stand_in;
use crate::catalog::quote::Quote;
use crate::catalog::table::{Sources, Table};
use crate::catalog::{Arch, FargateOs, FargateRates, HOME_REGION, InstanceType, Tables};
use crate::units::Rate;

pub(super) fn read_on_demand(
    table: &Table<'_>,
    region: &str,
    types: &[InstanceType],
    sources: &Sources,
) -> Result<Vec<Option<Quote>>> {
    let mut prices = vec![None; types.len()];
    for row in table.rows_of(region) {
        let [_, name, usd, source] = row.fields::<4>()?;
        let slot = find(types, name)
            .and_then(|i| prices.get_mut(i))
            .ok_or_else(|| row.error(format!("`{name}` is not listed in instance-types.csv")))?;
        if slot.is_some() {
            return Err(row.error(format!("`{name}` in {region} is listed twice")));
        }
        let rate = row.usd("usd_per_hour", usd)?;
        if rate == Rate::ZERO {
            return Err(row.error(format!(
                "usd_per_hour `{usd}` of `{name}` must be above 0; remove the row where the type \
                 is not sold"
            )));
        }
        *slot = Some(sources.of(row, source)?.quote(rate));
    }
    Ok(prices)
}

pub(super) fn read_spot(
    tables: &Tables,
    region: &str,
    types: &[InstanceType],
    sources: &Sources,
) -> Result<Vec<Option<SpotRow>>> {
    let table = tables.open("ec2-spot.csv", SPOT_HEADER)?;
    let mut offers = vec![None; types.len()];
    for row in table.rows_of(region) {
        let [_, name, saving, band, source] = row.fields::<5>()?;
        let slot = find(types, name)
            .and_then(|i| offers.get_mut(i))
            .ok_or_else(|| row.error(format!("`{name}` is not listed in instance-types.csv")))?;
        if slot.is_some() {
            return Err(row.error(format!("`{name}` in {region} is listed twice")));
        }
        let saving_pct = saving
            .parse()
            .ok()
            .filter(|pct| (-1_000..=MOST_SPOT_SAVING).contains(pct))
            .ok_or_else(|| {
                row.error(format!(
                    "saving_pct `{saving}` must be a whole percentage up to {MOST_SPOT_SAVING}"
                ))
            })?;
        let band = row.count("band", band, SPOT_HAZARD_PER_HOUR.len() as u32 - 1)? as u8;
        *slot = Some(SpotRow { saving_pct, band, source: sources.of(row, source)?.clone() });
    }
    Ok(offers)
}

pub(super) fn read_fargate(
    tables: &Tables,
    region: &str,
    sources: &Sources,
) -> Result<Vec<FargateRow>> {
    let table = tables.open("fargate.csv", FARGATE_HEADER)?;
    let mut home_storage = None;
    for row in table.rows_of(HOME_REGION) {
        let [_, _, _, _, _, _, storage, source] = row.fields::<8>()?;
        if !storage.is_empty() && home_storage.is_none() {
            let rate = row.usd("usd_per_ephemeral_gb_hour", storage)?;
            home_storage = Some(stand_in(sources.of(row, source)?.quote(rate), region));
        }
    }
    let mut rates: Vec<FargateRow> = Vec::new();
    for row in table.rows_of(region) {
        let [_, os, arch, purchase, vcpu, gb, storage, source] = row.fields::<8>()?;
        let source = sources.of(row, source)?;
        let os = FargateOs::from_word(os)
            .ok_or_else(|| row.error(format!("os `{os}` must be linux or windows")))?;
        let arch = Arch::from_word(arch)
            .ok_or_else(|| row.error(format!("arch `{arch}` must be amd64 or arm64")))?;
        let spot = match purchase {
            ON_DEMAND => false,
            SPOT => true,
            _ => {
                let message = format!("purchase `{purchase}` must be {ON_DEMAND} or {SPOT}");
                return Err(row.error(message));
            }
        };
        if find_rates(&rates, os, arch, spot).is_some() {
            return Err(row.error(format!("{os} {arch} {purchase} in {region} is listed twice")));
        }
        let ephemeral_gb_hour = if storage.is_empty() {
            home_storage.clone().ok_or_else(|| {
                row.error(format!("no storage price here nor in {HOME_REGION} to stand in"))
            })?
        } else {
            source.quote(row.usd("usd_per_ephemeral_gb_hour", storage)?)
        };
        rates.push(FargateRow {
            os,
            arch,
            spot,
            rates: FargateRates {
                vcpu_hour: source.quote(row.usd("usd_per_vcpu_hour", vcpu)?),
                gb_hour: source.quote(row.usd("usd_per_gb_hour", gb)?),
                ephemeral_gb_hour,
            },
        });
    }
    Ok(rates)
}
