//! A progress bar on stderr where a person watches; plain lines elsewhere,
//! for what may take long.

use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over cells; hidden where stderr is no terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(cells: usize, visible: bool) -> Self {
        let target =
            if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(cells as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} cells, {eta} left") {
            bar.set_style(style);
        }
        Progress(bar)
    }

    pub(super) fn set(&self, done: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// Lines on stderr, one for each tenth of the cells.
pub(super) struct Milestones<'a> {
    console: &'a super::Console,
    /// Cells of the last line.
    said: AtomicUsize,
}

impl<'a> Milestones<'a> {
    pub(super) fn new(console: &'a super::Console) -> Self {
        Milestones { console, said: AtomicUsize::new(0) }
    }

    pub(super) fn set(&self, done: usize, all: usize) {
        let step = (all / 10).max(1);
        let before = self.said.load(Ordering::Relaxed);
        if done >= before + step
            && self
                .said
                .compare_exchange(before, done, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.console.note(&format!("{done} of {all} cells"));
        }
    }
}
