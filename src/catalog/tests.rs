//! Tests over the committed tables, with numbers computed by hand.

mod committed;
mod damage;
mod fees;
mod instances;
mod plans;

use std::path::Path;

use jiff::civil::date;

use super::*;
use crate::testing::shared_dir;
use crate::units::{Bytes, MilliCpu};

fn embedded() -> Catalog {
    Catalog::load(None).expect("the committed tables are well formed")
}

fn region(name: &str) -> Region {
    embedded().region(name).expect("a priced Region")
}

const fn mib(n: i64) -> Bytes {
    Bytes(n << 20)
}

#[test]
fn every_region_reads() {
    let catalog = embedded();
    assert_eq!(catalog.instance_types().len(), 1_377);
    assert_eq!(catalog.region_names().count(), 94);
    for name in catalog.region_names() {
        let region = catalog.region(name).expect(name);
        assert!(region.names().count() > 0, "{name}");
    }
}

#[test]
fn on_demand_and_spot_by_hand() {
    let region = region("us-east-1");
    let quote = region.on_demand("m5.large").expect("priced");
    assert_eq!(quote.rate.to_string(), "0.096");
    assert_eq!((quote.status, &*quote.as_of), (PriceStatus::Real, "2026-07-20"));
    // Saving 66 %, band 15–20 %: 0.096 × 0.34.
    let spot = region.spot("m5.large").expect("offered");
    assert_eq!(spot.quote.rate.to_string(), "0.03264");
    assert_eq!((spot.saving_pct, spot.band), (66, 3));
    assert_eq!(spot.quote.status, PriceStatus::Derived);
    assert_eq!(&*spot.quote.as_of, "2025-06-28..2026-07-20");
    assert_eq!(spot.hazard_per_hour.to_bits(), SPOT_HAZARD_PER_HOUR[3].to_bits());
}

#[test]
fn hazard_reclaims_the_share_of_its_band_in_a_month() {
    for (hazard, share) in SPOT_HAZARD_PER_HOUR.iter().zip([0.025, 0.075, 0.125, 0.175, 0.25]) {
        let reclaimed = 1.0 - (-hazard * 730.0_f64).exp();
        assert!((reclaimed - share).abs() < 1e-12, "{share}");
    }
}

#[test]
fn spot_is_capped_at_on_demand() {
    // The advisor lists p5.48xlarge at −62 % in ca-central-1.
    let region = region("ca-central-1");
    let spot = region.spot("p5.48xlarge").expect("offered");
    assert_eq!(spot.saving_pct, -62);
    assert_eq!(spot.quote.rate, region.on_demand("p5.48xlarge").expect("priced").rate);
}

#[test]
fn estimates_are_marked_and_rest_on_evidence() {
    let region = region("eu-west-1");
    // m8g.large: us-east-1 0.08976 × 1.1152.
    let quote = region.on_demand("m8g.large").expect("estimated");
    assert_eq!(quote.rate.to_string(), "0.100100352");
    assert_eq!(quote.status, PriceStatus::Representative);
    assert!(quote.source.starts_with("estimate: us-east-1 On-Demand × 1.1152"));
    assert_eq!(&*quote.as_of, "2024-04-04..2026-07-20");
    let spot = region.spot("m8g.large").expect("offered");
    assert_eq!(spot.quote.status, PriceStatus::Representative);
    // A published price is never replaced by an estimate.
    let quote = region.on_demand("m5.large").expect("priced");
    assert_eq!((quote.rate.to_string().as_str(), quote.status), ("0.107", PriceStatus::Real));
    // Priced in us-east-1 and in no table of this Region.
    assert!(region.on_demand("m8i.large").is_none());
    assert!(region.instance_type("m8i.large").is_some());
}

#[test]
fn old_accelerator_prices_are_no_quotes() {
    let quote = region("us-east-2").on_demand("p4d.24xlarge").cloned().expect("priced");
    assert_eq!(quote.status, PriceStatus::Representative);
    assert!(quote.source.contains("likely too high"));
    let quote = region("us-east-1").on_demand("p4d.24xlarge").cloned().expect("priced");
    assert_eq!(quote.status, PriceStatus::Real);
}

#[test]
fn fargate_by_hand() {
    let region = region("us-east-1");
    let rates = region.fargate(Arch::Amd64).expect("offered");
    assert_eq!(rates.vcpu_hour.rate.to_string(), "0.04048");
    assert_eq!(rates.gb_hour.rate.to_string(), "0.004445");
    assert_eq!(rates.ephemeral_gb_hour.rate.to_string(), "0.000111");
    // A month of 730 hours.
    assert_eq!(rates.vcpu_hour.rate.charge(730, 1).human(2), "29.55");
    assert_eq!(rates.gb_hour.rate.charge(730, 1).human(2), "3.24");
    let arm = region.fargate(Arch::Arm64).expect("offered");
    assert_eq!(arm.vcpu_hour.rate.to_string(), "0.03238");
}

#[test]
fn fargate_on_windows_by_hand() {
    let home = region("us-east-1");
    let rates = home.fargate_windows().expect("offered");
    assert_eq!(rates.vcpu_hour.rate.to_string(), "0.09148");
    assert_eq!(rates.gb_hour.rate.to_string(), "0.01005");
    // Nobody says what it covers, so it is no quote.
    assert_eq!(rates.vcpu_hour.status, PriceStatus::Representative);
    let licence = home.charge(ChargeItem::FargateWindowsLicence).expect("published");
    assert_eq!((licence.rate.to_string().as_str(), licence.status), ("0.046", PriceStatus::Real));
    assert!(region("sa-east-1").fargate_windows().is_none());
    let sizes: Vec<FargateSize> = fargate_sizes(FargateOs::Windows).collect();
    assert_eq!(sizes.len(), 7 + 13 + 23);
    assert_eq!(sizes[0], FargateSize { cpu_units: 1_024, memory_mib: 2_048 });
    assert_eq!(sizes[42], FargateSize { cpu_units: 4_096, memory_mib: 30_720 });
    assert_eq!(fargate_sizes(FargateOs::Linux).count(), 74);
}

#[test]
fn fargate_spot_by_hand() {
    let brazil = region("sa-east-1");
    let spot = brazil.fargate_spot(Arch::Amd64).expect("quoted");
    assert_eq!(spot.vcpu_hour.rate.to_string(), "0.02337032");
    assert_eq!(spot.vcpu_hour.status, PriceStatus::Real);
    // 66.4 % below On-Demand.
    let on_demand = brazil.fargate(Arch::Amd64).expect("quoted");
    assert_eq!(on_demand.vcpu_hour.rate.scale(336, 1_000).to_string(), "0.0233856");
    let home = region("us-east-1");
    let arm = home.fargate_spot(Arch::Arm64).expect("a planning default");
    assert_eq!(arm.gb_hour.rate.to_string(), "0.001068");
    assert_eq!(arm.gb_hour.status, PriceStatus::Representative);
    assert!(region("eu-west-1").fargate_spot(Arch::Amd64).is_none());
}

#[test]
fn believed_prices_surface() {
    let ireland = region("eu-west-1");
    let rates = ireland.fargate(Arch::Amd64).expect("believed");
    assert_eq!(rates.vcpu_hour.status, PriceStatus::Believed);
    assert!(rates.vcpu_hour.source.contains("conflict"));
    assert!(ireland.fargate(Arch::Arm64).is_none());
    // Its storage rate is that of us-east-1.
    assert_eq!(rates.ephemeral_gb_hour.status, PriceStatus::Representative);
    assert!(rates.ephemeral_gb_hour.source.starts_with("us-east-1 price used for eu-west-1"));
    let plan = ireland
        .compute_plan_rate(Term::OneYear, Payment::NoUpfront, PlanItem::FargateVcpu(Arch::Amd64))
        .expect("a rate");
    assert_eq!(plan.quote.status, PriceStatus::Believed);
    assert!(region("af-south-1").fargate(Arch::Amd64).is_none());
}

#[test]
fn an_unknown_region_names_the_nearest() {
    let catalog = embedded();
    let error = |name: &str| catalog.region(name).expect_err("not offered").to_string();
    assert_eq!(error("us-est-1"), "unknown Region `us-est-1`; did you mean `us-east-1`?");
    assert_eq!(error("eu-wets-1"), "unknown Region `eu-wets-1`; did you mean `eu-west-1`?");
    assert_eq!(error(""), "unknown Region ``");
    assert!(error(&"x".repeat(1 << 20)).starts_with("unknown Region"));
    assert!(error("cn-north-1").contains("CNY"));
    assert!(error("mx-central-1").contains("no On-Demand prices"));
    assert!(catalog.region("us-east-1-atl-1").is_ok(), "a Local Zone has its own code");
}

#[test]
fn the_table_lists_priced_types() {
    let region = region("us-east-1");
    let all = region.table(&PriceFilter::default());
    assert_eq!(all.len(), region.names().count());
    assert!(all.is_sorted_by(|a, b| a.instance_type < b.instance_type));
    let some = region.table(&PriceFilter {
        patterns: vec!["m5".to_owned(), "c7g.*large".to_owned()],
        arch: None,
    });
    let names: Vec<&str> = some.iter().map(|row| &*row.instance_type).collect();
    assert!(names.contains(&"m5.metal") && names.contains(&"c7g.16xlarge"));
    assert!(!names.contains(&"m5a.large") && !names.contains(&"c7g.metal"));
    let row = some.iter().find(|row| &*row.instance_type == "m5.large").expect("listed");
    assert_eq!((row.max_pods, row.spot_saving_pct, row.spot_band), (29, Some(66), Some(3)));
    let arm = PriceFilter { arch: Some(Arch::Arm64), ..PriceFilter::default() };
    assert!(region.table(&arm).iter().all(|row| row.arch == Arch::Arm64));
    let json = serde_json::to_value(row).expect("serialises");
    assert_eq!(json["on_demand"], "0.096");
    assert_eq!(json["status"], "real");
    assert_eq!(json["arch"], "amd64");
}

#[test]
fn dates_cover_what_is_used() {
    let catalog = embedded();
    let all = catalog.dates().expect("well formed");
    let of = |dates: &[TableDates], table: &str| {
        dates.iter().find(|d| d.table == table).map(|d| d.dates.clone())
    };
    assert_eq!(of(&all, "ec2-on-demand").as_deref(), Some("2024-04-04..2026-07-20"));
    assert_eq!(of(&all, "ec2-spot").as_deref(), Some("2025-06-28"));
    let home = catalog.region("us-east-1").expect("priced").dates();
    assert_eq!(of(&home, "ec2-on-demand").as_deref(), Some("2026-07-20"));
    assert_eq!(of(&home, "fargate").as_deref(), Some("2024-07..2026-03"));
}
