//! How long ago something was.

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long ago a moment was, in words. `millis`: how long, negative for the future; `midnights`:
/// how many have passed since in the page's zone.
pub fn ago(millis: i64, midnights: i64) -> String {
    if millis < -DAY {
        format!("in {} days", -millis / DAY)
    } else if millis < -HOUR {
        format!("in {} h", -millis / HOUR)
    } else if millis <= -MINUTE {
        format!("in {} min", -millis / MINUTE)
    } else if millis < MINUTE {
        "just now".to_owned()
    } else if millis < HOUR {
        format!("{} min ago", millis / MINUTE)
    } else if midnights <= 0 {
        format!("{} h ago", millis / HOUR)
    } else if midnights == 1 {
        "yesterday".to_owned()
    } else {
        format!("{midnights} days ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_minutes_hours_or_days_ago() {
        assert_eq!(ago(20_000, 0), "just now");
        assert_eq!(ago(18 * MINUTE, 0), "18 min ago");
        assert_eq!(ago(7 * MINUTE, 1), "7 min ago");
        assert_eq!(ago(2 * HOUR + MINUTE, 0), "2 h ago");
        assert_eq!(ago(12 * HOUR, 1), "yesterday");
        assert_eq!(ago(19 * DAY, 19), "19 days ago");
        assert_eq!(ago(-5 * MINUTE, 0), "in 5 min");
        assert_eq!(ago(-20 * HOUR, -1), "in 20 h");
    }
}
