//! Numbers, times and address ranges, as condition operators compare them.

use std::net::IpAddr;

/// A number; `None` for what is none, and for what is not finite.
pub fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A point in time, in seconds since the beginning of 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub(super) i64);

impl Moment {
    /// Reads a time as a policy writes it: `2026-11-23T10:00:00Z`, with an offset, as a date alone, or in seconds
    /// since 1970 (the W3C profile of ISO 8601, and what AWS calls epoch time). `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(seconds) = text.parse::<i64>() {
            return Some(Self(seconds));
        }
        let (date, time) = text.split_once(['T', 't']).unwrap_or((text, ""));
        let mut parts = date.splitn(3, '-');
        let year = digits(parts.next()?, 4)?;
        let month = digits(parts.next()?, 2)?;
        let day = digits(parts.next()?, 2)?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        Some(Self(days_since_1970(year, month, day) * 86_400 + Self::seconds_of_day(time)?))
    }

    fn seconds_of_day(time: &str) -> Option<i64> {
        if time.is_empty() {
            return Some(0);
        }
        let (clock, offset) = if let Some(clock) = time.strip_suffix(['Z', 'z']) {
            (clock, 0)
        } else if let Some((clock, offset)) = time.split_once('+') {
            (clock, Self::minutes(offset)?)
        } else {
            let (clock, offset) = time.split_once('-')?;
            (clock, -Self::minutes(offset)?)
        };
        let mut parts = clock.splitn(3, ':');
        let hours = digits(parts.next()?, 2)?;
        let minutes = digits(parts.next()?, 2)?;
        // Fractions of a second are below what a policy can mean.
        let seconds = parts.next().map_or(Some(0), |text| digits(text.split('.').next()?, 2))?;
        Some(hours * 3600 + minutes * 60 + seconds - offset * 60)
    }

    fn minutes(offset: &str) -> Option<i64> {
        let (hours, minutes) = offset.split_once(':')?;
        Some(digits(hours, 2)? * 60 + digits(minutes, 2)?)
    }
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let all = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

/// Days of the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// A range of addresses in CIDR notation; an address alone is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    network: u128,
    length: u32,
    bits: u32,
}

impl Range {
    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or one address. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let (network, bits) = number_of(address.parse().ok()?);
        let length = length.map_or(Some(bits), |length| length.parse().ok())?;
        (length <= bits).then_some(Self { network, length, bits })
    }

    /// Whether an address lies in the range. An IPv4 address lies in no IPv6 range.
    pub fn contains(self, address: IpAddr) -> bool {
        let (address, bits) = number_of(address);
        let differing = (address ^ self.network).checked_shr(self.bits - self.length).unwrap_or(0);
        bits == self.bits && differing == 0
    }

    /// Whether every address of the range lies in another one.
    pub fn is_within(self, other: Self) -> bool {
        let differing = (self.network ^ other.network).checked_shr(other.bits - other.length).unwrap_or(0);
        self.bits == other.bits && self.length >= other.length && differing == 0
    }

    /// The range as it is meant, where its address has bits that the length does not cover: `203.0.113.0/24` for
    /// `203.0.113.9/24`.
    pub fn without_host_bits(self) -> Option<String> {
        let host = self.bits - self.length;
        let network = self.network.checked_shr(host).unwrap_or(0).checked_shl(host).unwrap_or(0);
        if network == self.network {
            return None;
        }
        let address = match u32::try_from(network) {
            Ok(network) if self.bits == 32 => IpAddr::V4(network.into()),
            _ => IpAddr::V6(network.into()),
        };
        Some(format!("{address}/{}", self.length))
    }
}

fn number_of(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn times_in_every_form_that_a_policy_writes() {
        let seconds = |text| Moment::parse(text).map(|moment| moment.0);
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2026-11-23T10:30:05Z"), Some(1_795_429_805));
        assert_eq!(seconds("2026-11-23T12:30:05+02:00"), Some(1_795_429_805));
        assert_eq!(seconds("2026-11-23T10:30Z"), Some(1_795_429_800));
        assert_eq!(seconds("2024-02-29"), Some(1_709_164_800));
        assert_eq!(seconds("1795429805"), Some(1_795_429_805));
        for wrong in ["", "yesterday", "2026-13-01", "2026-11-23T10", "26-11-23", "2026-11-23T1é:00Z"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_and_ranges() {
        let contains =
            |range, address: &str| Range::parse(range).map(|r| r.contains(address.parse().unwrap()));
        assert_eq!(contains("203.0.113.0/24", "203.0.113.77"), Some(true));
        assert_eq!(contains("203.0.113.0/24", "203.0.114.1"), Some(false));
        assert_eq!(contains("0.0.0.0/0", "8.8.8.8"), Some(true));
        assert_eq!(contains("203.0.113.9", "203.0.113.9"), Some(true));
        assert_eq!(contains("2001:db8::/32", "2001:db8:1::1"), Some(true));
        assert_eq!(contains("::/0", "203.0.113.9"), Some(false));
        assert_eq!(Range::parse("203.0.113.0/33"), None);
        assert_eq!(Range::parse("example"), None);
        let meant = |range| Range::parse(range).and_then(Range::without_host_bits);
        assert_eq!(meant("203.0.113.9/24").as_deref(), Some("203.0.113.0/24"));
        assert_eq!(meant("2001:db8::1/32").as_deref(), Some("2001:db8::/32"));
        assert_eq!(meant("203.0.113.9"), None);
        let within = |inner, outer| Range::parse(inner).zip(Range::parse(outer)).map(|(i, o)| i.is_within(o));
        assert_eq!(within("10.1.0.0/16", "10.0.0.0/8"), Some(true));
        assert_eq!(within("10.0.0.0/7", "10.0.0.0/8"), Some(false));
        assert_eq!(within("::a00:1", "10.0.0.0/8"), Some(false));
    }
}
