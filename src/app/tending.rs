use crate::broker::Broker;
use std::sync::Arc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The tasks that take in what the sources of one configuration tell by themselves. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Tending(CancellationToken);

impl Tending {
    /// Starts one task for each source that may have something to tell.
    pub(super) fn start(broker: &Arc<Broker>) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        for timed in broker.readers().iter().filter(|timed| !timed.reader.source().is_local()) {
            let (broker, reader) = (Arc::clone(broker), Arc::clone(&timed.reader));
            tasks.spawn(stop.clone().run_until_cancelled_owned(async move { broker.tend(&reader).await }));
        }
        Self(stop)
    }

    /// Says when they have been ended.
    pub(super) fn ended(&self) -> CancellationToken {
        self.0.clone()
    }

    /// Ends them.
    pub(super) fn stop(&self) {
        self.0.cancel();
    }
}

impl Drop for Tending {
    fn drop(&mut self) {
        self.stop();
    }
}
