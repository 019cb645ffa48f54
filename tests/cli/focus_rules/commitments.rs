//! Commitment discounts, the attribute of their handling, and capacity
//! reservations.

use std::collections::BTreeMap;

use super::cells::{
    Row, all, committed, get, has, idle_reservation, is, is_zero, number, one_each, purchase,
    reserved, sold, unused, usage, used,
};
use super::{RowRule, SetRule, rule, whole};

pub(super) const ROWS: &[RowRule] = &[
    rule(
        "CapacityReservationStatus.null",
        "null without an id",
        |r| !reserved(r),
        |r| !has(r, "CapacityReservationStatus"),
    ),
    rule(
        "CapacityReservationId.null",
        "null where no reservation is concerned",
        |r| !idle_reservation(r),
        |r| !reserved(r),
    ),
    rule(
        "CapacityReservationId.unused",
        "not null on the unused part of a reservation, which is Unused and in its zone",
        idle_reservation,
        |r| {
            reserved(r)
                && is(r, "CapacityReservationStatus", "Unused")
                && get(r, "ResourceId") == get(r, "CapacityReservationId")
                && has(r, "AvailabilityZone")
        },
    ),
    rule(
        "CapacityReservationStatus.values",
        "Used or Unused on usage with an id",
        |r| reserved(r) && usage(r),
        |r| get(r, "CapacityReservationStatus").is_some_and(|v| ["Used", "Unused"].contains(&v)),
    ),
    rule("CommitmentDiscountCategory.null", "null exactly where the id is", all, |r| {
        has(r, "CommitmentDiscountCategory") == committed(r)
    }),
    rule("CommitmentDiscountCategory.values", "Spend or Usage", committed, |r| {
        get(r, "CommitmentDiscountCategory").is_some_and(|v| ["Spend", "Usage"].contains(&v))
    }),
    rule(
        "CommitmentDiscountId.null",
        "null where no commitment is concerned",
        |r| usage(r) && !is(r, "PricingCategory", "Committed"),
        |r| !committed(r),
    ),
    rule(
        "CommitmentDiscountName.null",
        "null without an id, else the name it was given",
        all,
        |r| has(r, "CommitmentDiscountName") == committed(r),
    ),
    rule(
        "CommitmentDiscountQuantity.null",
        "not null on usage and purchases with an id, else null",
        all,
        |r| has(r, "CommitmentDiscountQuantity") == (committed(r) && sold(r)),
    ),
    rule(
        "CommitmentDiscountQuantity.sign",
        "what is used, unused or bought is not negative",
        committed,
        |r| number(r, "CommitmentDiscountQuantity").is_some_and(|v| v >= 0),
    ),
    rule(
        "CommitmentDiscountStatus.null",
        "null without an id",
        |r| !committed(r),
        |r| !has(r, "CommitmentDiscountStatus"),
    ),
    rule(
        "CommitmentDiscountStatus.usage",
        "Used or Unused on usage with an id",
        |r| committed(r) && usage(r),
        |r| used(r) || unused(r),
    ),
    rule("CommitmentDiscountType.null", "null exactly where the id is", all, |r| {
        has(r, "CommitmentDiscountType") == committed(r)
    }),
    rule("CommitmentDiscountUnit.null", "null exactly where its quantity is", all, |r| {
        has(r, "CommitmentDiscountUnit") == has(r, "CommitmentDiscountQuantity")
    }),
    rule(
        "DiscountHandling.billed",
        "nothing is billed where a commitment pays",
        |r| used(r) || unused(r),
        |r| is_zero(r, "BilledCost"),
    ),
    rule("DiscountHandling.covered", "a covered row is about what was covered", used, |r| {
        get(r, "ResourceId") != get(r, "CommitmentDiscountId")
    }),
    rule(
        "DiscountHandling.resource",
        "purchases and unused parts are about the commitment",
        |r| committed(r) && (purchase(r) || unused(r)),
        |r| get(r, "ResourceId") == get(r, "CommitmentDiscountId"),
    ),
];

pub(super) const SETS: &[SetRule] = &[
    whole("CommitmentDiscountCategory.consistent", "a commitment keeps its category", |_, rows| {
        one_each(rows, "CommitmentDiscountId", "CommitmentDiscountCategory")
    }),
    whole("CommitmentDiscountUnit.consistent", "a commitment keeps its unit", |_, rows| {
        one_each(rows, "CommitmentDiscountId", "CommitmentDiscountUnit")
    }),
    whole(
        "EffectiveCost.commitment",
        "per commitment, the effective cost of usage is the billed cost of purchases",
        |_, rows| {
            let mut sums: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
            for row in rows.iter().filter(|r| committed(r)) {
                let sum = sums.entry(get(row, "CommitmentDiscountId").unwrap_or("")).or_default();
                if usage(row) {
                    sum.0 += number(row, "EffectiveCost").unwrap_or(i128::MAX / 2);
                }
                if purchase(row) {
                    sum.1 += number(row, "BilledCost").unwrap_or(i128::MAX / 2);
                }
            }
            match sums.iter().find(|(_, (effective, billed))| effective != billed) {
                Some((id, sums)) => Err(format!("`{id}`: {sums:?}")),
                None => Ok(sums.len()),
            }
        },
    ),
    whole(
        "EffectiveCost.statuses",
        "per commitment, used and unused usage is all its usage",
        |_, rows| {
            let of = |keep: fn(&Row) -> bool| -> i128 {
                let rows = rows.iter().filter(|r| committed(r) && usage(r) && keep(r));
                rows.filter_map(|r| number(r, "EffectiveCost")).sum()
            };
            if of(all) == of(used) + of(unused) {
                Ok(rows.iter().filter(|r| committed(r) && usage(r)).count())
            } else {
                Err("usage of a commitment has no status".to_owned())
            }
        },
    ),
];
