//! What a test's own thread logs, all of it, whoever logs it.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex},
};
use tracing::{Dispatch, level_filters::LevelFilter, subscriber::DefaultGuard};

/// One more than the test's. While there is only one, tracing asks the thread that comes upon a log line first whether anybody wants it, and
/// remembers its "no" for the others.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));

/// Collects until it is dropped.
pub(crate) struct Log {
    text: Text,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn start(level: LevelFilter) -> Self {
        LazyLock::force(&ANOTHER);
        let text = Text::default();
        let writer = text.clone();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(move || writer.clone());
        let guard = tracing::subscriber::set_default(subscriber.finish());
        Self { text, _guard: guard }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.text.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
