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

/// An output that takes one line each time it is told to, or fails when nobody tells it any more.
struct Slow {
    go: mpsc::Receiver<()>,
    lines: mpsc::Sender<String>,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.go.recv().map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        self.lines.send(String::from_utf8_lossy(bytes).into_owned()).unwrap();
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
    // The writer holds one; the queue holds as many as it may; the rest is lost.
    record(&audit, "first");
    go.send(()).unwrap();
    assert!(written.recv().unwrap().contains("\"name\":\"first\""));
    let more = writer::QUEUE + 10;
    (0..more).for_each(|number| record(&audit, &number.to_string()));
    let dropped = counters.get(Counter::AuditDropped);
    assert!((9..=10).contains(&dropped), "{dropped} lines were dropped");
    let kept = more - usize::try_from(dropped).unwrap();
    drop(audit);
    (0..kept).for_each(|_| go.send(()).unwrap());
    writer.join().unwrap();
    assert_eq!(written.iter().count(), kept);
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
