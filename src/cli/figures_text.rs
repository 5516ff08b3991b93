//! Figures for people: bytes, times, rates; short, and with their unit.

/// Bytes.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
pub(super) fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        _ if count >= 1_048_576.0 => format!("{:.1} MiB", count / 1_048_576.0),
        _ if count >= 1024.0 => format!("{:.1} KiB", count / 1024.0),
        _ => format!("{count:.0} bytes"),
    }
}

/// A time from seconds on.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 48.0 * 3600.0 => format!("{:.1} days", seconds / 86_400.0),
        _ if seconds >= 2.0 * 3600.0 => format!("{:.1} h", seconds / 3600.0),
        _ if seconds >= 120.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{seconds:.0} s"),
    }
}

/// A time that may be much shorter.
pub(super) fn latency(seconds: f64) -> String {
    match seconds * 1000.0 {
        millis if millis >= 1000.0 => format!("{seconds:.1} s"),
        millis if millis >= 10.0 => format!("{millis:.0} ms"),
        millis => format!("{millis:.1} ms"),
    }
}

/// So many a second; by the minute or hour where a second is too short for one.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        _ if per_second >= 10.0 => format!("{per_second:.0}/s"),
        _ if per_second >= 0.1 => format!("{per_second:.1}/s"),
        _ if per_second >= 1.0 / 60.0 => format!("{:.1}/min", per_second * 60.0),
        _ if per_second > 0.0 => format!("{:.1}/h", per_second * 3600.0),
        _ => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_a_unit() {
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(64 << 20), "64.0 MiB");
        assert_eq!(time(119.0), "119 s");
        assert_eq!(time(240.0), "4 min");
        assert_eq!(time(30.0 * 3600.0), "30.0 h");
        assert_eq!(latency(0.0034), "3.4 ms");
        assert_eq!(latency(0.5), "500 ms");
        assert_eq!(latency(2.0), "2.0 s");
        assert_eq!(rate(12.4), "12/s");
        assert_eq!(rate(0.05), "3.0/min");
        assert_eq!(rate(0.001), "3.6/h");
        assert_eq!(rate(0.0), "-");
    }
}
