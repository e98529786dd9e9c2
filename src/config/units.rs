use super::shape::{Parse, Wrong};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// A duration such as `90s`, `5m`, `1h30m` or `7d`, within bounds.
pub(super) struct DurationOf {
    pub(super) max: Duration,
}

const DURATION_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl Parse for DurationOf {
    type Out = Duration;

    fn noun(&self) -> &'static str {
        "a duration"
    }

    fn parse(&self, text: &str) -> Result<Duration, Wrong> {
        let no_duration = || Wrong::new("this is no duration", "write it as `90s`, `5m`, `12h` or `7d`");
        let mut rest = text;
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (number, after) = split_number(rest).ok_or_else(no_duration)?;
            let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let (unit, next) = after.split_at(unit_end);
            let (_, millis) = DURATION_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(no_duration)?;
            total =
                number.checked_mul(*millis).and_then(|more| total.checked_add(more)).ok_or_else(|| self.too_long())?;
            rest = next;
        }
        let duration = Duration::from_millis(total);
        match duration {
            _ if text.is_empty() => Err(no_duration()),
            _ if duration > self.max => Err(self.too_long()),
            _ => Ok(duration),
        }
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": "^([0-9]+(d|h|ms|m|s))+$"})
    }

    fn show(&self, duration: &Duration) -> Json {
        show_duration(*duration).into()
    }
}

impl DurationOf {
    fn too_long(&self) -> Wrong {
        {
            let max = show_duration(self.max);
            Wrong::new(format!("this is longer than {max}"), format!("write {max} or less"))
        }
    }
}

fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (unit, size) =
        DURATION_UNITS.iter().find(|(_, size)| millis >= *size && millis.is_multiple_of(*size)).unwrap_or(&("s", 1));
    format!("{}{unit}", millis / size)
}

/// A size in bytes such as `64MiB`, within bounds.
pub(super) struct SizeOf {
    pub(super) min: u64,
    pub(super) max: u64,
}

const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

impl Parse for SizeOf {
    type Out = u64;

    fn noun(&self) -> &'static str {
        "a size"
    }

    fn parse(&self, text: &str) -> Result<u64, Wrong> {
        let no_size = || Wrong::new("this is no size", "write it as `512KiB`, `64MiB`, `1GiB` or as a number of bytes");
        let (number, unit) = split_number(text).ok_or_else(no_size)?;
        let (_, bytes) = SIZE_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(no_size)?;
        match number.checked_mul(*bytes) {
            Some(size) if size < self.min => {
                let min = show_size(self.min);
                Err(Wrong::new(format!("this is less than {min}"), format!("write {min} or more")))
            }
            Some(size) if size <= self.max => Ok(size),
            _ => {
                let max = show_size(self.max);
                Err(Wrong::new(format!("this is more than {max}"), format!("write {max} or less")))
            }
        }
    }

    fn schema(&self) -> Json {
        json!({"type": ["string", "integer"], "pattern": "^[0-9]+(KiB|MiB|GiB)?$", "minimum": self.min, "maximum": self.max})
    }

    fn show(&self, size: &u64) -> Json {
        show_size(*size).into()
    }
}

fn show_size(size: u64) -> String {
    let (unit, bytes) =
        SIZE_UNITS.iter().find(|(_, bytes)| size >= *bytes && size.is_multiple_of(*bytes)).unwrap_or(&("", 1));
    format!("{}{unit}", size / bytes)
}

/// A number of things, within bounds.
pub(super) struct CountOf {
    pub(super) min: u32,
    pub(super) max: u32,
}

impl Parse for CountOf {
    type Out = u32;

    fn noun(&self) -> &'static str {
        "a number"
    }

    fn parse(&self, text: &str) -> Result<u32, Wrong> {
        match split_number(text) {
            Some((number, "")) if number < u64::from(self.min) => {
                Err(Wrong::new(format!("this is less than {}", self.min), format!("write {} or more", self.min)))
            }
            Some((number, "")) => u32::try_from(number).ok().filter(|count| *count <= self.max).ok_or_else(|| {
                Wrong::new(format!("this is more than {}", self.max), format!("write {} or less", self.max))
            }),
            _ => Err(Wrong::new("this is no number", "write it in digits, such as `200`")),
        }
    }

    fn schema(&self) -> Json {
        json!({"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": self.min, "maximum": self.max})
    }

    fn show(&self, count: &u32) -> Json {
        (*count).into()
    }
}

/// The digits that a text begins with, as a number, and what follows. A number beyond 64 bits is as good as the largest.
fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (!digits.is_empty()).then(|| (digits.parse().unwrap_or(u64::MAX), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: DurationOf = DurationOf { max: Duration::from_hours(30 * 24) };
    const SIZES: SizeOf = SizeOf { min: 1 << 20, max: 1 << 40 };

    #[test]
    fn durations_have_units_and_add_up() {
        for (text, millis) in [
            ("90s", 90_000),
            ("5m", 300_000),
            ("12h", 43_200_000),
            ("7d", 604_800_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("0s", 0),
        ] {
            assert_eq!(DAYS.parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "m", "5 m", "-5m", "5M", "1.5h", "5m ", "5min", "s5", "٣s"] {
            assert_eq!(DAYS.parse(text).unwrap_err().message, "this is no duration", "{text:?}");
        }
        for text in ["31d", "30d1ms", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(DAYS.parse(text).unwrap_err().message, "this is longer than 30d", "{text}");
        }
    }

    #[test]
    fn sizes_are_binary_or_plain_bytes() {
        for (text, bytes) in [("64MiB", 64 << 20), ("1GiB", 1 << 30), ("2048KiB", 2 << 20), ("1048576", 1 << 20)] {
            assert_eq!(SIZES.parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "64MB", "64M", "64 MiB", "-1", "1.5GiB", "0x10"] {
            assert_eq!(SIZES.parse(text).unwrap_err().message, "this is no size", "{text:?}");
        }
        assert_eq!(SIZES.parse("1023KiB").unwrap_err().message, "this is less than 1MiB");
        assert_eq!(SIZES.parse("99999999999999999999GiB").unwrap_err().message, "this is more than 1024GiB");
    }

    #[test]
    fn counts_are_digits_within_their_bounds() {
        let count = CountOf { min: 1, max: 100 };
        assert_eq!([count.parse("1"), count.parse("100")], [Ok(1), Ok(100)]);
        for (text, message) in [
            ("0", "this is less than 1"),
            ("101", "this is more than 100"),
            ("99999999999999999999", "this is more than 100"),
            ("", "this is no number"),
            ("-1", "this is no number"),
            ("1.5", "this is no number"),
            ("1k", "this is no number"),
        ] {
            assert_eq!(count.parse(text).unwrap_err().message, message, "{text:?}");
        }
    }

    #[test]
    fn values_are_shown_as_they_are_written() {
        for text in ["90s", "5m", "12h", "7d", "250ms"] {
            assert_eq!(DAYS.show(&DAYS.parse(text).unwrap()), text);
        }
        assert_eq!(SIZES.show(&SIZES.parse("64MiB").unwrap()), "64MiB");
    }
}
