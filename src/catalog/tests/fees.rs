//! Fees around the compute.

use super::*;

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
