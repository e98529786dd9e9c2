use super::*;
use crate::{
    clock::{Clock, ManualClock},
    model::{Caller, Claims, Fault, FaultKind, Kind, Lookup},
    telemetry::{Counter, Counters},
};
use std::{
    io::{self, Write},
    sync::{Arc, mpsc},
    time::SystemTime,
};

/// An output that takes one write each time it is told to, and fails when nobody tells it any more.
struct Slow {
    go: mpsc::Receiver<()>,
    lines: mpsc::Sender<String>,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.go.recv().map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        for line in String::from_utf8_lossy(bytes).lines() {
            self.lines.send(line.to_owned()).unwrap();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn record(audit: &Audit, name: &str) {
    let caller = Caller { listener: "tasks".into(), peer: None, claims: Claims::default() };
    let lookup = Lookup::parse(Kind::Variable, name, "").unwrap();
    audit.begin(&caller, "variable", Some(&lookup)).end(&Err(Fault::new(FaultKind::SourceDown, "down")));
}

#[test]
fn a_slow_output_never_holds_up_a_lookup_and_what_does_not_fit_is_counted() {
    let (go, released) = mpsc::channel();
    let (lines, written) = mpsc::channel();
    let counters = Arc::new(Counters::new());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
    let (audit, writer) = Audit::start(Slow { go: released, lines }, clock, Arc::clone(&counters)).unwrap();
    record(&audit, "first");
    go.send(()).unwrap();
    assert!(written.recv().unwrap().contains("\"name\":\"first\""));
    // The writer takes at most a batch and holds it; the queue holds as many as it may; the rest is lost.
    let more = writer::QUEUE + writer::BATCH + 10;
    (0..more).for_each(|number| record(&audit, &number.to_string()));
    let dropped = usize::try_from(counters.get(Counter::AuditDropped)).unwrap();
    assert!((10..=10 + writer::BATCH).contains(&dropped), "{dropped} lines were dropped");
    drop(audit);
    // More leave than there will be writes; the writer is gone before it has used them all.
    (0..more).for_each(|_| go.send(()).unwrap_or_default());
    writer.join().unwrap();
    assert_eq!(written.try_iter().count(), more - dropped);
}

#[test]
fn a_line_that_cannot_be_written_is_counted() {
    let (go, released) = mpsc::channel();
    let (lines, _written) = mpsc::channel();
    let counters = Arc::new(Counters::new());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
    let (audit, writer) = Audit::start(Slow { go: released, lines }, clock, Arc::clone(&counters)).unwrap();
    drop(go);
    record(&audit, "lost");
    drop(audit);
    writer.join().unwrap();
    assert_eq!(counters.get(Counter::AuditDropped), 1);
}
