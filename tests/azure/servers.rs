//! Servers that the test vault is not: one without TLS, one with any certificate.

use crate::lab::CANARY;
use rcgen::{Certificate, KeyPair};
use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A vault and an Entra in one, in plain text: it wants a token, gives one, and then has every secret.
pub(crate) struct Plain {
    pub(crate) port: u16,
    _task: JoinSet<()>,
}

impl Plain {
    pub(crate) async fn start() -> Self {
        // Every address of loopback, because names may be of any.
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream));
            }
        });
        Self { port, _task: task }
    }
}

/// The head and the body of a request; nothing where none came.
async fn request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<(String, String)>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && !head.ends_with("\n\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.split_once("content-length:").and_then(|(_, rest)| rest.lines().next());
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).await?;
    Ok(Some((head, String::from_utf8(body).unwrap())))
}

async fn answer(stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let head = match request(&mut stream).await {
        Ok(Some((head, _))) => head,
        Ok(None) => return Ok(()),
        Err(_) => return stream.get_mut().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await,
    };
    let (status, body) = if head.starts_with("POST ") {
        ("200 OK", r#"{"token_type": "Bearer", "expires_in": 3600, "access_token": "t"}"#.to_owned())
    } else if head.to_ascii_lowercase().contains("\r\nauthorization: bearer ") {
        ("200 OK", format!(r#"{{"value": "{CANARY}", "id": "http://localhost/secrets/x/1"}}"#))
    } else {
        let challenge = r#"bearer authorization="http://localhost/t", resource="https://vault.test""#;
        ("401 Unauthorized", format!("\r\n{challenge}"))
    };
    let (challenge, body) = body.strip_prefix("\r\n").map_or(("", body.as_str()), |challenge| (challenge, ""));
    let length = body.len();
    let reply = format!(
        "HTTP/1.1 {status}\r\nwww-authenticate: {challenge}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.get_mut().write_all(reply.as_bytes()).await
}

/// A server in plain text that gives each answer once, whatever it is asked, and then hangs up on everybody. An answer is the whole of it, but
/// for the length of its body; `PORT` in it is the server's port, and an empty one is silence.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    /// Head and body of each request.
    pub(crate) requests: Arc<Mutex<Vec<(String, String)>>>,
    _task: JoinSet<()>,
}

impl Scripted {
    pub(crate) async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, mut task) = (Arc::clone(&requests), JoinSet::new());
        task.spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let request = request(&mut stream).await.unwrap();
                log.lock().unwrap().extend(request);
                if answer.is_empty() {
                    pending::<()>().await;
                }
                let answer = answer.replace("PORT", &port.to_string());
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                let reply = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
                // Who refuses to read all of it has gone.
                let _ = stream.get_mut().write_all(reply.as_bytes()).await;
            }
        });
        Self { port, requests, _task: task }
    }
}

/// A server that shakes hands once and hangs up.
pub(crate) async fn silent_tls(certificate: &Certificate, key: &KeyPair) -> SocketAddr {
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio_util::task::TaskTracker::new().spawn(async move {
        let (stream, _) = listener.accept().await?;
        TlsAcceptor::from(Arc::new(config)).accept(stream).await.map(drop)
    });
    address
}
