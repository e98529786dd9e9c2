use super::Key;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Tells whoever wants to know of which keys something else is held than before, or nothing any more.
pub(super) struct Changes(broadcast::Sender<Arc<[Key]>>);

/// Hears of changes; who is too slow hears that it missed some.
pub type Changed = broadcast::Receiver<Arc<[Key]>>;

/// Most messages that wait for the slowest who listens.
const MOST_WAITING: usize = 256;

impl Changes {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(MOST_WAITING))
    }

    pub(super) fn tell(&self, keys: impl Into<Arc<[Key]>>) {
        // Nobody may be listening, which costs nothing.
        if self.0.receiver_count() > 0 {
            let _ = self.0.send(keys.into());
        }
    }

    pub(super) fn listen(&self) -> Changed {
        self.0.subscribe()
    }
}
