use super::{Event, Outcome};
use crate::{
    clock::Clock,
    model::{Answer, Caller, Fault, Lookup, Name, Team},
    telemetry::{Counter, Counters},
};
use std::{
    fmt,
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Records decisions. Clones share the queue; the writing is done by a thread of its own.
#[derive(Clone)]
pub struct Audit {
    /// `None` where nothing is to be written.
    queue: Option<SyncSender<Event>>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

/// Events that may wait to be written; about 300 bytes each.
pub(super) const QUEUE: usize = 8192;

impl Audit {
    /// Records nothing.
    pub fn off(clock: Arc<dyn Clock>, counters: Arc<Counters>) -> Self {
        Self { queue: None, clock, counters }
    }

    /// Records to `output`, one line an event. The thread ends when every clone is dropped and all is written; join it to wait for that.
    ///
    /// # Errors
    /// Where the thread cannot be started.
    pub fn start(
        output: impl Write + Send + 'static,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = sync_channel(QUEUE);
        let writer_counters = Arc::clone(&counters);
        let thread = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || write_all(&receiver, output, &writer_counters))?;
        Ok((Self { queue: Some(sender), clock, counters }, thread))
    }

    /// Opens the event of a request that came in now.
    pub fn begin<'a>(&'a self, caller: &'a Caller, kind: &'static str, lookup: Option<&'a Lookup>) -> Pending<'a> {
        let (name, team) = (lookup.map(|lookup| &lookup.name), lookup.and_then(|lookup| lookup.team.as_ref()));
        Pending { audit: self, caller, kind, name, team, time: self.clock.wall(), ended: false }
    }

    /// Opens the event of a request for something of a grant that came in now.
    pub fn begin_grant<'a>(&'a self, caller: &'a Caller, kind: &'static str, grant: &'a Name) -> Pending<'a> {
        Pending { audit: self, caller, kind, name: Some(grant), team: None, time: self.clock.wall(), ended: false }
    }
}

/// An event whose outcome is not known yet. Dropped without one, it is recorded as abandoned.
#[derive(Debug)]
pub struct Pending<'a> {
    audit: &'a Audit,
    caller: &'a Caller,
    kind: &'static str,
    name: Option<&'a Name>,
    team: Option<&'a Team>,
    time: std::time::SystemTime,
    ended: bool,
}

impl Pending<'_> {
    /// Records how a lookup ended.
    pub fn end(self, result: &Result<Option<Answer>, Fault>) {
        self.end_as(|| Outcome::of(result));
    }

    /// Records how it ended.
    pub fn end_as(mut self, outcome: impl FnOnce() -> Outcome) {
        self.ended = true;
        self.record(outcome);
    }

    fn record(&self, outcome: impl FnOnce() -> Outcome) {
        let Some(queue) = &self.audit.queue else { return };
        let event = Event {
            time: self.time,
            caller: self.caller.clone(),
            kind: self.kind,
            name: self.name.cloned(),
            team: self.team.cloned(),
            outcome: outcome(),
        };
        if queue.try_send(event).is_err() {
            self.audit.counters.count(Counter::AuditDropped);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.record(|| Outcome::Abandoned);
        }
    }
}

/// How long the writer rests after each batch. While it rests, recording wakes nobody: a lookup costs a queue's push and no system call.
const REST: Duration = Duration::from_millis(5);

/// Most lines of one write.
pub(super) const BATCH: usize = 256;

fn write_all(queue: &Receiver<Event>, mut output: impl Write, counters: &Counters) {
    while let Ok(first) = queue.recv() {
        let mut lines = first.to_line();
        let more = queue.try_iter().take(BATCH - 1).map(|event| lines.push_str(&event.to_line())).count();
        // What cannot be written is lost, and counted: a full disk must not stop lookups.
        if output.write_all(lines.as_bytes()).and_then(|()| output.flush()).is_err() {
            (0..=more).for_each(|_| counters.count(Counter::AuditDropped));
        }
        if more + 1 < BATCH {
            thread::park_timeout(REST);
        }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("on", &self.queue.is_some()).finish_non_exhaustive()
    }
}
