//! One Region's price list: the rows of every table that apply there.
//!
//! A Local Zone or Wavelength Zone is a Region of its own here, under its
//! own code (`us-east-1-atl-1`).
//!
//! Estimates: a type without a published price in a Region, but seen there
//! in the Spot advisor, gets the us-east-1 price times the Region's median
//! price ratio. An estimate is never stored, its status is
//! `representative`, and its source says so. A type that no table places
//! in the Region has no price.

mod read;

use std::sync::Arc;

use serde::Serialize;

use super::charges::{ChargeItem, Charges, ControlPlane};
use super::fargate::{FargateOs, FargateRates};
use super::instance::{Arch, InstanceType};
use super::quote::{PriceStatus, Quote, Text, cover};
use super::savings::{Payment, PlanItem, PlanKind, PlanRate, Plans, Term};
use super::shock::{PriceShock, multiplied};
use super::table::{ONE, Source, Sources};
use super::{HOME_REGION, Tables};
use crate::Result;
use crate::units::Rate;
use read::{read_fargate, read_on_demand, read_spot};

/// Reclaims per instance-hour for the Spot advisor's five bands (<5 %, 5–10,
/// 10–15, 15–20, >20 % of instances reclaimed in a month), each read as its
/// middle p (the open one as 25 %): −ln(1 − p) / 730 h.
pub const SPOT_HAZARD_PER_HOUR: [f64; 5] = [
    3.468_192_874_560_257e-5,
    1.067_966_321_502_902_2e-4,
    1.829_197_159_240_036e-4,
    2.635_231_406_129_535e-4,
    3.940_850_307_558_642_4e-4,
];

/// The highest saving of Spot, percent: whole ones are stated, and Spot is never
/// free.
pub(super) const MOST_SPOT_SAVING: i32 = 99;

/// What the Spot market offers for a type in a Region.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpotQuote {
    /// On-Demand less the advisor's saving, never above On-Demand.
    pub quote: Quote,
    /// Percent below On-Demand, 30-day average; negative where Spot was
    /// dearer.
    pub saving_pct: i32,
    /// Interruption band of the advisor, 0 (rare) to 4.
    pub band: u8,
    /// Reclaims per instance-hour, from the band.
    pub hazard_per_hour: f64,
}

/// The dates that one table's prices in a Region cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableDates {
    /// `ec2-on-demand`, `ec2-spot`, `fargate`, `charges`.
    pub table: &'static str,
    /// A date or a range `first..last`.
    pub dates: String,
}

#[derive(Debug, Clone)]
struct SpotRow {
    saving_pct: i32,
    band: u8,
    source: Source,
}

/// Rates of an operating system and architecture, of Fargate Spot or not.
#[derive(Debug, Clone)]
struct FargateRow {
    os: FargateOs,
    arch: Arch,
    spot: bool,
    rates: FargateRates,
}

/// Everything that can be bought in one Region. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Region {
    listed: Arc<Inner>,
    shocked: Option<Arc<Shocked>>,
}

/// Rates of a Region on which a scenario puts factors.
#[derive(Debug)]
struct Shocked {
    shock: PriceShock,
    /// By index into [`Inner::types`].
    on_demand: Vec<Option<Quote>>,
    fargate: Vec<FargateRow>,
}

#[derive(Debug)]
struct Inner {
    name: Text,
    types: Arc<[InstanceType]>,
    /// By index into `types`.
    on_demand: Vec<Option<Quote>>,
    spot: Vec<Option<SpotRow>>,
    fargate: Vec<FargateRow>,
    plans: Plans,
    charges: Charges,
}

/// The header of `ec2-on-demand.csv`.
pub(super) const ON_DEMAND_HEADER: &str = "region,instance_type,usd_per_hour,source";
/// The header of `ec2-spot.csv`.
pub(super) const SPOT_HEADER: &str = "region,instance_type,saving_pct,band,source";
/// The header of `fargate.csv`.
pub(super) const FARGATE_HEADER: &str =
    "region,os,arch,purchase,usd_per_vcpu_hour,usd_per_gb_hour,usd_per_ephemeral_gb_hour,source";
/// Purchase options of `fargate.csv`.
pub(super) const ON_DEMAND: &str = "on-demand";
/// As [`ON_DEMAND`].
pub(super) const SPOT: &str = "spot";

/// How a Region's prices relate to those of us-east-1.
#[derive(Debug, Clone)]
pub(super) struct Ratio {
    /// Scaled by [`ONE`].
    pub(super) value: i128,
    pub(super) types_compared: u32,
    pub(super) source: Source,
}

fn find_rates(rows: &[FargateRow], os: FargateOs, arch: Arch, spot: bool) -> Option<&FargateRates> {
    let wanted = (os, arch, spot);
    rows.iter().find(|row| (row.os, row.arch, row.spot) == wanted).map(|row| &row.rates)
}

/// The index of a type in a list sorted by name.
fn find(types: &[InstanceType], name: &str) -> Option<usize> {
    types.binary_search_by(|kind| kind.name.as_str().cmp(name)).ok()
}

impl Region {
    pub(super) fn read(
        name: &str,
        ratio: Option<&Ratio>,
        types: &Arc<[InstanceType]>,
        sources: &Sources,
        tables: &Tables,
    ) -> Result<Self> {
        let on_demand_table = tables.open("ec2-on-demand.csv", ON_DEMAND_HEADER)?;
        let mut on_demand = read_on_demand(&on_demand_table, name, types, sources)?;
        let spot = read_spot(tables, name, types, sources)?;
        if let Some(ratio) = ratio
            && name != HOME_REGION
        {
            let home = read_on_demand(&on_demand_table, HOME_REGION, types, sources)?;
            let source = Text::from(format!(
                "estimate: {HOME_REGION} On-Demand × {} ({}, {} types compared)",
                Rate::from_pico(ratio.value),
                ratio.source.text,
                ratio.types_compared
            ));
            for ((slot, home), spot) in on_demand.iter_mut().zip(&home).zip(&spot) {
                if let (None, Some(home), Some(_)) = (&slot, home, spot) {
                    *slot = Some(Quote {
                        rate: home.rate.scale(ratio.value, ONE),
                        status: home.status.max(PriceStatus::Representative),
                        as_of: Text::from(cover(&home.as_of, &ratio.source.as_of)),
                        source: source.clone(),
                    });
                }
            }
        }
        let plans_table = tables.open("savings-plans.csv", super::savings::PLANS_HEADER)?;
        let charges_table = tables.open("charges.csv", super::charges::CHARGES_HEADER)?;
        let listed = Arc::new(Inner {
            name: Text::from(name),
            types: Arc::clone(types),
            on_demand,
            spot,
            fargate: read_fargate(tables, name, sources)?,
            plans: Plans::read(&plans_table, sources, name)?,
            charges: Charges::read(&charges_table, sources, name)?,
        });
        Ok(Region { listed, shocked: None })
    }

    /// The same Region with factors on its rates, instead of any it has: see
    /// the module `shock`.
    #[must_use]
    pub fn shocked(&self, shock: PriceShock) -> Self {
        let inner = &self.listed;
        let on_demand = inner
            .types
            .iter()
            .zip(&inner.on_demand)
            .map(|(kind, quote)| Some(shock.on_type(&kind.name, shock.on_demand, quote.as_ref()?)))
            .collect();
        let times = |quote: &Quote| multiplied(shock.fargate, quote);
        let fargate = inner.fargate.iter().map(|row| FargateRow {
            rates: FargateRates {
                vcpu_hour: times(&row.rates.vcpu_hour),
                gb_hour: times(&row.rates.gb_hour),
                ephemeral_gb_hour: times(&row.rates.ephemeral_gb_hour),
            },
            ..*row
        });
        let fargate = fargate.collect();
        Region {
            listed: Arc::clone(inner),
            shocked: Some(Arc::new(Shocked { shock, on_demand, fargate })),
        }
    }

    /// The Region's code.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.listed.name
    }

    /// An instance type by name, priced here or not.
    #[must_use]
    pub fn instance_type(&self, name: &str) -> Option<&InstanceType> {
        find(&self.listed.types, name).and_then(|i| self.listed.types.get(i))
    }

    /// The instance types with an On-Demand price here, by name.
    pub fn instance_types(&self) -> impl Iterator<Item = &InstanceType> {
        self.listed
            .types
            .iter()
            .zip(&self.listed.on_demand)
            .filter_map(|(kind, price)| price.as_ref().map(|_| kind))
    }

    /// The names of the types with an On-Demand price here, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.instance_types().map(|kind| &*kind.name)
    }

    /// USD per hour On-Demand: Linux, shared tenancy.
    #[must_use]
    pub fn on_demand(&self, name: &str) -> Option<&Quote> {
        let quotes = self.shocked.as_ref().map_or(&self.listed.on_demand, |s| &s.on_demand);
        find(&self.listed.types, name).and_then(|i| quotes.get(i)?.as_ref())
    }

    /// As [`Region::on_demand`] without the factors of a scenario.
    fn listed_on_demand(&self, name: &str) -> Option<&Quote> {
        find(&self.listed.types, name).and_then(|i| self.listed.on_demand.get(i)?.as_ref())
    }

    /// The Spot market's offer: On-Demand × (1 − saving), never above
    /// On-Demand, which is the default cap of a Spot request.
    #[must_use]
    pub fn spot(&self, name: &str) -> Option<SpotQuote> {
        let i = find(&self.listed.types, name)?;
        let on_demand = self.listed.on_demand.get(i)?.as_ref()?;
        let row = self.listed.spot.get(i)?.as_ref()?;
        let paid_pct = i128::from(100 - row.saving_pct.max(0));
        let listed = Quote {
            rate: on_demand.rate.scale(paid_pct, 100),
            status: on_demand.status.max(row.source.status).max(PriceStatus::Derived),
            as_of: Text::from(cover(&row.source.as_of, &on_demand.as_of)),
            source: row.source.text.clone(),
        };
        Some(SpotQuote {
            quote: self.on_spot(name, &listed),
            saving_pct: row.saving_pct,
            band: row.band,
            hazard_per_hour: *SPOT_HAZARD_PER_HOUR.get(usize::from(row.band))?,
        })
    }

    /// The most that Spot costs: the listed On-Demand rate, with the factors of
    /// a scenario on Spot.
    #[must_use]
    pub fn spot_ceiling(&self, name: &str) -> Option<Rate> {
        Some(self.on_spot(name, self.listed_on_demand(name)?).rate)
    }

    /// A Spot rate with the factors of a scenario.
    #[must_use]
    pub fn on_spot(&self, name: &str, listed: &Quote) -> Quote {
        match &self.shocked {
            Some(shocked) => shocked.shock.on_type(name, shocked.shock.spot, listed),
            None => listed.clone(),
        }
    }

    /// Fargate On-Demand rates, Linux.
    #[must_use]
    pub fn fargate(&self, arch: Arch) -> Option<&FargateRates> {
        self.fargate_row(FargateOs::Linux, arch, false)
    }

    /// Fargate On-Demand rates, Windows: as published, which may or may not
    /// contain [`ChargeItem::FargateWindowsLicence`]. ECS only, x86-64 only.
    #[must_use]
    pub fn fargate_windows(&self) -> Option<&FargateRates> {
        self.fargate_row(FargateOs::Windows, Arch::Amd64, false)
    }

    /// Fargate Spot rates, Linux; ECS only.
    #[must_use]
    pub fn fargate_spot(&self, arch: Arch) -> Option<&FargateRates> {
        self.fargate_row(FargateOs::Linux, arch, true)
    }

    fn fargate_row(&self, os: FargateOs, arch: Arch, spot: bool) -> Option<&FargateRates> {
        let rows = self.shocked.as_ref().map_or(&self.listed.fargate, |s| &s.fargate);
        find_rates(rows, os, arch, spot)
    }

    /// What a Compute Savings Plan charges for an item, or `None` where the
    /// item stays On-Demand. Which row applies: see the module `savings`.
    #[must_use]
    pub fn compute_plan_rate(
        &self,
        term: Term,
        payment: Payment,
        item: PlanItem<'_>,
    ) -> Option<PlanRate> {
        self.plan_rate(PlanKind::ComputeSp, term, payment, item)
    }

    /// What a commitment charges for an item it covers: a Savings Plan its
    /// rate; a Reserved Instance its price with the upfront payment spread over
    /// the term. `None` where no row of the tables tells. Which row applies:
    /// see the module `savings`.
    #[must_use]
    pub fn plan_rate(
        &self,
        kind: PlanKind,
        term: Term,
        payment: Payment,
        item: PlanItem<'_>,
    ) -> Option<PlanRate> {
        if kind != PlanKind::ComputeSp && !matches!(item, PlanItem::Ec2(_)) {
            return None;
        }
        let plans = &self.listed.plans;
        let fargate = |arch| find_rates(&self.listed.fargate, FargateOs::Linux, arch, false);
        let mut rate = match item {
            PlanItem::Ec2(name) => {
                plans.ec2(kind, term, payment, name, self.listed_on_demand(name)?)
            }
            PlanItem::FargateVcpu(arch) => plans.fargate(term, payment, &fargate(arch)?.vcpu_hour),
            PlanItem::FargateMemory(arch) => plans.fargate(term, payment, &fargate(arch)?.gb_hour),
        }?;
        if let Some(shocked) = &self.shocked {
            rate.quote = multiplied(shocked.shock.savings_plans, &rate.quote);
        }
        Some(rate)
    }

    /// A fee per [`ChargeItem::unit`]. A us-east-1 price that stands in for
    /// this Region is `representative` and its source says so.
    #[must_use]
    pub fn charge(&self, item: ChargeItem) -> Option<&Quote> {
        self.listed.charges.get(item)
    }

    /// What an EKS cluster of a Kubernetes version costs per hour: more from
    /// the day its standard support has ended.
    ///
    /// # Errors
    /// When the version's support dates are not known, naming those that are.
    pub fn control_plane(&self, version: &str) -> Result<ControlPlane> {
        self.listed.charges.control_plane(version)
    }

    /// The dates of the prices that apply here, by table.
    #[must_use]
    pub fn dates(&self) -> Vec<TableDates> {
        let inner = &self.listed;
        let range = |dates: &mut dyn Iterator<Item = &Text>| {
            let mut last: Option<&Text> = None;
            dates.fold(String::new(), |range, date| {
                // Neighbours mostly share their date; skip the arithmetic.
                if last.replace(date).is_some_and(|before| before == date) {
                    range
                } else {
                    cover(&range, date)
                }
            })
        };
        let fargate = inner.fargate.iter().flat_map(|FargateRow { rates, .. }| {
            [&rates.vcpu_hour.as_of, &rates.gb_hour.as_of, &rates.ephemeral_gb_hour.as_of]
        });
        [
            ("ec2-on-demand", range(&mut inner.on_demand.iter().flatten().map(|q| &q.as_of))),
            ("ec2-spot", range(&mut inner.spot.iter().flatten().map(|row| &row.source.as_of))),
            ("fargate", range(&mut { fargate })),
            ("charges", range(&mut inner.charges.quotes().map(|q| &q.as_of))),
        ]
        .into_iter()
        .filter(|(_, dates)| !dates.is_empty())
        .map(|(table, dates)| TableDates { table, dates })
        .collect()
    }
}
