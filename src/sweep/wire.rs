//! Outcomes as bytes and back, exactly: floats keep every bit, money its
//! pico-USD. For the journal of a sweep, which the same version of the
//! program reads; nobody else should.
//!
//! Little-endian, numbers of fixed width, lengths before texts and lists.
//! A type lists its fields once for both directions, and the compiler
//! demands all of them. Some 1–2 kB and 2 µs an outcome.

use std::collections::BTreeMap;

use super::outcome::{
    CostTotals, GoalResult, GoalValue, LowerBound, NodeCounts, Outcome, Pods, TypeUse, UsedShare,
    Utilisation, WaitSummary, WorkloadOutcome,
};
use crate::units::Money;
use crate::workload::WorkloadKind;

/// Can be written to bytes and read back.
pub(super) trait Wire: Sized {
    /// Appends the value.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes a value off the front; `None` where the bytes are none.
    fn take(input: &mut &[u8]) -> Option<Self>;
}

/// Takes so many bytes off the front.
fn bytes<'a>(input: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(n)?;
    *input = rest;
    Some(taken)
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl Wire for $ty {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
                let taken = bytes(input, size_of::<$ty>())?;
                Some(<$ty>::from_le_bytes(taken.try_into().ok()?))
            }
        }
    )*};
}

numbers! { u8, u64, i128, f64 }

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        u8::from(*self).put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        match u8::take(input)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Wire for Money {
    fn put(&self, out: &mut Vec<u8>) {
        self.pico().put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        i128::take(input).map(Money::from_pico)
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend(self.as_bytes());
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        let n = usize::try_from(u64::take(input)?).ok()?;
        String::from_utf8(bytes(input, n)?.to_vec()).ok()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        if bool::take(input)? { T::take(input).map(Some) } else { Some(None) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for item in self {
            item.put(out);
        }
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        // Nothing is reserved: a wrong length ends with the input.
        (0..u64::take(input)?).map(|_| T::take(input)).collect()
    }
}

impl<V: Wire> Wire for BTreeMap<String, V> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        (0..u64::take(input)?).map(|_| Some((String::take(input)?, V::take(input)?))).collect()
    }
}

impl Wire for WorkloadKind {
    fn put(&self, out: &mut Vec<u8>) {
        let tag: u8 = match self {
            WorkloadKind::Batch => 0,
            WorkloadKind::Service => 1,
            WorkloadKind::Daemon => 2,
        };
        tag.put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        match u8::take(input)? {
            0 => Some(WorkloadKind::Batch),
            1 => Some(WorkloadKind::Service),
            2 => Some(WorkloadKind::Daemon),
            _ => None,
        }
    }
}

impl Wire for GoalValue {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            GoalValue::Seconds(seconds) => {
                0u8.put(out);
                seconds.put(out);
            }
            GoalValue::Usd(usd) => {
                1u8.put(out);
                usd.put(out);
            }
        }
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        match u8::take(input)? {
            0 => f64::take(input).map(GoalValue::Seconds),
            1 => Money::take(input).map(GoalValue::Usd),
            _ => None,
        }
    }
}

macro_rules! records {
    ($($ty:ident { $($field:ident),* $(,)? })*) => {$(
        impl Wire for $ty {
            fn put(&self, out: &mut Vec<u8>) {
                let $ty { $($field),* } = self;
                $( $field.put(out); )*
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
                Some($ty { $($field: Wire::take(input)?),* })
            }
        }
    )*};
}

records! {
    Outcome {
        seed, events, window_hours, requested_core_hours, pods, pending_s, ready_s, utilisation,
        nodes, cost, lower_bound, goals, workloads,
    }
    Pods {
        submitted, started, finished, evicted, interrupted, rejected, rejected_by_reason,
        pending_at_end, repeated_core_hours, unserved_core_hours,
    }
    WaitSummary { mean, p50, p90, p95, p99, max, censored }
    Utilisation { cpu, memory }
    UsedShare { requested_of_allocatable, used_of_allocatable, used_of_requested }
    NodeCounts { launched, peak, node_hours, by_type }
    TypeUse { launched, node_hours }
    CostTotals {
        total, list, on_demand, monthly, monthly_extrapolated, by_purchase, by_price_status,
    }
    LowerBound { compute, bound }
    GoalResult { name, target, value, met }
    WorkloadOutcome {
        name, kind, pods, unfinished, pending_s, ready_s, demanded_core_hours, cost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sample::sweep_sample;
    use proptest::prelude::*;

    fn outcomes() -> Vec<Outcome> {
        let study = sweep_sample();
        let mut all: Vec<Outcome> =
            study.combinations.iter().flat_map(|c| c.finished().cloned()).collect();
        let odd = all.first_mut().expect("outcomes");
        odd.nodes.by_type.insert("m5.large".to_owned(), TypeUse { launched: 3, node_hours: 0.1 });
        odd.cost.total = Money::from_pico(-i128::from(u64::MAX) * 1_000_000);
        odd.cost.monthly = None;
        odd.goals[0].target = GoalValue::Usd(Money::from_pico(1));
        odd.goals[0].value = None;
        odd.pending_s.mean = Some(f64::from_bits(0x3fb9_9999_9999_999b));
        odd.workloads[0].name = "ä→\0".to_owned();
        all
    }

    #[test]
    fn outcomes_come_back_bit_by_bit() {
        for outcome in outcomes() {
            let mut bytes = Vec::new();
            outcome.put(&mut bytes);
            assert!(bytes.len() < 2_048, "{}", bytes.len());
            let mut input = bytes.as_slice();
            let back = Outcome::take(&mut input).expect("reads");
            assert!(input.is_empty());
            assert_eq!(back, outcome);
            let mut again = Vec::new();
            back.put(&mut again);
            assert_eq!(again, bytes);
        }
    }

    #[test]
    fn what_is_cut_is_no_outcome() {
        let mut bytes = Vec::new();
        outcomes()[0].put(&mut bytes);
        for cut in 0..bytes.len() {
            assert_eq!(Outcome::take(&mut &bytes[..cut]), None, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Outcome::take(&mut bytes.as_slice());
        }
    }
}
