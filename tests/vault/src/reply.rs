//! Answers before they become HTTP: a status, headers and a whole body, and the ways in which one may leave the machine. The pacing
//! body is the only part that waits.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame};
use serde_json::Value;
use tokio::time::{Sleep, sleep};

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Few, and small: an answer is also an error type here.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self { status, headers, body: body.into() }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Adds a header; text that no header can hold is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

/// How an answer leaves.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// At once.
    Whole(Reply),
    /// Headers at once, the body over this time.
    Paced(Reply, Duration),
    /// Half of the body, then the end of the connection.
    Cut(Reply),
    /// Not at all: the connection is reset.
    Reset,
}

impl Outcome {
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(reply) | Self::Paced(reply, _) | Self::Cut(reply) => Some(reply.status.as_u16()),
            Self::Reset => None,
        }
    }

    /// The HTTP answer, or none for a reset.
    pub(crate) fn into_response(self) -> Option<Response<PacedBody>> {
        let (reply, body) = match self {
            Self::Whole(reply) => {
                let body = PacedBody::new([Part::Data(reply.body.clone())]);
                (reply, body)
            }
            Self::Paced(reply, over) => {
                let piece = reply.body.len().div_ceil(PIECES).max(1);
                let pause = over / u32::try_from(PIECES).unwrap_or(u32::MAX);
                let pieces = reply.body.chunks(piece).map(Bytes::copy_from_slice);
                let parts = pieces.flat_map(|bytes| [Part::Pause(pause), Part::Data(bytes)]);
                let body = PacedBody::new(parts.collect::<Vec<_>>());
                (reply, body)
            }
            Self::Cut(reply) => {
                let half = reply.body.slice(..reply.body.len() / 2);
                (reply, PacedBody::new([Part::Data(half), Part::Flush, Part::Cut]))
            }
            Self::Reset => return None,
        };
        let mut response = Response::new(body);
        *response.status_mut() = reply.status;
        response.headers_mut().extend(reply.headers);
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
        Some(response)
    }
}

enum Part {
    Data(Bytes),
    Pause(Duration),
    /// Not ready once: the server flushes what it has before it asks again.
    Flush,
    Cut,
}

/// A body that is sent part by part.
pub(crate) struct PacedBody {
    parts: VecDeque<Part>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl PacedBody {
    fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        let used = |part: &Part| !matches!(part, Part::Data(bytes) if bytes.is_empty());
        Self { parts: parts.into_iter().filter(used).collect(), pause: None }
    }
}

/// The end of a body that promised more.
#[derive(Debug, thiserror::Error)]
#[error("the body is cut on purpose")]
pub(crate) struct CutShort;

impl Body for PacedBody {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match self.parts.pop_front() {
                None => return Poll::Ready(None),
                Some(Part::Data(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Part::Pause(pause)) => self.pause = Some(Box::pin(sleep(pause))),
                Some(Part::Flush) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Part::Cut) => return Poll::Ready(Some(Err(CutShort))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && self.pause.is_none()
    }
}

/// Pieces of a slow body.
const PIECES: usize = 8;
