use crate::azure::{DialError, Dialed, Dialer, Unreachable};
use std::{
    io,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
};
use tokio_rustls::rustls::{AlertDescription, Error as TlsError};

/// The way to another Valet.
#[derive(Debug)]
pub(super) enum Way {
    Unix(PathBuf),
    Tls(Box<Dialer>),
}

/// Why there is no connection to it.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoWay {
    #[error(
        "nothing listens on this socket; is `valet serve` running there, and is the socket's directory shared with it?"
    )]
    NoSocket,
    #[error("this process may not open the socket; give it the socket's group")]
    Forbidden,
    #[error("the socket cannot be opened: {0}")]
    Socket(io::ErrorKind),
    #[error("its name has no address; check `target`, and the DNS")]
    NoAddress,
    #[error(transparent)]
    Dial(DialError),
}

impl Way {
    /// Opens a connection. What the other side says when it ends TLS is left in `alert`: HTTP/2 forgets it.
    pub(super) async fn open(&self, alert: Arc<OnceLock<AlertDescription>>) -> Result<Stream, NoWay> {
        match self {
            Self::Unix(path) => match UnixStream::connect(path).await {
                Ok(stream) => Ok(Stream::Unix(stream)),
                Err(error) => Err(match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => NoWay::NoSocket,
                    io::ErrorKind::PermissionDenied => NoWay::Forbidden,
                    kind => NoWay::Socket(kind),
                }),
            },
            Self::Tls(dialer) => {
                let stream = dialer.dial().await.map_err(|error| match error {
                    DialError::Unreachable(Unreachable::Dns) => NoWay::NoAddress,
                    error => NoWay::Dial(error),
                })?;
                Ok(Stream::Tls { stream: Box::new(stream), alert })
            }
        }
    }
}

/// An open connection to another Valet.
pub(super) enum Stream {
    Unix(UnixStream),
    Tls { stream: Box<Dialed>, alert: Arc<OnceLock<AlertDescription>> },
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls { stream, alert } => {
                let read = ready!(Pin::new(stream).poll_read(cx, buf));
                let error = read.as_ref().err().and_then(io::Error::get_ref).and_then(|error| error.downcast_ref());
                if let Some(TlsError::AlertReceived(description)) = error {
                    // The first one is the cause.
                    let _ = alert.set(*description);
                }
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls { stream, .. } => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls { stream, .. } => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls { stream, .. } => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
