//! Tests over the committed tables, with numbers computed by hand.

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
fn m5_large_by_hand() {
    let region = region("us-east-1");
    let kind = region.instance_type("m5.large").expect("known");
    assert_eq!((kind.family(), kind.size(), kind.generation), ("m5", "large", 5));
    assert_eq!((kind.vcpu, kind.memory, kind.arch), (2, mib(8_192), Arch::Amd64));
    assert_eq!((kind.enis, kind.ipv4_per_eni, kind.max_pods_eni), (Some(3), Some(10), 29));
    assert_eq!(kind.os_memory, mib(7_811));
    assert_eq!(kind.os_memory_origin, MemoryOrigin::Measured(Text::from("2025-12-10")));
    // 60m + 10m; 255 + 11·29 = 574 MiB.
    assert_eq!(kind.kube_reserved(29), (MilliCpu(70), mib(574)));
    // 7811 − 574 − 100.
    assert_eq!(kind.allocatable(29), (MilliCpu(1_930), mib(7_137)));
    // 8192 − ⌈614.4⌉ = 7577; − 674.
    assert_eq!(kind.karpenter_allocatable(29), (MilliCpu(1_930), mib(6_903)));
}

#[test]
fn reserved_cpu_follows_the_tiers() {
    let catalog = embedded();
    for (name, reserved) in [
        ("m7g.medium", 60),
        ("m5.large", 70),
        ("m5.xlarge", 80),
        ("m5.2xlarge", 90),
        ("m5.4xlarge", 110),
        ("m5.8xlarge", 150),
        ("m5.16xlarge", 230),
        ("m5.24xlarge", 310),
    ] {
        let kind = catalog.instance_type(name).expect(name);
        assert_eq!(kind.kube_reserved(10).0, MilliCpu(reserved), "{name}");
    }
    let nano = catalog.instance_type("t3.nano").expect("known");
    assert!(nano.allocatable(1_000).1 == Bytes(0), "never below zero");
}

#[test]
fn unmeasured_memory_follows_the_usual_ratio() {
    let catalog = embedded();
    let kind = |name: &str| catalog.instance_type(name).expect("known");
    let unmeasured: Vec<&InstanceType> = catalog
        .instance_types()
        .iter()
        .filter(|kind| kind.os_memory_origin == MemoryOrigin::Ratio)
        .collect();
    assert_eq!(unmeasured.len(), 284);
    for kind in &unmeasured {
        let per_mille = kind.os_memory.0 * 1_000 / kind.memory.0;
        assert!((895..=967).contains(&per_mille), "{}", kind.name);
    }
    // 786,432 × 0.967 = 760,479.7.
    let p4d = unmeasured.iter().find(|kind| kind.memory == mib(786_432)).expect("one");
    assert_eq!(p4d.os_memory, mib(760_479));
    assert_eq!(kind("m5.large").os_memory_origin.to_string(), "measured 2025-12-10");
}

#[test]
fn karpenter_pairs_are_reproduced() {
    let Some(shared) = shared_dir() else { return };
    let catalog = embedded();
    let path = shared.join("facts/ec2-instance-types.csv");
    let mut reader = csv::Reader::from_path(path).expect("facts");
    let header = reader.headers().expect("header").clone();
    let column = |name: &str| header.iter().position(|h| h == name).expect("column");
    let (name, cpu, memory, pods) = (
        column("instance_type"),
        column("eks_allocatable_cpu_milli"),
        column("eks_allocatable_memory_mib"),
        column("eks_pods"),
    );
    let mut pairs = 0;
    for record in reader.records() {
        let record = record.expect("record");
        if record[cpu].is_empty() {
            continue;
        }
        let kind = catalog.instance_type(&record[name]).expect("known");
        let (got_cpu, got_memory) = kind.karpenter_allocatable(record[pods].parse().expect("pods"));
        assert_eq!(got_cpu.0, record[cpu].parse::<i64>().expect("cpu"), "{}", kind.name);
        let published: i64 = record[memory].parse().expect("memory");
        assert!(((got_memory.0 >> 20) - published).abs() <= 1, "{}", kind.name);
        pairs += 1;
    }
    assert_eq!(pairs, 1_363);
}

#[test]
fn max_pods_follow_the_interfaces() {
    for kind in embedded().instance_types() {
        if let (Some(enis), Some(ipv4)) = (kind.enis, kind.ipv4_per_eni) {
            assert_eq!(kind.max_pods_eni, enis * (ipv4 - 1) + 2, "{}", kind.name);
        }
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

/// c5.large has three interfaces: two tasks, ten with a trunk (ECS developer
/// guide, container-instance-eni.md).
#[test]
fn awsvpc_tasks_by_hand() {
    let region = region("us-east-1");
    let tasks = |name: &str, trunking| {
        region.instance_type(name).expect("listed").ecs_awsvpc_tasks(trunking)
    };
    assert_eq!((tasks("c5.large", false), tasks("c5.large", true)), (Some(2), Some(10)));
    assert_eq!((tasks("m7i.large", false), tasks("t3.large", true)), (Some(2), None));
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
fn plan_rates_take_the_most_specific_row() {
    let (home, ireland, tokyo) =
        (region("us-east-1"), region("eu-west-1"), region("ap-northeast-1"));
    let rate = |region: &Region, term, payment, name: &str| {
        region.compute_plan_rate(term, payment, PlanItem::Ec2(name))
    };
    // The group: 27 % off 0.096.
    let plan = rate(&home, Term::OneYear, Payment::NoUpfront, "m5.large").expect("group");
    assert_eq!(plan.quote.rate.to_string(), "0.07008");
    assert_eq!(plan.discount_ppm, 270_000);
    assert_eq!(plan.on_demand.to_string(), "0.096");
    assert_eq!(plan.quote.status, PriceStatus::Representative);
    // The type itself, by its Reserved Instance: 27.88 % off 0.0416.
    let plan = rate(&home, Term::OneYear, Payment::NoUpfront, "t3.medium").expect("type");
    assert_eq!(plan.quote.rate.to_string(), "0.03000192");
    assert_eq!(plan.quote.status, PriceStatus::Representative);
    assert!(plan.quote.source.contains("t3.medium convertible Reserved Instance"));
    // Its family, also from another Region.
    let plan = rate(&home, Term::OneYear, Payment::NoUpfront, "t3.xlarge").expect("family");
    assert_eq!(plan.discount_ppm, 278_800);
    let plan = rate(&ireland, Term::OneYear, Payment::NoUpfront, "t3.large").expect("family");
    assert_eq!(plan.discount_ppm, 278_800);
    // This Region's row goes before that of us-east-1.
    let plan = rate(&ireland, Term::OneYear, Payment::NoUpfront, "c4.large").expect("type");
    assert_eq!(plan.discount_ppm, 212_400);
    // A plan's own row for the type.
    let plan = rate(&tokyo, Term::OneYear, Payment::AllUpfront, "r8g.2xlarge").expect("own");
    assert_eq!(plan.discount_ppm, 300_000);
    // Outside every group.
    assert_eq!(rate(&home, Term::OneYear, Payment::NoUpfront, "g5.xlarge"), None);
    assert_eq!(rate(&home, Term::OneYear, Payment::NoUpfront, "t4g.medium"), None);
    assert_eq!(rate(&home, Term::OneYear, Payment::NoUpfront, "nonsense"), None);
}

#[test]
fn fargate_plan_rates() {
    let home = region("us-east-1");
    let rate = |term, payment| {
        let item = PlanItem::FargateVcpu(Arch::Amd64);
        home.compute_plan_rate(term, payment, item).expect("a rate").quote
    };
    // 20 % off 0.04048.
    let quote = rate(Term::OneYear, Payment::NoUpfront);
    assert_eq!(
        (quote.rate.to_string().as_str(), quote.status),
        ("0.032384", PriceStatus::Representative)
    );
    // 25 % off, from a worked example.
    let quote = rate(Term::OneYear, Payment::AllUpfront);
    assert_eq!((quote.rate.to_string().as_str(), quote.status), ("0.03036", PriceStatus::Derived));
    let memory = home
        .compute_plan_rate(
            Term::ThreeYears,
            Payment::NoUpfront,
            PlanItem::FargateMemory(Arch::Arm64),
        )
        .expect("a rate");
    // 40 % off 0.00356.
    assert_eq!(memory.quote.rate.to_string(), "0.002136");
}

#[test]
fn charges_and_their_stand_ins() {
    let home = region("us-east-1");
    let ireland = region("eu-west-1");
    for (item, usd) in [
        (ChargeItem::EksControlPlane, "0.1"),
        (ChargeItem::EksControlPlaneExtended, "0.6"),
        (ChargeItem::EcsControlPlane, "0"),
        (ChargeItem::Gp3Storage, "0.08"),
        (ChargeItem::PublicIpv4, "0.005"),
    ] {
        let quote = home.charge(item).expect("charged");
        assert_eq!((quote.rate.to_string().as_str(), quote.status), (usd, PriceStatus::Real));
        assert!(ireland.charge(item).is_some(), "{item}");
    }
    let gp3 = ireland.charge(ChargeItem::Gp3Storage).expect("stands in");
    assert_eq!(gp3.status, PriceStatus::Representative);
    assert!(gp3.source.starts_with("us-east-1 price used for eu-west-1; "));
    let ipv4 = ireland.charge(ChargeItem::PublicIpv4).expect("any Region");
    assert_eq!(ipv4.status, PriceStatus::Real);
    for &item in ChargeItem::ALL {
        assert!(home.charge(item).is_some(), "{item}");
    }
}

#[test]
fn charges_keep_the_status_of_their_facts() {
    let home = region("us-east-1");
    for (item, usd, status) in [
        (ChargeItem::EksAutoMode, "0.12", PriceStatus::Representative),
        (ChargeItem::EcsAnywhere, "0.01025", PriceStatus::Believed),
        (ChargeItem::ContainerInsightsObservations, "0.21", PriceStatus::Believed),
        (ChargeItem::SurplusCredits, "0.05", PriceStatus::Believed),
        (ChargeItem::SurplusCreditsArm, "0.04", PriceStatus::Believed),
        (ChargeItem::NatGateway, "0.045", PriceStatus::Real),
        (ChargeItem::AlbLcu, "0.008", PriceStatus::Real),
        (ChargeItem::EgressFree, "100", PriceStatus::Real),
    ] {
        let quote = home.charge(item).expect("charged");
        assert_eq!((quote.rate.to_string().as_str(), quote.status), (usd, status), "{item}");
    }
}

#[test]
fn a_region_without_its_last_egress_tier_has_that_of_its_like() {
    let home = region("us-east-1");
    let last = home.charge(ChargeItem::Egress4).expect("charged");
    assert_eq!((last.rate.to_string().as_str(), last.status), ("0.05", PriceStatus::Derived));
    assert!(last.source.ends_with("whose other tiers are the same"), "{}", last.source);
    let cape_town = region("af-south-1");
    let last = cape_town.charge(ChargeItem::Egress4).expect("charged");
    assert_eq!((last.rate.to_string().as_str(), last.status), ("0.112", PriceStatus::Real));
}

#[test]
fn extended_support_starts_the_day_after_standard_ends() {
    let home = region("us-east-1");
    let fees = home.control_plane("1.31").expect("known");
    assert_eq!(fees.standard.rate.to_string(), "0.1");
    assert_eq!(fees.extended.rate.to_string(), "0.6");
    assert_eq!(fees.extended_from, date(2025, 11, 27));
    let newest = home.control_plane("1.35").expect("known");
    assert_eq!(newest.extended_from, date(2027, 3, 28));
    let error = home.control_plane("1.99").expect_err("unknown").to_string();
    assert!(error.contains("1.31, 1.32, 1.33, 1.34, 1.35"), "{error}");
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

#[test]
fn a_rebuild_gives_the_committed_bytes() {
    let Some(shared) = shared_dir() else { return };
    let out = tempfile::tempdir().expect("a directory");
    let written = build::build(&shared.join("facts"), out.path()).expect("facts build");
    assert_eq!(written.len(), EMBEDDED.len());
    for (name, committed) in EMBEDDED {
        let built = std::fs::read_to_string(out.path().join(name)).expect(name);
        assert!(built == committed, "{name} differs: rebuild pricing/ and commit it");
        let sum = hex(&Sha256::digest(built.as_bytes()));
        assert!(written.iter().any(|(n, s)| n == name && *s == sum), "{name}");
    }
    let total: usize = EMBEDDED.iter().map(|(_, text)| text.len()).sum();
    assert!(total <= 2 << 20, "{total} bytes");
    // A directory with the same bytes is the same catalog.
    let other = Catalog::load(Some(out.path())).expect("well formed");
    assert_eq!(other.hash(), embedded().hash());
    assert_eq!(other.hash().len(), 64);
}

/// A copy of the embedded tables in which one file is changed.
fn with_file(name: &str, change: impl Fn(&str) -> Vec<u8>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (file, text) in EMBEDDED {
        let bytes = if file == name { change(text) } else { text.as_bytes().to_vec() };
        std::fs::write(dir.path().join(file), bytes).expect("written");
    }
    dir
}

fn load_all(dir: &Path) -> Result<()> {
    let catalog = Catalog::load(Some(dir))?;
    for name in ["us-east-1", "eu-west-1"] {
        catalog.region(name)?;
    }
    catalog.dates().map(|_| ())
}

#[test]
fn damaged_tables_are_errors_with_file_and_line() {
    for (file, text) in EMBEDDED {
        let lines = text.lines().count();
        let truncated = with_file(file, |t| t.as_bytes()[..t.len() - 3].to_vec());
        let error = load_all(truncated.path()).expect_err(file);
        assert!(error.is_input());
        let place = format!("{file}:{lines}: ");
        assert!(error.to_string().contains(&place), "{error}");

        let binary = with_file(file, |t| [t.as_bytes(), b"\xff\x00\n"].concat());
        let error = load_all(binary.path()).expect_err(file).to_string();
        assert!(error.contains(&format!("{file}:{}: not UTF-8 text", lines + 1)), "{error}");

        let junk = with_file(file, |t| [t.as_bytes(), b"junk\n"].concat());
        let error = load_all(junk.path()).expect_err(file).to_string();
        assert!(error.contains(&format!("{file}:{}: expected ", lines + 1)), "{error}");

        let empty = with_file(file, |_| Vec::new());
        let error = load_all(empty.path()).expect_err(file).to_string();
        assert!(error.contains(&format!("{file}:1: expected the header")), "{error}");

        let absent = with_file(file, |t| t.as_bytes().to_vec());
        std::fs::remove_file(absent.path().join(file)).expect("removed");
        let error = load_all(absent.path()).expect_err(file).to_string();
        assert!(error.contains(file), "{error}");
    }
}

#[test]
fn wrong_values_are_errors_with_file_and_line() {
    for (file, from, to, complaint) in [
        (
            "ec2-on-demand.csv",
            "us-east-1,m5.large,0.096,",
            "us-east-1,m5.large,-1,",
            "between 0 and",
        ),
        (
            "ec2-on-demand.csv",
            "us-east-1,m5.large,0.096,",
            "us-east-1,m5.large,NaN,",
            "usd_per_hour `NaN`",
        ),
        (
            "ec2-on-demand.csv",
            "us-east-1,m5.large,0.096,",
            "us-east-1,m5.lrge,1,",
            "`m5.lrge` is not listed",
        ),
        ("ec2-on-demand.csv", "us-east-1,m5.large,", "us-east-1,m5.xlarge,", "listed twice"),
        ("ec2-on-demand.csv", "0.096,karpenter", "0.096,nobody", "source `nobody`"),
        ("ec2-spot.csv", "us-east-1,m5.large,66,3", "us-east-1,m5.large,166,3", "saving_pct `166`"),
        ("ec2-spot.csv", "us-east-1,m5.large,66,3", "us-east-1,m5.large,66,5", "band `5`"),
        ("fargate.csv", "linux,arm64,spot,0.009714", "linux,amd64,spot,0.009714", "listed twice"),
        (
            "fargate.csv",
            "linux,arm64,spot,0.009714",
            "linux,arm64,sport,0.009714",
            "purchase `sport`",
        ),
        ("charges.csv", "gp3-storage,GB-month", "gp3-storage,GB-hour", "charged per GB-month"),
        (
            "savings-plans.csv",
            "us-east-1,fargate,compute-sp,1y",
            "us-east-1,fargate,compute-sp,2y",
            "term `2y`",
        ),
        ("regions.csv", "us-east-1,usd,1,", "us-east-1,usd,101,", "between 0 and 100"),
        ("instance-types.csv", "m5.large,5,2,", "m5.large,5,0,", "must have cpu"),
        ("instance-types.csv", "m5.large,5,2,8192", "m5.large,5,2,99999999999", "memory_mib"),
        ("instance-types.csv", "\nm5.large,", "\nm5large,", "family.size"),
        ("sources.csv", "karpenter,real", "karpenter,certain", "status `certain`"),
    ] {
        let dir = with_file(file, |text| {
            assert!(text.contains(from), "{file}: {from}");
            text.replacen(from, to, 1).into_bytes()
        });
        let error = load_all(dir.path()).expect_err(to).to_string();
        let place = error.split_once(file).map(|(_, rest)| rest).expect("names the file");
        let line = place.trim_start_matches(':').split(':').next().expect("names the line");
        assert!(line.parse::<usize>().is_ok(), "{error}");
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn a_build_without_facts_writes_nothing() {
    let empty = tempfile::tempdir().expect("a directory");
    let out = empty.path().join("out");
    let error = build::build(empty.path(), &out).expect_err("no facts").to_string();
    assert!(error.contains("ec2-instance-types.csv"), "{error}");
    assert!(!out.exists());
}

#[test]
fn the_readme_counts_the_rows() {
    let readme = include_str!("../../pricing/README.md");
    for (file, text) in EMBEDDED {
        let start = format!("| `{file}` | ");
        let line = readme.lines().find_map(|line| line.strip_prefix(&start)).expect(file);
        let count: String = line.chars().take_while(|c| *c != ' ').filter(|c| *c != ',').collect();
        assert_eq!(count.parse().ok(), Some(text.lines().count() - 1), "{file}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn no_damage_panics(
        file in 0..EMBEDDED.len(),
        at in 0.0..1.0_f64,
        cut in 0..40_usize,
        junk in "[-+0-9a-zµ,\"\\n\\r. ]{0,12}",
    ) {
        let mut tables = Tables::embedded();
        let text = tables.0[file].text.to_string();
        // The first rows of every table belong to Regions that are read here.
        let mut from = (at * text.len().min(4_000) as f64) as usize;
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        let mut to = (from + cut).min(text.len());
        while !text.is_char_boundary(to) {
            to -= 1;
        }
        tables.0[file].text = Cow::Owned(format!("{}{junk}{}", &text[..from], &text[to..]));
        let read = Catalog::from_tables(tables).and_then(|catalog| {
            catalog.region("af-south-1")?;
            catalog.region("us-east-1")?;
            catalog.dates()
        });
        if let Err(error) = read {
            proptest::prop_assert!(error.is_input(), "{}", error);
        }
    }
}

#[test]
fn each_kind_of_commitment_has_its_rates() {
    let home = region("us-east-1");
    let rate = |kind, name| {
        let found = home.plan_rate(kind, Term::OneYear, Payment::NoUpfront, PlanItem::Ec2(name))?;
        Some((found.discount_ppm, found.quote.status))
    };
    let representative = PriceStatus::Representative;
    // A published Reserved Instance keeps its status for its own type only.
    assert_eq!(rate(PlanKind::StandardRi, "t3.medium"), Some((372_700, PriceStatus::Real)));
    assert_eq!(rate(PlanKind::StandardRi, "t3.large"), Some((372_700, representative)));
    assert_eq!(rate(PlanKind::ConvertibleRi, "t3.medium"), Some((278_800, PriceStatus::Real)));
    // Each of a pair stands in for the other.
    assert_eq!(rate(PlanKind::Ec2InstanceSp, "t3.medium"), Some((372_700, representative)));
    assert_eq!(rate(PlanKind::ComputeSp, "t3.medium"), Some((278_800, representative)));
    assert_eq!(rate(PlanKind::Ec2InstanceSp, "m5.large"), Some((370_000, representative)));
    assert_eq!(rate(PlanKind::StandardRi, "m5.large"), Some((370_000, representative)));
    assert_eq!(rate(PlanKind::ConvertibleRi, "m5.large"), Some((270_000, representative)));
    let fargate = PlanItem::FargateVcpu(Arch::Amd64);
    let none = home.plan_rate(PlanKind::Ec2InstanceSp, Term::OneYear, Payment::NoUpfront, fargate);
    assert_eq!(none, None);
}
