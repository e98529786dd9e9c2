use super::{Changing, Limits, convert, status::Refusal};
use crate::{
    model::{Changes, Fault, FaultKind},
    proto::v1,
};
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// What goes out to one who watches.
pub(super) type Messages = BoxStream<'static, Result<v1::WatchResponse, Status>>;

/// What is told, until it ends or the process does: what changed, with what changes shortly after; and a message without names whenever nothing has been
/// said for a while, which shows each side that the other is there.
pub(super) fn messages(changes: Changing, limits: &Limits, closing: CancellationToken) -> Messages {
    let pace = Pace { gather: limits.watch_gather, beat: limits.watch_beat, names: limits.watch_names };
    let start = Watching { changes, pace, closing, left: Changes::default(), end: None };
    let told = stream::unfold(Some(start), |watching| async {
        let mut watching = watching?;
        match watching.next().await {
            Ok(message) => Some((Ok(message), Some(watching))),
            Err(fault) => Some((Err(Refusal::from(fault).to_grpc()), None)),
        }
    });
    told.boxed()
}

#[derive(Clone, Copy)]
struct Pace {
    gather: Duration,
    beat: Duration,
    names: usize,
}

struct Watching {
    changes: Changing,
    pace: Pace,
    closing: CancellationToken,
    /// What did not fit into the last message.
    left: Changes,
    /// Why it ends once that has been told.
    end: Option<Fault>,
}

impl Watching {
    async fn next(&mut self) -> Result<v1::WatchResponse, Fault> {
        if self.left.is_empty() {
            if let Some(fault) = self.end.take() {
                return Err(fault);
            }
            tokio::select! {
                biased;
                () = self.closing.cancelled() => {
                    return Err(Fault::new(FaultKind::Interrupted, "valet is shutting down; watch again, and ask again for what is held"));
                }
                told = self.changes.next() => self.take(told),
                () = sleep(self.pace.beat) => return Ok(v1::WatchResponse::default()),
            }
            self.gather().await;
        }
        if let (true, Some(fault)) = (self.left.is_empty(), self.end.take()) {
            return Err(fault);
        }
        Ok(convert::changes(self.part()))
    }

    /// A change seldom comes alone.
    async fn gather(&mut self) {
        let time = self.pace.gather;
        let all = async {
            while self.end.is_none() && self.left.names.len() < self.pace.names {
                let told = self.changes.next().await;
                self.take(told);
            }
        };
        // The time being over is as good an end as any.
        let _ = timeout(time, all).await;
    }

    fn take(&mut self, told: Option<Result<Changes, Fault>>) {
        match told {
            Some(Ok(more)) => self.left.add(more),
            Some(Err(fault)) => self.end = Some(fault),
            None => self.end = Some(Fault::new(FaultKind::Interrupted, "there is nothing more to tell; watch again")),
        }
    }

    /// As much of what is left as fits into one message.
    fn part(&mut self) -> Changes {
        let most = self.left.names.len().min(self.pace.names);
        let names = self.left.names.drain(..most).collect();
        Changes { names, grants: std::mem::take(&mut self.left.grants) }
    }
}
