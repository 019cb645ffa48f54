//! Means over windows of time, where a chart has fewer pixels than steps.

use super::scale::{DAY, HOUR, MINUTE, finite};

/// Windows within a day. Each divides it, so that a daily pattern meets the
/// same windows every day: windows of 21 hours would draw it as a pattern of
/// seven days that nothing has.
const WITHIN_A_DAY: [i64; 13] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    12 * HOUR,
];

/// Length of the windows, milliseconds, of which `steps` steps fill at most
/// `most`: the step itself where they are few enough, beyond a day whole days.
pub(super) fn window(step_ms: i64, steps: usize, most: usize) -> i64 {
    let (step, most) = (step_ms.max(1), most.max(1) as i128);
    if steps as i128 <= most {
        return step;
    }
    let least = (i128::from(step) * steps as i128 + most - 1) / most;
    let day = i128::from(DAY);
    let days = (least + day - 1) / day * day;
    WITHIN_A_DAY
        .into_iter()
        .find(|w| i128::from(*w) >= least)
        .unwrap_or_else(|| i64::try_from(days).unwrap_or(i64::MAX))
}

/// Means over windows from the start on, of values that hold for a step each;
/// the last step and the last window end with `length_ms`.
pub(super) fn means(values: &[f64], step_ms: i64, window_ms: i64, length_ms: i64) -> Vec<f64> {
    let (step, window) = (i128::from(step_ms.max(1)), i128::from(window_ms.max(1)));
    if window <= step {
        return values.iter().map(|v| finite(*v)).collect();
    }
    let whole = step * values.len() as i128;
    let length = if length_ms > 0 { whole.min(i128::from(length_ms)) } else { whole };
    let mut means = Vec::new();
    let mut from = 0;
    while from < length {
        let to = (from + window).min(length);
        let (first, last) = ((from / step) as usize, ((to - 1) / step) as usize);
        let steps = values.get(first..=last).unwrap_or_default().iter();
        let sum: f64 = (first..)
            .zip(steps)
            .map(|(i, value)| {
                let begin = step * i as i128;
                finite(*value) * ((begin + step).min(to) - begin.max(from)) as f64
            })
            .sum();
        means.push(sum / (to - from) as f64);
        from = to;
    }
    means
}

/// What a unit is called where means over a window are drawn.
pub(super) fn unit(unit: &str, step_ms: i64, window_ms: i64) -> String {
    match window_ms {
        w if w <= step_ms => unit.to_owned(),
        DAY => format!("{unit}, daily means"),
        w if w % DAY == 0 => format!("{unit}, means of {} days", w / DAY),
        w if w % HOUR == 0 => format!("{unit}, means of {} h", w / HOUR),
        w => format!("{unit}, means of {} min", w / MINUTE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_divide_a_day_or_are_whole_days() {
        assert_eq!(window(HOUR, 168, 420), HOUR);
        // 168 h in 100 windows: 1.68 h at least.
        assert_eq!(window(HOUR, 168, 100), 2 * HOUR);
        // A year in 420: 20.9 h at least; in 175: 50.1 h.
        assert_eq!(window(HOUR, 8_760, 420), DAY);
        assert_eq!(window(HOUR, 8_760, 175), 3 * DAY);
        assert_eq!(window(512 * MINUTE, 1_027, 420), DAY);
        assert_eq!((window(0, 0, 0), window(i64::MAX, 3, 1)), (1, i64::MAX));
    }

    #[test]
    fn means_weigh_by_time() {
        let of = |values: &[f64], step, window, length| means(values, step, window, length);
        assert_eq!(of(&[1.0, 3.0, 5.0, 7.0, 9.0], 10, 20, 50), [2.0, 6.0, 9.0]);
        // Ten of the first step, five of the second; five and ten; a rest.
        assert_eq!(of(&[1.0, 4.0, 7.0, 9.0], 10, 15, 40), [2.0, 6.0, 9.0]);
        // The last step ends with the run, after 5 of its 10.
        assert_eq!(of(&[2.0, 8.0], 10, 20, 15), [4.0]);
        assert_eq!(of(&[f64::NAN, 2.0], 1, 2, 2), [1.0]);
        assert_eq!(of(&[1.0, f64::INFINITY], 1, 1, 2), [1.0, 0.0]);
        assert!(of(&[], 1, 2, 0).is_empty());
    }

    #[test]
    fn a_daily_pattern_is_level_in_daily_means() {
        let hours: Vec<f64> = (0..8_760).map(|h| f64::from(u8::from(h % 24 >= 8))).collect();
        let means = means(&hours, HOUR, window(HOUR, hours.len(), 420), 8_760 * HOUR);
        assert_eq!(means.len(), 365);
        assert!(means.iter().all(|m| (m - 16.0 / 24.0).abs() < 1e-9));
    }

    #[test]
    fn units_say_what_they_average() {
        assert_eq!(unit("nodes", HOUR, HOUR), "nodes");
        assert_eq!(unit("nodes", HOUR, 2 * HOUR), "nodes, means of 2 h");
        assert_eq!(unit("nodes", HOUR, DAY), "nodes, daily means");
        assert_eq!(unit("nodes", HOUR, 3 * DAY), "nodes, means of 3 days");
        assert_eq!(unit("nodes", MINUTE, 15 * MINUTE), "nodes, means of 15 min");
    }
}
