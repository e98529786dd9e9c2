use super::{
    Limits,
    heads::{At, Heads},
    link::Link,
};
use crate::telemetry::{Counter, Counters};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// A connection's bytes, with the time limits that hyper does not have (it takes a connection at rest for a slow head) and with [`Heads`]
/// looking on.
pub(super) struct Wire<S> {
    stream: S,
    link: Arc<Link>,
    counters: Arc<Counters>,
    limits: Limits,
    heads: Heads,
    reading: Timer<(Wait, u64)>,
    writing: Timer<u64>,
    reads: u64,
    writes: u64,
}

/// What a read waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Request,
    Head,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, link: Arc<Link>, counters: Arc<Counters>, limits: &Limits) -> Self {
        let (reading, writing) = (Timer::default(), Timer::default());
        Self {
            stream,
            link,
            counters,
            limits: limits.clone(),
            heads: Heads::new(),
            reading,
            writing,
            reads: 0,
            writes: 0,
        }
    }

    /// What came in; only new bytes are given.
    fn take(&mut self, bytes: &[u8]) {
        self.reads += 1;
        self.heads.feed(bytes);
        if let Some(number) = self.heads.ambiguous() {
            self.link.refuse(number);
        }
    }

    /// Nothing came in: how long may that last?
    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (wait, limit) = match self.heads.at() {
            At::Rest => ((Wait::Request, self.heads.ended()), self.limits.idle),
            At::Head => ((Wait::Head, self.heads.ended()), self.limits.head_read),
            At::Off if self.heads.is_http2() => ((Wait::Request, self.reads), self.limits.idle),
            // A body's reader has its own limit.
            At::Body(_) | At::Off => return Poll::Pending,
        };
        ready!(self.reading.poll(cx, wait, limit));
        match wait {
            // hyper says good-bye as the protocol has it, which ends in an end of file here.
            (Wait::Request, _) => {
                self.link.rest();
                Poll::Pending
            }
            (Wait::Head, _) => Poll::Ready(self.too_slow("the request's head")),
        }
    }

    fn poll_written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.writes += 1;
            return written;
        }
        self.writing.poll(cx, self.writes, self.limits.write).map(|()| Err(self.too_slow("reading the answer")))
    }

    fn too_slow(&self, what: &str) -> io::Error {
        self.counters.count(Counter::ConnectionsTooSlow);
        io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => self.take(&buf.filled()[before..]),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return self.poll_wait(cx).map(Err),
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.poll_written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.poll_written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A timer that starts over whenever what it times is another thing, and costs nothing until somebody waits.
struct Timer<K> {
    timed: Option<K>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<K> Default for Timer<K> {
    fn default() -> Self {
        Self { timed: None, sleep: None }
    }
}

impl<K: Copy + PartialEq> Timer<K> {
    fn poll(&mut self, cx: &mut Context<'_>, what: K, limit: Duration) -> Poll<()> {
        if self.timed != Some(what) {
            self.timed = Some(what);
            match &mut self.sleep {
                Some(timer) => timer.set(sleep(limit)),
                None => self.sleep = Some(Box::pin(sleep(limit))),
            }
        }
        self.sleep.as_mut().map_or(Poll::Pending, |timer| timer.as_mut().poll(cx))
    }
}
