//! The Spot market: prices and interruptions.

use jiff::Timestamp;

use super::decode::{Keyed, Spanned};
use super::leaf::RelPath;
use super::number::{Positive, Share};
use super::record::{choice, names, record, union};
use crate::units::{Percent, SimDuration};

record! {
    /// The Spot market.
    #[derive(Default)]
    pub struct Spot {
        /// What instances cost.
        "prices" => prices: Option<Spanned<SpotPrices>>,
        /// Which price counts while it moves; instance-hour unless stated.
        "billed-at" => billed_at: Option<Spanned<SpotBilledAt>>,
        /// Whether a price that moves never exceeds On-Demand; true unless stated.
        "cap-at-on-demand" => cap_at_on_demand: Option<Spanned<bool>>,
        /// How often instances are interrupted.
        "interruptions" => interruptions: Option<Spanned<Interruptions>>,
        /// Share of interruptions that strike a type and zone together.
        "shock-share" => shock_share: Option<Spanned<Share>>,
        /// Time between the notice and the end of the instance.
        "notice" => notice: Option<Spanned<SimDuration>>,
    }
}

union! {
    /// What Spot instances cost.
    pub enum SpotPrices {
        words {
            /// The On-Demand price less the published saving of each type, always.
            "advisor" => Advisor,
        }
        /// A price that moves.
        [map] => Moving(MovingPrices),
    }
}

choice! {
    /// Spot prices that move; launches and bills see the price of the moment.
    pub enum MovingPrices {
        /// As AWS recorded them.
        "history" => History(SpotHistory),
        /// Drawn by the seed: mean-reverting around the published level of each type.
        "process" => Process(PriceProcess),
    }
}

union! {
    /// A recorded history of Spot prices.
    pub enum SpotHistory {
        /// Its file: JSON of `aws ec2 describe-spot-price-history`, or CSV.
        [text] => File(Spanned<RelPath>),
        /// Its file, and how it is read.
        [map] => Described(HistoryFile),
    }
}

record! {
    /// A file of recorded Spot prices, and how it is read.
    pub struct HistoryFile {
        /// The file: JSON of `aws ec2 describe-spot-price-history`, or CSV.
        "file" => file: Spanned<RelPath>,
        /// Which time of the history the run starts at; absolute unless stated.
        "align" => align: Option<Spanned<Align>>,
        /// Zones of the history by those of the scenario, where their names differ.
        "zones" => zones: Keyed<Spanned<String>> = Keyed::default(),
        /// Only the rows of this data set, where the file has a column of that name.
        "dataset" => dataset: Option<Spanned<String>>,
    }
}

union! {
    /// Which time of a history a run starts at.
    pub enum Align {
        words {
            /// The time of its own: `time.start`.
            "absolute" => Absolute,
            /// The time of the first row.
            "first-row" => FirstRow,
        }
        /// This one.
        [text] => At(Timestamp),
    }
}

record! {
    /// A mean-reverting process of the logarithm of a price.
    #[derive(Default)]
    pub struct PriceProcess {
        /// Time between two changes; 1d unless stated.
        "interval" => interval: Option<Spanned<Positive<SimDuration>>>,
        /// Time in which a deviation halves on average; 7d unless stated.
        "half-life" => half_life: Option<Spanned<Positive<SimDuration>>>,
        /// Standard deviation of the logarithm over time; 7% unless stated.
        "deviation" => deviation: Option<Spanned<Share>>,
        /// Standard deviation of the logarithm between zones; 17% unless stated.
        "zone-spread" => zone_spread: Option<Spanned<Share>>,
    }
}

names! {
    /// Which price a Spot instance pays while it moves.
    pub enum SpotBilledAt {
        /// That at the start of each hour of the instance.
        "instance-hour" => InstanceHour,
        /// That at the start of each clock hour.
        "clock-hour" => ClockHour,
        /// That of each second.
        "second" => Second,
    }
}

union! {
    /// How often Spot instances are interrupted.
    pub enum Interruptions {
        words {
            /// By the published band of each type.
            "advisor" => Advisor,
            /// Never.
            "none" => None,
        }
        /// By a rate of your own.
        [map] => Rate(InterruptionRate),
    }
}

record! {
    /// An interruption rate for all types.
    pub struct InterruptionRate {
        /// Share of instances interrupted within a month.
        "per-month" => per_month: Spanned<Percent>,
    }
}
