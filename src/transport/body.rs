use super::listener::Place;
use crate::model::{Fault, FaultKind};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Either, Full};
use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// A request's body within its bounds: length, and time from the first wait. What breaks them, or a client that gives up in the middle, is a
/// fault.
pub(super) struct Bounded<B> {
    body: B,
    most: usize,
    left: usize,
    time: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B: Body<Data = Bytes> + Unpin> Bounded<B> {
    pub(super) fn new(body: B, most: usize, time: Duration) -> Self {
        Self { body, most, left: most, time, timer: None }
    }

    /// One with a prefix that does not count: a flag and a length (gRPC over HTTP/2, "Length-Prefixed-Message").
    pub(super) fn prefixed(body: B, most: usize, time: Duration) -> Self {
        Self { left: most + 5, ..Self::new(body, most, time) }
    }

    /// The whole body. One that is too long is read on, up to `discard` bytes of it, so that the client is ready to hear so.
    pub(super) async fn read(mut self, discard: usize) -> Result<Bytes, Fault> {
        if self.size_hint().lower() <= self.most as u64 {
            match (&mut self).collect().await {
                Ok(body) => return Ok(body.to_bytes()),
                Err(fault) if fault.kind() == FaultKind::TooLarge => {}
                Err(fault) => return Err(fault),
            }
        }
        let fault = too_large(self.most);
        self.left = discard;
        while self.left > 0 && matches!(self.frame().await, Some(Ok(_))) {}
        Err(fault)
    }
}

pub(super) fn too_large(most: usize) -> Fault {
    Fault::new(FaultKind::TooLarge, format!("the request is longer than {most} bytes"))
}

impl<B: Body<Data = Bytes> + Unpin> Body for Bounded<B> {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            let time = self.time;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(time)));
            ready!(timer.as_mut().poll(cx));
            let message = format!("the request's body took longer than {time:?}");
            return Poll::Ready(Some(Err(Fault::new(FaultKind::TimedOut, message))));
        };
        Poll::Ready(frame.map(|frame| {
            let frame = frame
                .map_err(|_| Fault::new(FaultKind::BadRequest, "the request's body is cut off or badly framed"))?;
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.left = self.left.checked_sub(length).ok_or_else(|| too_large(self.most))?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body. The request's place is taken until hyper has all of it, so that a stream counts for as long as it is open.
pub(super) struct Reply {
    body: Either<Full<Bytes>, tonic::body::Body>,
    _place: Option<Place>,
}

impl Reply {
    pub(super) fn whole(body: impl Into<Bytes>) -> Self {
        Self { body: Either::Left(Full::new(body.into())), _place: None }
    }

    pub(super) fn stream(body: tonic::body::Body) -> Self {
        Self { body: Either::Right(body), _place: None }
    }

    pub(super) fn holding(self, place: Place) -> Self {
        Self { _place: Some(place), ..self }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
