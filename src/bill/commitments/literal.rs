//! How AWS applies commitments to one clock hour, read word for word: every
//! second of every instance, exact fractions, nothing fast. The billing of
//! this program is compared with it; the two share no code, not even the
//! table of normalisation factors.
//!
//! Sources: EC2 User Guide, "How Reserved Instance discounts are applied" and
//! "How you are billed"; Savings Plans User Guide, "Understanding how Savings
//! Plans apply to your usage". In short: zonal Reserved Instances, then
//! regional ones from the smallest to the largest size, 3,600 seconds per
//! reservation and clock hour; then EC2 Instance Savings Plans, then Compute
//! Savings Plans, each at the highest saving first and, of equal savings, at
//! the lowest rate first; the rest On-Demand. Every discount reaches the
//! owner's usage before that of other accounts.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Range, Sub};

/// An exact fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Q {
    n: i128,
    d: i128,
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

fn times(a: i128, b: i128) -> i128 {
    a.checked_mul(b).expect("a fraction of the literal bill leaves i128")
}

impl Q {
    pub(super) const ZERO: Q = Q { n: 0, d: 1 };

    pub(super) fn new(n: i128, d: i128) -> Q {
        assert!(d != 0, "a fraction by zero");
        let g = gcd(n, d).max(1) * d.signum();
        Q { n: n / g, d: d / g }
    }

    /// A decimal as people write it: `0.0464`.
    pub(super) fn decimal(text: &str) -> Q {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let places = u32::try_from(part.len()).expect("a short decimal");
        let digits: i128 = format!("{whole}{part}").parse().expect("a decimal");
        Q::new(digits, 10i128.pow(places))
    }

    pub(super) fn min(self, other: Q) -> Q {
        if self <= other { self } else { other }
    }

    /// In units of 10⁻¹², rounded down.
    pub(super) fn pico(self) -> i128 {
        let whole = self.n.div_euclid(self.d);
        let rest = self.n.rem_euclid(self.d);
        // The rest is below the denominator; both are shifted until the
        // product fits. The error is far below one unit.
        let shift = (self.d.ilog2() + 41).saturating_sub(126);
        times(whole, 1_000_000_000_000)
            + times(rest >> shift, 1_000_000_000_000) / (self.d >> shift).max(1)
    }
}

impl Add for Q {
    type Output = Q;
    fn add(self, o: Q) -> Q {
        let g = gcd(self.d, o.d);
        Q::new(times(self.n, o.d / g) + times(o.n, self.d / g), times(self.d / g, o.d))
    }
}

impl Sub for Q {
    type Output = Q;
    fn sub(self, o: Q) -> Q {
        self + Q { n: -o.n, d: o.d }
    }
}

impl Mul for Q {
    type Output = Q;
    fn mul(self, o: Q) -> Q {
        let (a, b) = (Q::new(self.n, o.d), Q::new(o.n, self.d));
        Q::new(times(a.n, b.n), times(a.d, b.d))
    }
}

impl Div for Q {
    type Output = Q;
    fn div(self, o: Q) -> Q {
        let (a, b) = (Q::new(self.n, o.n), Q::new(o.d, self.d));
        Q::new(times(a.n, b.n), times(a.d, b.d))
    }
}

impl PartialOrd for Q {
    fn partial_cmp(&self, o: &Q) -> Option<Ordering> {
        Some((*self - *o).n.cmp(&0))
    }
}

/// Whose usage it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Account {
    /// The account that owns the commitments.
    Owner,
    /// Another account of the organisation, sharing turned on.
    Other,
}

/// Something that was used within the hour.
#[derive(Debug, Clone)]
pub(super) struct Usage {
    pub(super) account: Account,
    /// On-Demand, per hour (instances) or per unit (metered).
    pub(super) price: Q,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// One Linux instance of shared tenancy, and the seconds of the hour
    /// during which it ran.
    Instance { family: String, size: String, zone: String, ran: Range<u32> },
    /// So many units of something that only Savings Plans cover.
    Metered(Q),
}

/// A commitment.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// Reserved Instances: zonal if a zone is named, else regional.
    Reserved { family: String, size: String, zone: Option<String>, count: u32, hourly: Q },
    /// A Savings Plan: EC2 Instance if a family is named, else Compute. Its
    /// rate for each usage, in the order of the usage.
    Plan { family: Option<String>, commitment: Q, hourly: Q, rates: Vec<Option<Q>> },
}

/// What became of the hour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hour {
    /// Per usage: hours or units that Reserved Instances covered.
    pub(super) reserved: Vec<Q>,
    /// Per usage, per commitment: hours or units that the plan covered.
    pub(super) planned: Vec<Vec<Q>>,
    /// Per usage: what is left to pay On-Demand.
    pub(super) on_demand: Vec<Q>,
    /// Per commitment: dollars of a plan, or instance-hours of its own size,
    /// that found a use.
    pub(super) used: Vec<Q>,
    /// All of it, commitments as charged.
    pub(super) total: Q,
}

const SECONDS: u32 = 3600;

/// Quarters of a normalised unit: the nano has one.
fn quarters(family: &str, size: &str) -> u32 {
    let of_metal = |units: u32| 4 * units;
    match size {
        "nano" => 1,
        "micro" => 2,
        "small" => 4,
        "medium" => 8,
        "large" => 16,
        "xlarge" => 32,
        "metal" => of_metal(match family {
            "a1" => 32,
            "m5zn" | "z1d" => 96,
            "c6g" | "c6gd" | "i3" | "m6g" | "m6gd" | "r6g" | "r6gd" | "x2gd" => 128,
            "c5n" => 144,
            _ if family.starts_with("u-") => 896,
            _ => 192,
        }),
        _ => {
            let k = size.strip_prefix("metal-").unwrap_or(size);
            let k = k.strip_suffix("xlarge").or_else(|| k.strip_suffix("xl")).expect("a size");
            32 * k.parse::<u32>().expect("a multiple of xlarge")
        }
    }
}

/// Whether a family's regional Reserved Instances cover other sizes too: all
/// but those the EC2 User Guide lists (edition of 2025).
fn size_flexible(family: &str) -> bool {
    let fixed = "g4ad g4dn g5 g5g g6 g6e g6f gr6 gr6f hpc7a inf1 inf2 p5 u7i-6tb u7i-8tb";
    !fixed.split(' ').any(|f| f == family)
}

/// One clock hour under the commitments.
pub(super) fn hour(usage: &[Usage], held: &[Held]) -> Hour {
    // Per instance, per second: quarters of normalised units not yet covered.
    let mut open: Vec<Vec<u32>> = usage.iter().map(seconds).collect();
    let mut used = vec![Q::ZERO; held.len()];
    for zonal in [true, false] {
        for (index, held) in held.iter().enumerate() {
            if let Held::Reserved { family, size, zone, count, .. } = held
                && zone.is_some() == zonal
            {
                let each = u64::from(quarters(family, size));
                let budget = each * u64::from(SECONDS) * u64::from(*count);
                let left = reserve(usage, &mut open, (family, size, zone.as_deref()), budget);
                used[index] =
                    Q::new(i128::from(budget - left), i128::from(each * u64::from(SECONDS)));
            }
        }
    }
    let mut rest: Vec<Q> = usage.iter().zip(&open).map(|(u, open)| quantity(u, open)).collect();
    let whole: Vec<Q> = usage.iter().map(|u| quantity(u, &seconds(u))).collect();
    let reserved: Vec<Q> = whole.iter().zip(&rest).map(|(whole, rest)| *whole - *rest).collect();

    let mut purse: Vec<Q> = held
        .iter()
        .map(|h| if let Held::Plan { commitment, .. } = h { *commitment } else { Q::ZERO })
        .collect();
    let mut planned = vec![vec![Q::ZERO; held.len()]; usage.len()];
    for of_family in [true, false] {
        for account in [Account::Owner, Account::Other] {
            for (line, plan, rate) in by_saving(usage, held, of_family, account) {
                let units =
                    if rate == Q::ZERO { rest[line] } else { rest[line].min(purse[plan] / rate) };
                planned[line][plan] = planned[line][plan] + units;
                rest[line] = rest[line] - units;
                purse[plan] = purse[plan] - units * rate;
                used[plan] = used[plan] + units * rate;
            }
        }
    }
    let on_demand: Vec<Q> = usage.iter().zip(&rest).map(|(u, rest)| u.price * *rest).collect();
    let fees = held.iter().map(|h| match h {
        Held::Reserved { count, hourly, .. } => Q::new(i128::from(*count), 1) * *hourly,
        Held::Plan { hourly, .. } => *hourly,
    });
    let total = on_demand.iter().copied().chain(fees).fold(Q::ZERO, Add::add);
    Hour { reserved, planned, on_demand, used, total }
}

/// What each second of the hour holds of an instance.
fn seconds(usage: &Usage) -> Vec<u32> {
    match &usage.what {
        What::Instance { family, size, ran, .. } => (0..SECONDS)
            .map(|s| if ran.contains(&s) { quarters(family, size) } else { 0 })
            .collect(),
        What::Metered(_) => Vec::new(),
    }
}

/// Hours of an instance, or metered units.
fn quantity(usage: &Usage, open: &[u32]) -> Q {
    match &usage.what {
        What::Instance { family, size, .. } => {
            let sum: u64 = open.iter().map(|q| u64::from(*q)).sum();
            Q::new(i128::from(sum), i128::from(quarters(family, size)) * i128::from(SECONDS))
        }
        What::Metered(units) => *units,
    }
}

/// Spends the budget of one reservation, in quarter-unit-seconds; returns
/// what is left of it.
fn reserve(
    usage: &[Usage],
    open: &mut [Vec<u32>],
    (family, size, zone): (&str, &str, Option<&str>),
    mut budget: u64,
) -> u64 {
    for account in [Account::Owner, Account::Other] {
        let mut matching: Vec<(u32, usize)> = Vec::new();
        for (line, u) in usage.iter().enumerate() {
            if let What::Instance { family: f, size: s, zone: z, .. } = &u.what
                && u.account == account
                && f == family
                && match zone {
                    Some(zone) => z == zone && s == size,
                    None => s == size || size_flexible(family),
                }
            {
                matching.push((quarters(f, s), line));
            }
        }
        let mut sizes: Vec<u32> = matching.iter().map(|(q, _)| *q).collect();
        sizes.sort_unstable();
        sizes.dedup();
        for size in sizes {
            for second in 0..SECONDS {
                for (_, line) in matching.iter().filter(|(q, _)| *q == size) {
                    let wanted = &mut open[*line][second as usize];
                    let taken = u64::from(*wanted).min(budget);
                    *wanted -= taken as u32;
                    budget -= taken;
                }
            }
        }
    }
    budget
}

/// Lines and plans of one kind, the highest saving first, of equal savings
/// the lowest rate, then in the order they are written.
fn by_saving(
    usage: &[Usage],
    held: &[Held],
    of_family: bool,
    account: Account,
) -> Vec<(usize, usize, Q)> {
    let mut pairs = Vec::new();
    for (line, u) in usage.iter().enumerate().filter(|(_, u)| u.account == account) {
        for (plan, h) in held.iter().enumerate() {
            let Held::Plan { family, rates, .. } = h else { continue };
            let covers = match (family, &u.what) {
                (None, _) => true,
                (Some(family), What::Instance { family: f, .. }) => family == f,
                (Some(_), What::Metered(_)) => false,
            };
            if let Some(rate) = rates[line]
                && family.is_some() == of_family
                && covers
            {
                pairs.push((line, plan, rate));
            }
        }
    }
    // 1 − r/o is highest where r/o is lowest.
    pairs.sort_by(|a, b| {
        let paid = |(line, _, rate): &(usize, usize, Q)| *rate / usage[*line].price;
        let by = |x: Q, y: Q| x.partial_cmp(&y).expect("fractions are ordered");
        by(paid(a), paid(b)).then_with(|| by(a.2, b.2)).then_with(|| (a.0, a.1).cmp(&(b.0, b.1)))
    });
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The literal hour, of which the bill must be the same.
    fn hour(usage: &[Usage], held: &[Held]) -> Hour {
        let hour = super::hour(usage, held);
        crate::bill::commitments::agreement::agree(usage, held, &hour, 0);
        hour
    }

    fn q(text: &str) -> Q {
        Q::decimal(text)
    }

    fn ec2(kind: &str, zone: &str, ran: Range<u32>, price: &str) -> Usage {
        let (family, size) = kind.split_once('.').expect("a type");
        Usage {
            account: Account::Owner,
            price: q(price),
            what: What::Instance {
                family: family.into(),
                size: size.into(),
                zone: zone.into(),
                ran,
            },
        }
    }

    fn metered(units: &str, price: &str) -> Usage {
        Usage { account: Account::Owner, price: q(price), what: What::Metered(q(units)) }
    }

    fn ri(kind: &str, zone: Option<&str>, count: u32) -> Held {
        let (family, size) = kind.split_once('.').expect("a type");
        Held::Reserved {
            family: family.into(),
            size: size.into(),
            zone: zone.map(Into::into),
            count,
            hourly: Q::ZERO,
        }
    }

    fn sp(family: Option<&str>, commitment: &str, rates: &[&str]) -> Held {
        Held::Plan {
            family: family.map(Into::into),
            commitment: q(commitment),
            hourly: q(commitment),
            rates: rates.iter().map(|r| (!r.is_empty()).then(|| q(r))).collect(),
        }
    }

    const HOUR: Range<u32> = 0..3600;

    #[test]
    fn fractions_are_exact() {
        assert_eq!(q("0.25") + q("1.5") * q("0.5"), q("1"));
        assert_eq!(Q::new(-6, -4), Q::new(3, 2));
        assert_eq!((q("1") / q("3")).pico(), 333_333_333_333);
        assert!(q("0.1") < q("0.11"));
    }

    /// The documented Reserved Instance examples: the sizes, seconds and
    /// accounts they name.
    #[test]
    fn reserved_instances_as_documented() {
        // Four m4.large cover two m4.xlarge; one c4.large half a c4.xlarge;
        // four zonal m3.large four in their zone.
        let mut usage: Vec<Usage> = (0..4).map(|_| ec2("m3.large", "a", HOUR, "1")).collect();
        usage.extend((0..2).map(|_| ec2("m4.xlarge", "b", HOUR, "2")));
        usage.push(ec2("c4.xlarge", "c", HOUR, "2"));
        let got = hour(
            &usage,
            &[ri("m3.large", Some("a"), 4), ri("m4.large", None, 4), ri("c4.large", None, 1)],
        );
        assert_eq!(got.reserved, vec![q("1"); 6].into_iter().chain([q("0.5")]).collect::<Vec<_>>());
        assert_eq!(got.total, q("1"));

        // One m3.2xlarge: both m3.large, then one of two m3.xlarge.
        let usage = [
            ec2("m3.xlarge", "a", HOUR, "2"),
            ec2("m3.xlarge", "a", HOUR, "2"),
            ec2("m3.large", "b", HOUR, "1"),
            ec2("m3.large", "b", HOUR, "1"),
        ];
        let got = hour(&usage, &[ri("m3.2xlarge", None, 1)]);
        assert_eq!(got.reserved[2..], [q("1"), q("1")]);
        assert_eq!(got.reserved[0] + got.reserved[1], q("1"));
        assert_eq!(got.total, q("2"));

        // Four instances of 900 seconds each, then of a whole hour each.
        let short: Vec<Usage> =
            (0..4).map(|i| ec2("m4.xlarge", "a", i * 300..i * 300 + 900, "2")).collect();
        assert_eq!(hour(&short, &[ri("m4.xlarge", None, 1)]).total, Q::ZERO);
        let long: Vec<Usage> = (0..4).map(|_| ec2("m4.xlarge", "a", HOUR, "2")).collect();
        assert_eq!(hour(&long, &[ri("m4.xlarge", None, 1)]).total, q("6"));

        // One t2.medium: two t2.small, or half a t2.large.
        let small: Vec<Usage> = (0..2).map(|_| ec2("t2.small", "a", HOUR, "1")).collect();
        assert_eq!(hour(&small, &[ri("t2.medium", None, 1)]).total, Q::ZERO);
        let large = [ec2("t2.large", "a", HOUR, "4")];
        assert_eq!(hour(&large, &[ri("t2.medium", None, 1)]).total, q("2"));

        // Two i3.8xlarge: one i3.metal.
        let metal = [ec2("i3.metal", "a", HOUR, "5")];
        assert_eq!(hour(&metal, &[ri("i3.8xlarge", None, 2)]).total, Q::ZERO);

        // A zonal reservation stays in its zone, a GPU one with its size.
        let other = [ec2("m5.large", "b", HOUR, "1"), ec2("g5.2xlarge", "a", HOUR, "3")];
        let held = [ri("m5.large", Some("a"), 1), ri("g5.xlarge", None, 2)];
        assert_eq!(hour(&other, &held).total, q("4"));
    }

    #[test]
    fn the_owner_comes_first_and_zonal_reservations_before_regional_ones() {
        // Scenario 3: four m4.xlarge cover account A's two xlarge and 2xlarge;
        // account B pays.
        let mut usage = vec![
            ec2("m4.xlarge", "a", HOUR, "2"),
            ec2("m4.xlarge", "a", HOUR, "2"),
            ec2("m4.2xlarge", "b", HOUR, "4"),
            ec2("m4.xlarge", "a", HOUR, "2"),
            ec2("m4.xlarge", "a", HOUR, "2"),
        ];
        usage[3].account = Account::Other;
        usage[4].account = Account::Other;
        let got = hour(&usage, &[ri("m4.xlarge", None, 4)]);
        assert_eq!(got.on_demand, [q("0"), q("0"), q("0"), q("2"), q("2")]);

        // Scenario 4: the zonal reservation takes the instance in its zone,
        // so that the regional one is left for the other account.
        let mut usage = [ec2("m4.xlarge", "a", HOUR, "2"), ec2("m4.xlarge", "b", HOUR, "2")];
        usage[1].account = Account::Other;
        let held = [ri("m4.xlarge", None, 1), ri("m4.xlarge", Some("a"), 1)];
        assert_eq!(hour(&usage, &held).total, Q::ZERO);
    }

    /// The newer documented Savings Plans example: 59.10 On-Demand.
    fn newer() -> Vec<Usage> {
        let mut usage: Vec<Usage> = (0..4).map(|_| ec2("r5.4xlarge", "a", HOUR, "1")).collect();
        usage.push(ec2("m5.24xlarge", "a", HOUR, "10"));
        usage.push(metered("400", "0.04"));
        usage.push(metered("1600", "0.004"));
        usage.push(metered("1500000", "0.000015"));
        usage.push(metered("1", "0.20"));
        usage
    }

    const NEWER: [&str; 9] =
        ["0.7", "0.7", "0.7", "0.7", "8.2", "0.03", "0.003", "0.00001275", "0.2"];

    #[test]
    fn savings_plans_as_documented_newer_edition() {
        let usage = newer();
        assert_eq!(hour(&usage, &[]).total, q("59.10"));

        let got = hour(&usage, &[sp(None, "50", &NEWER)]);
        assert_eq!((got.used[0], got.total), (q("47.125"), q("50")));

        let got = hour(&usage, &[sp(None, "2", &NEWER)]);
        assert_eq!(got.planned.iter().fold(Q::ZERO, |sum, p| sum + p[0]), q("2") / q("0.7"));
        // 58.243 in the document: 57.10 + 8/7.
        assert_eq!(got.total, q("57.10") + Q::new(8, 7));

        let got = hour(&usage, &[sp(None, "18.20", &NEWER), ri("r5.4xlarge", None, 2)]);
        assert_eq!((got.used[0], got.total), (q("18.20"), q("50.90")));
        assert_eq!(got.planned[5][0], q("400"));
        assert_eq!(got.planned[6][0], q("1600"));

        let mut own = [""; 9];
        own[..4].fill("0.6");
        let got = hour(&usage, &[sp(None, "16.80", &NEWER), sp(Some("r5"), "3", &own)]);
        assert_eq!((got.used[0], got.used[1]), (q("16.80"), q("2.40")));
        assert_eq!(got.total, q("52.50"));

        // The documented tie: memory, the lower rate, before vCPU.
        let usage = [metered("400", "0.04"), metered("1600", "0.004")];
        let got = hour(&usage, &[sp(None, "4.80", &["0.03", "0.003"])]);
        assert_eq!((got.planned[0][0], got.planned[1][0]), (Q::ZERO, q("1600")));
    }

    #[test]
    fn savings_plans_as_documented_older_edition() {
        let usage = [
            ec2("c5.9xlarge", "a", HOUR, "4"),
            ec2("c5.24xlarge", "a", HOUR, "10"),
            metered("10", "1.5"),
            metered("5", "2"),
        ];
        let compute = ["2", "8", "1", "1"];
        let own = ["1", "6", "", ""];
        let got = hour(&usage, &[sp(None, "25", &compute)]);
        assert_eq!((got.used[0], got.total), (q("25"), q("25")));
        let got = hour(&usage, &[sp(None, "18", &compute)]);
        assert_eq!((got.planned[1][0], got.total), (q("0.125"), q("26.75")));
        let got = hour(&usage, &[sp(None, "10", &compute), sp(Some("c5"), "5", &own)]);
        assert_eq!(got.planned[1][1], Q::new(4, 6));
        assert_eq!((got.planned[3][0], got.planned[2][0]), (q("5"), q("5")));
        assert_eq!(got.total, q("15") + q("7.5") + Q::new(10, 3));
    }
}
