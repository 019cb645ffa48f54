//! A progress bar on stderr, only where a person watches.

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
