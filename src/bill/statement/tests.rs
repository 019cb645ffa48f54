//! The readers: each format's quirks, and the real FOCUS sample.

use std::io::Cursor;

use super::*;
use crate::Result;
use crate::catalog::{Arch, ChargeItem};
use crate::testing::shared_dir;
use crate::text;
use crate::units::{Money, Rate};
use crate::workload::source::BadRow;
use crate::workload::table::Table;

fn statement(text: &str) -> Result<Statement> {
    let input = text::unpack(Cursor::new(text.as_bytes().to_vec())).expect("memory");
    Statement::of(Table::new(input, "u.csv")?)
}

/// What the first row is tagged with.
fn tagged(csv: &str, key: &str) -> Option<String> {
    let mut file = statement(csv).expect("a header");
    file.group_by(&GroupBy::Tag(key.to_owned())).expect("a column");
    assert!(file.advance().expect("memory"), "a row");
    file.group().expect("tags").map(String::from)
}

/// The first row.
fn first<T>(csv: &str, see: impl Fn(&Row<'_>) -> T) -> std::result::Result<T, BadRow> {
    let mut file = statement(csv).expect("a header");
    assert!(file.advance().expect("memory"), "a row");
    file.row().map(|row| see(&row))
}

fn amount(text: &str) -> Option<Money> {
    text.parse().ok()
}

const FOCUS: &str = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeClass,ProviderName,\
    ServiceName,ChargeDescription,RegionId,AvailabilityZone,PricingQuantity,PricingUnit,\
    ListUnitPrice,ListCost,BilledCost,BillingCurrency,SubAccountId,Tags\n";

#[test]
fn focus_rows_are_read() {
    let csv = format!(
        "{FOCUS}2024-09-26 00:00:00,2024-09-26 01:00:00,Usage,NULL,AWS,Amazon Elastic Compute \
         Cloud,$0.34 per On Demand Linux c5.2xlarge Instance Hour,us-east-1,us-east-1f,\
         1.000000000000000,Hours,0.34,0.34000000000,0.1,USD,42,\"{{\"\"team\"\": \"\"a\"\"}}\"\n"
    );
    first(&csv, |row| {
        let item = Item::Instance {
            name: "c5.2xlarge",
            platform: Platform::Linux,
            shared: true,
            market: Market::OnDemand,
        };
        assert_eq!(row.class, Class::Usage(item));
        assert_eq!((row.line, row.region, row.zone), (2, "us-east-1", "us-east-1f"));
        assert_eq!((row.owner, row.provider, row.currency), ("42", "", "USD"));
        assert_eq!(row.quantity, Some(Quantity(Quantity::ONE)));
        assert_eq!((row.list_cost, row.billed), (amount("0.34"), amount("0.1")));
        // 2024-09-26T00Z is 479,808 hours after 1970.
        assert_eq!(row.hour(), Some(479_808));
    })
    .expect("a row");
    assert_eq!(statement(&csv).expect("a header").format(), Format::Focus);
    assert_eq!(tagged(&csv, "team").as_deref(), Some("a"));
    assert_eq!(tagged(&csv, "other"), None);
}

#[test]
fn what_is_no_usage_of_ours_says_so() {
    for (cells, class) in [
        ("Credit,NULL,AWS,EC2,some credits", Class::NotUsage("Credit")),
        ("Tax,,AWS,EC2,VAT", Class::NotUsage("Tax")),
        (
            "Usage,Correction,AWS,EC2,$0.1 per On Demand Linux m5.large Instance Hour",
            Class::NotUsage("Correction"),
        ),
        ("Usage,,Microsoft,VM,$0.1 per On Demand Linux m5.large Instance Hour", Class::NotModelled),
        ("Usage,,AWS,SQS,requests", Class::NotModelled),
    ] {
        let csv = format!(
            "{FOCUS}2024-09-26T00:00:00Z,2024-09-27T00:00:00Z,{cells},,,NULL,,x,-2.5,-2.5,USD,,\n"
        );
        first(&csv, |row| {
            assert_eq!(row.class, class, "{cells}");
            // Amounts of usage that is not modelled are nobody's business.
            assert_eq!((row.quantity, row.unit_price), (None, None));
            assert_eq!(row.list_cost, amount("-2.5"));
            assert_eq!(row.hour(), None);
        })
        .expect("a row");
    }
}

#[test]
fn cost_and_usage_reports_are_read_by_either_name() {
    let newer = "line_item_usage_start_date,line_item_usage_end_date,line_item_line_item_type,\
        line_item_product_code,line_item_usage_type,line_item_operation,product_region_code,\
        line_item_usage_amount,line_item_unblended_cost,line_item_currency_code,\
        pricing_public_on_demand_cost,pricing_public_on_demand_rate,resource_tags_user_team";
    let older = "lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/LineItemType,\
        lineItem/ProductCode,lineItem/UsageType,lineItem/Operation,product/regionCode,\
        lineItem/UsageAmount,lineItem/UnblendedCost,lineItem/CurrencyCode,\
        pricing/publicOnDemandCost,pricing/publicOnDemandRate,resourceTags/user:team";
    let period = "2026-05-01T00:00:00.000Z,2026-05-01T01:00:00.000Z";
    for (header, key) in [(newer, "user_team"), (older, "user:team")] {
        let csv = format!(
            "{header}\n{period},SavingsPlanCoveredUsage,AmazonEC2,APS3-BoxUsage:m5.2xlarge,\
             RunInstances:0002,ap-south-1,0.5,0.2,USD,0.386,0.772,blue\n"
        );
        let mut file = statement(&csv).expect("a header");
        assert_eq!(file.format(), Format::Cur);
        assert!(file.advance().expect("memory"));
        assert_eq!(tagged(&csv, key).as_deref(), Some("blue"), "{key}");
        let row = file.row().expect("a row");
        let item = Item::Instance {
            name: "m5.2xlarge",
            platform: Platform::Windows,
            shared: true,
            market: Market::OnDemand,
        };
        assert_eq!(row.class, Class::Usage(item));
        assert_eq!(row.quantity, Some(Quantity(Quantity::ONE / 2)));
        assert_eq!((row.list_cost, row.billed), (amount("0.386"), amount("0.2")));
    }
    for (kind, class) in [
        ("RIFee", Class::NotUsage("RIFee")),
        ("SavingsPlanNegation", Class::NotUsage("SavingsPlanNegation")),
        ("DiscountedUsage", Class::Usage(Item::Charge(ChargeItem::EksControlPlane))),
    ] {
        let csv = format!(
            "{newer}\n{period},{kind},AmazonEKS,USE1-AmazonEKS-Hours:perCluster,Create,us-east-1,\
             1,0.1,USD,,,\n"
        );
        first(&csv, |row| assert_eq!(row.class, class)).expect("a row");
    }
}

#[test]
fn our_own_format_is_strict() {
    let header = "hour,region,kind,quantity,instance_type,arch,usd_per_unit,zone,tag:team";
    let csv = format!("{header}\n2026-01-05T03:00:00Z,us-east-1,ec2,2.5,m5.large,,,us-east-1a,x\n");
    let mut file = statement(&csv).expect("a header");
    assert_eq!(file.format(), Format::Hours);
    assert!(file.advance().expect("memory"));
    assert_eq!(tagged(&csv, "team").as_deref(), Some("x"));
    // 2026-01-05T03Z is day 20,458 since 1970: 490,995 hours.
    assert_eq!(file.row().expect("a row").hour(), Some(490_995));
    let by_number = format!("{header}\n490995,us-east-1,fargate-gb,1,,arm64,0.0035,,\n");
    first(&by_number, |row| {
        assert_eq!(row.hour(), Some(490_995));
        let Class::Usage(Item::Fargate { resource, arch, .. }) = row.class else { panic!() };
        assert_eq!((resource, arch), (FargateResource::Memory, Arch::Arm64));
        assert_eq!(row.unit_price, Some(Rate::from_pico(3_500_000_000)));
    })
    .expect("a row");
    for (row, column) in [
        ("2026-01-05T03:30:00Z,us-east-1,ec2,1,m5.large,,,,", "hour"),
        ("-1,us-east-1,ec2,1,m5.large,,,,", "hour"),
        ("soon,us-east-1,ec2,1,m5.large,,,,", "hour"),
        ("1,us-east-1,lambda,1,,,,,", "kind"),
        ("1,us-east-1,ec2,1,,,,,", "instance_type"),
        ("1,us-east-1,fargate-gb,1,,sparc,,,", "arch"),
        ("1,us-east-1,ec2,-1,m5.large,,,,", "quantity"),
        ("1,us-east-1,ec2,1e10,m5.large,,,,", "quantity"),
        ("1,us-east-1,ec2,many,m5.large,,,,", "quantity"),
        ("1,us-east-1,ec2,1,m5.large,,1e6,,", "usd_per_unit"),
        ("1,us-east-1,ec2,1", ""),
    ] {
        let bad = first(&format!("{header}\n{row}\n"), |_| ()).expect_err(row);
        assert_eq!(bad.column, column, "{row}");
    }
}

#[test]
fn other_files_are_refused_with_what_is_expected() {
    let refused = |csv: &str| statement(csv).err().expect(csv).to_string();
    assert!(refused("a,b\n").contains("is no usage file: expected the columns of FOCUS"));
    assert_eq!(
        refused("hour,kind\n"),
        "`u.csv` is hourly usage but lacks the columns `region`, `quantity`"
    );
    let error = refused("ChargePeriodStart,ChargeCategory,ChargePeriodEnd\n");
    assert!(error.contains("is FOCUS but lacks the columns `ProviderName`, "), "{error}");
}

#[test]
fn the_real_sample_is_read_to_its_last_row() {
    let Some(shared) = shared_dir() else { return };
    let path = shared.join("data/billing/focus_1.0_sample.csv");
    let mut file = Statement::open(&path, Table::open).expect("the sample");
    let (mut rows, mut usage, mut foreign) = (0, 0, 0);
    let mut billed = Money::ZERO;
    file.each(|_, row| {
        rows += 1;
        usage += u32::from(matches!(row.class, Class::Usage(_)));
        foreign += u32::from(!row.provider.is_empty());
        billed += row.billed.unwrap_or_default();
        Ok(Ok(()))
    })
    .expect("the sample");
    // Counted and summed by a spreadsheet.
    assert_eq!((rows, foreign), (500, 29));
    assert_eq!(billed.human(2), "14.67");
    // 20 EC2, 6 Fargate, 1 EKS, 23 addresses, …: those of the re-pricing test.
    assert!(usage >= 200, "{usage}");
}

/// FOCUS with the columns for reserved capacity and negotiated prices, of one
/// m5.large for an hour at 0.096.
fn negotiated(status: &str, reservation: &str, contracted: &str, billed: &str) -> String {
    let header = FOCUS.trim_end();
    format!(
        "{header},CommitmentDiscountStatus,CapacityReservationStatus,ContractedUnitPrice\n\
         2024-09-26T00:00:00Z,2024-09-26T01:00:00Z,Usage,,AWS,EC2,$0.096 per On Demand Linux \
         m5.large Instance Hour,us-east-1,,1,Hours,0.096,0.096,{billed},USD,,,{status},\
         {reservation},{contracted}\n"
    )
}

#[test]
fn unused_reserved_capacity_is_told_by_its_column() {
    for (status, market) in
        [("Unused", Market::UnusedReservation), ("Used", Market::OnDemand), ("", Market::OnDemand)]
    {
        first(&negotiated("", status, "", "0.096"), |row| {
            let Class::Usage(Item::Instance { market: found, .. }) = row.class else {
                panic!("{:?}", row.class)
            };
            assert_eq!(found, market, "{status}");
        })
        .expect("a row");
    }
}

/// A contracted price is believed where the invoice asks it, or a commitment
/// paid instead; some exports round the column to whole dollars.
#[test]
fn negotiated_prices_are_those_that_are_paid() {
    for (status, contracted, billed, believed) in [
        ("", "0.0864", "0.0864", Some("0.0864")),
        // A double, and an amount that is rounded elsewhere.
        ("", "0.0864", "0.08640000000000001", Some("0.0864")),
        ("", "0.08644", "0.086438", Some("0.08644")),
        ("", "0.0864", "0.0865", None),
        ("", "0.0864", "0.096", None),
        ("Used", "0.0864", "0", Some("0.0864")),
        ("", "0.096", "0.096", None),
        ("", "0.1", "0.1", None),
        ("", "0", "0", None),
        ("", "", "0.0864", None),
    ] {
        first(&negotiated(status, "", contracted, billed), |row| {
            let believed: Option<Rate> = believed.and_then(|text| text.parse().ok());
            assert_eq!(row.contracted_price, believed, "{status} {contracted} {billed}");
        })
        .expect("a row");
    }
}

#[test]
fn what_focus_does_not_know_is_refused() {
    let usage = negotiated("", "", "", "0.096");
    let error = first(&usage.replace(",Usage,", ",usage,"), |_| ()).expect_err("refused");
    let error = format!("{error:?}");
    assert!(error.contains("ChargeCategory") && error.contains("Usage, Purchase, Tax"), "{error}");
    let error = statement(&FOCUS.replace("PricingQuantity,", "")).map(|_| ()).expect_err("refused");
    assert!(error.to_string().ends_with("lacks the column `PricingQuantity`"), "{error}");
}
