//! Times and memory of whole processes.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;

/// How long two programs took that ran by turns.
pub(crate) struct Alternated {
    /// The median time of the first.
    pub(crate) first: Duration,
    /// The median time of the second.
    pub(crate) second: Duration,
    /// The median, over the rounds, of the first's time divided by the second's in the same round.
    pub(crate) ratio: f64,
    pub(crate) rounds: usize,
}

/// Runs two programs by turns, so that whatever else the machine does meets both alike. The first round, which reads
/// the files into the system's cache, does not count.
pub(crate) fn alternately(
    rounds: usize,
    first: impl Fn() -> Command,
    second: impl Fn() -> Command,
) -> Outcome<Alternated> {
    let mut times = Vec::new();
    for _ in 0..=rounds.max(1) {
        times.push((time(&mut first())?, time(&mut second())?));
    }
    times.remove(0);
    Ok(Alternated {
        first: median(times.iter().map(|time| time.0)).unwrap_or_default(),
        second: median(times.iter().map(|time| time.1)).unwrap_or_default(),
        ratio: median(times.iter().map(|time| time.0.as_secs_f64() / time.1.as_secs_f64()))
            .unwrap_or_default(),
        rounds: times.len(),
    })
}

fn time(command: &mut Command) -> Outcome<Duration> {
    let start = Instant::now();
    let mut child = start_quietly(command)?;
    let status = child.wait()?;
    let time = start.elapsed();
    // keylint's 1 says that it found something, and its 2 that one of the files is no JSON, as it should be.
    match status.code() {
        Some(0..=2) => Ok(time),
        _ => Err(format!("{command:?} ended with {status}").into()),
    }
}

fn start_quietly(command: &mut Command) -> Outcome<Child> {
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn median<T: PartialOrd>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_by(|left, right| left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal));
    let middle = values.len() / 2;
    values.into_iter().nth(middle)
}

/// The most memory that a program had at one time, in bytes; nothing where the system does not tell.
pub(crate) fn peak_memory(command: &mut Command) -> Outcome<Option<u64>> {
    let mut child = start_quietly(command)?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    // The system keeps the high-water mark, so asking often only narrows what the last moment can hide.
    while child.try_wait()?.is_none() {
        peak = peak.max(fs::read_to_string(&status).ok().as_deref().and_then(high_water_mark));
        thread::sleep(Duration::from_millis(1));
    }
    Ok(peak)
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([3, 1, 2].into_iter()), Some(2));
        assert_eq!(median(std::iter::empty::<u8>()), None);
    }

    #[test]
    fn the_high_water_mark_is_read_from_the_status_of_a_process() {
        assert_eq!(high_water_mark("VmPeak:\t  9 kB\nVmHWM:\t  5420 kB\n"), Some(5420 * 1024));
        assert_eq!(high_water_mark("Name:\tx\n"), None);
    }
}
