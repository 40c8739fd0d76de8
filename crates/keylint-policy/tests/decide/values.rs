//! Numbers, times, addresses. `None`: not in a documented form.

use std::net::IpAddr;

pub(super) fn number(text: &str) -> Option<f64> {
    let documented = text.chars().all(|character| character.is_ascii_digit() || "-.".contains(character));
    text.parse().ok().filter(|_| documented)
}

/// Seconds since 1970, from one of the W3C's forms of ISO 8601 (in UTC) or a number of seconds.
///
/// <https://www.w3.org/TR/NOTE-datetime>
pub(super) fn time(text: &str) -> Option<i64> {
    if text.len() > 4 && text.chars().all(|character| character.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_of = |month: i64| match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: i64 = (1..month).map(days_of).sum();
    let days = years + months + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let numbers: Vec<i64> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// Whether an address lies in a range such as `203.0.113.0/24`; a range without `/` is one address.
pub(super) fn in_range(range: &str, address: &str) -> Option<bool> {
    let (base, length) = match range.split_once('/') {
        Some((base, length)) => (base, Some(length.parse::<usize>().ok()?)),
        None => (range, None),
    };
    let (base, address) = (bits(base)?, bits(address)?);
    let length = length.unwrap_or(base.len());
    if length > base.len() {
        return None;
    }
    Some(base.len() == address.len() && base[..length] == address[..length])
}

fn bits(address: &str) -> Option<Vec<bool>> {
    let octets = match address.parse().ok()? {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    Some(octets.into_iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1)).collect())
}
