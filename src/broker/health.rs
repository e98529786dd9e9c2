use crate::model::{Fault, FaultKind};
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

/// Whether a source could be asked when it was last asked, and since when it cannot.
#[derive(Debug, Default)]
pub struct Health {
    reads: AtomicU64,
    unwell: Mutex<Option<(FaultKind, SystemTime)>>,
}

impl Health {
    /// Notes how a read ended at `now`; answers since when reads have ended in such faults, if this one did.
    pub(super) fn note<T>(&self, read: &Result<T, Fault>, now: SystemTime) -> Option<SystemTime> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let mut unwell = self.lock();
        *unwell = match read {
            Err(fault) if fault.kind().is_unavailable() => Some((fault.kind(), unwell.map_or(now, |(_, since)| since))),
            // A refusal is an answer: whoever refuses can be asked.
            Ok(_) | Err(_) => None,
        };
        unwell.map(|(_, since)| since)
    }

    /// The newest fault's kind and since when, while the source cannot be asked.
    pub fn unwell(&self) -> Option<(FaultKind, SystemTime)> {
        *self.lock()
    }

    /// Reads since start.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(FaultKind, SystemTime)>> {
        self.unwell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
