//! Listeners and connections: bytes to requests and back. Which answer a request gets is decided elsewhere; what ends with a
//! connection (a slow answer, a held one) ends here, because its future is dropped.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use http::Request;
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    control, entra,
    fault::Fault,
    faulty,
    line::Acceptors,
    log::Face,
    managed_identity,
    options::Leaf,
    reply::{Outcome, Reply},
    vault,
    visit::Visit,
    world::World,
};

/// What a listener serves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Service {
    /// Vaults and Entra.
    Azure,
    /// Managed identity.
    ManagedIdentity,
    /// The control API.
    Control,
    /// The host that no token may reach.
    Foreign,
    /// What is behind the fault proxy.
    Proxied,
}

/// How connections over TLS begin: as a test wants it just now.
pub(crate) struct Tls {
    pub(crate) acceptors: Arc<Acceptors>,
    pub(crate) line: watch::Receiver<Option<Leaf>>,
}

/// Binds; the address is known at once.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// Serves until it is dropped, and its connections with it.
pub(crate) async fn serve(world: Arc<World>, service: Service, listener: TcpListener, mut tls: Option<Tls>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // First, so that whoever is accepted is so under the new certificate.
            biased;
            // Who is connected already would not notice.
            () = switched(&mut tls) => connections.abort_all(),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(Arc::clone(&world), service, stream, handshake(tls.as_ref())));
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::task::yield_now().await;
                }
            },
        }
    }
}

/// What a connection begins with.
enum Handshake {
    None,
    Tls(TlsAcceptor),
    /// The line is cut.
    Reset,
}

fn handshake(tls: Option<&Tls>) -> Handshake {
    let Some(Tls { acceptors, line }) = tls else { return Handshake::None };
    let leaf = *line.borrow();
    leaf.map_or(Handshake::Reset, |leaf| Handshake::Tls(acceptors.of(leaf).clone()))
}

async fn switched(tls: &mut Option<Tls>) {
    if let Some(tls) = tls
        && tls.line.changed().await.is_ok()
    {
        return;
    }
    pending::<()>().await;
}

/// No linger: the close that follows is a reset, not an orderly end.
fn reset(socket: &impl AsFd) {
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

async fn connection(world: Arc<World>, service: Service, stream: TcpStream, handshake: Handshake) {
    let Ok(socket) = stream.as_fd().try_clone_to_owned() else { return };
    let _ = stream.set_nodelay(true);
    match handshake {
        Handshake::None => speak(world, service, stream, socket).await,
        Handshake::Reset => reset(&stream),
        Handshake::Tls(tls) => match tls.accept(stream).await {
            Ok(stream) => speak(world, service, stream, socket).await,
            Err(error) => tracing::debug!(%error, "no TLS"),
        },
    }
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin>(world: Arc<World>, service: Service, stream: S, socket: OwnedFd) {
    let handler = service_fn(|request| {
        let world = Arc::clone(&world);
        let socket = &socket;
        async move {
            let outcome = answer(&world, service, request).await.map_err(|_| Unanswered)?;
            outcome.into_response().ok_or_else(|| {
                reset(socket);
                Unanswered
            })
        }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), handler).await {
        tracing::debug!(%error, "the connection ended");
    }
}

/// A request that gets no answer: its connection ends.
#[derive(Debug, thiserror::Error)]
#[error("no answer on purpose, or a body that cannot be read")]
struct Unanswered;

async fn answer(
    world: &World,
    service: Service,
    request: Request<Incoming>,
) -> Result<Outcome, Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_REQUEST_BODY).collect().await?.to_bytes();
    let face = match service {
        Service::Control => return Ok(Outcome::Whole(control::answer(world, &parts, &body))),
        Service::ManagedIdentity => Face::ManagedIdentity,
        Service::Foreign => Face::Foreign,
        Service::Azure if entra::serves(parts.uri.path()) => Face::Entra,
        Service::Azure => Face::Vault,
        Service::Proxied => Face::Proxied,
    };
    let mut visit = Visit::new(face, parts, body);
    visit.token = world.judge(&visit);
    let (seq, fault) = world.arrive(&visit);
    let mut waiting = Waiting { world, seq: Some(seq) };
    let name = fault.as_ref().map(Fault::name);
    let regular = regular(world, &visit);
    let outcome = match fault {
        None => Outcome::Whole(regular.await),
        Some(fault) => faulty::spoil(world, &visit, fault, regular).await,
    };
    waiting.seq = None;
    world.depart(seq, outcome.status(), name);
    Ok(outcome)
}

/// Tells the log when a request's future is dropped before there is an answer.
struct Waiting<'a> {
    world: &'a World,
    seq: Option<u64>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(seq) = self.seq {
            self.world.abandon(seq);
        }
    }
}

async fn regular(world: &World, visit: &Visit) -> Reply {
    match visit.face {
        Face::Vault => vault::answer(world, visit),
        Face::Entra => entra::answer(world, visit),
        Face::ManagedIdentity => managed_identity::answer(world, visit),
        Face::Proxied => world.proxied(visit).await,
        Face::Foreign => Reply::json(http::StatusCode::OK, &serde_json::json!({"value": [], "nextLink": null})),
    }
}

/// Bytes of a request's body: a secret and its tags are smaller.
const MAX_REQUEST_BODY: usize = 1024 * 1024;
