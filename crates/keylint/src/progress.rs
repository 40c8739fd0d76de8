//! A line on standard error that says how far a long run is.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Shorter runs show nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const PERIOD: Duration = Duration::from_millis(100);

/// Runs `work`, and while it takes longer than a second writes to `out` how many of `total` files are done. The line
/// is wiped at the end.
pub(crate) fn shown_while<T>(
    total: usize,
    done: &AtomicUsize,
    out: impl Write + Send,
    work: impl FnOnce() -> T,
) -> T {
    std::thread::scope(|scope| {
        let (end, ended) = mpsc::channel::<()>();
        scope.spawn(move || draw(total, done, out, &ended));
        let result = work();
        drop(end);
        result
    })
}

/// Draws until the other end of `ended` is dropped.
fn draw(total: usize, done: &AtomicUsize, mut out: impl Write, ended: &mpsc::Receiver<()>) {
    let mut wait = PATIENCE;
    let mut drawn = false;
    while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        wait = PERIOD;
        drawn = true;
        // Progress that cannot be shown is no reason to fail.
        write!(out, "\r{}", line(done.load(Ordering::Relaxed), total)).and_then(|()| out.flush()).ok();
    }
    if drawn {
        write!(out, "\r\u{1b}[K").and_then(|()| out.flush()).ok();
    }
}

fn line(done: usize, total: usize) -> String {
    const WIDTH: usize = 20;
    let full = (WIDTH * done).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
    format!("Checking [{}{}] {done}/{total} files", "#".repeat(full), " ".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_line_fills_up() {
        assert_eq!(line(0, 10), "Checking [                    ] 0/10 files");
        assert_eq!(line(5, 10), "Checking [##########          ] 5/10 files");
        assert_eq!(line(10, 10), "Checking [####################] 10/10 files");
    }

    #[test]
    fn a_short_run_shows_nothing_and_a_long_one_cleans_up() {
        let done = AtomicUsize::new(1);
        let mut out = Vec::new();
        assert_eq!(shown_while(2, &done, &mut out, || 7), 7);
        assert_eq!(out, b"");
        shown_while(2, &done, &mut out, || std::thread::sleep(PATIENCE + PERIOD));
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("\rChecking [##########          ] 1/2 files"), "{out:?}");
        assert!(out.ends_with("\r\u{1b}[K"), "{out:?}");
    }
}
