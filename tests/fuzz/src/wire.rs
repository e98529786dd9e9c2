//! Whatever comes over the socket: HTTP/1 heads and bodies, HTTP/2 frames, Connect and gRPC messages.

use crate::{choice, chosen};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    runtime::Runtime,
    sync::mpsc,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use valet::{
    app::{App, Limits, Seams},
    azure::SystemResolver,
    clock::SystemClock,
    config::{self, OsFiles},
    env::MapEnv,
};

/// Much longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// After so many inputs a good request must still be answered.
const EVERY: u64 = 32;

/// The methods and their codecs, by the first byte of an input.
const POSTS: [(&str, &str); 7] = [
    ("Broker/GetConnection", "json"),
    ("Broker/GetVariable", "proto"),
    ("Broker/BatchGet", "json"),
    ("Broker/BatchGet", "proto"),
    ("Broker/IssueToken", "json"),
    ("Broker/SignRequest", "json"),
    ("Admin/Status", "json"),
];

/// The first byte chooses whether it is a request's body or all that a client sends.
pub fn run(data: &[u8]) {
    let Some((chosen, data)) = choice(data, POSTS.len() + 1) else { return };
    match POSTS.get(chosen) {
        Some((path, codec)) => {
            let length = data.len();
            let head = format!(
                "POST /valet.v1.{path} HTTP/1.1\r\nHost: valet\r\nContent-Type: application/{codec}\r\nContent-Length: {length}\r\n\r\n"
            );
            exchange(&[head.as_bytes(), data].concat());
        }
        None => exchange(data),
    }
}

fn exchange(data: &[u8]) {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    static VALET: Mutex<Option<Valet>> = Mutex::new(None);
    let mut valet = VALET.lock().unwrap_or_else(PoisonError::into_inner);
    let valet = valet.get_or_insert_with(Valet::start);
    valet.send(data);
    if RUNS.fetch_add(1, Ordering::Relaxed).is_multiple_of(EVERY) {
        let answer = valet.send(GOOD.as_bytes());
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"value\":\"http://h\""), "{answer}");
    }
}

const GOOD: &str = "POST /valet.v1.Broker/GetConnection HTTP/1.1\r\nHost: valet\r\nContent-Type: application/json\r\n\
    Content-Length: 14\r\nConnection: close\r\n\r\n{\"connId\":\"a\"}";

/// A whole Valet in this process, so that its code is what the search covers.
struct Valet {
    runtime: Runtime,
    socket: PathBuf,
    _place: TempDir,
}

impl Valet {
    fn start() -> Self {
        let place = tempfile::tempdir().expect("a place for a socket");
        let socket = place.path().join("s");
        let yaml = format!(
            "listen: {{tasks: {{unix: {{path: {}, mode: \"0600\"}}, allow: [connections, variables, admin]}}}}\n\
             sources: {{env: {{kind: environment}}}}\naudit: {{to: \"off\"}}\n",
            socket.display()
        );
        let env = MapEnv::new([("AIRFLOW_CONN_A", "http://h")]);
        let loaded = config::parse(yaml.as_bytes(), Path::new("/"), &env, &OsFiles).expect("a good valet.yaml");
        let seams = Seams {
            clock: Arc::new(SystemClock::new()),
            env: Arc::new(env),
            resolver: Arc::new(SystemResolver),
            ids: Arc::new(|| 7),
        };
        // One thread, as in the product: it runs while somebody waits for an answer.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let app = App::build(None, loaded, Limits::default(), seams).await.expect("a Valet");
            let (_, reload) = mpsc::channel(1);
            TaskTracker::new().spawn(app.run(CancellationToken::new(), reload));
        });
        Self { runtime, socket, _place: place }
    }

    /// Sends it, stops sending, and reads until Valet closes.
    fn send(&self, data: &[u8]) -> Vec<u8> {
        self.runtime.block_on(async {
            let exchange = async {
                let mut stream = UnixStream::connect(&self.socket).await.expect("somebody who accepts");
                let mut answer = Vec::new();
                // It may close as soon as it has seen enough, before all is sent or read.
                if stream.write_all(data).await.is_ok() && stream.shutdown().await.is_ok() {
                    let _ = stream.read_to_end(&mut answer).await;
                }
                answer
            };
            timeout(PATIENCE, exchange).await.expect("an end: the client has sent all")
        })
    }
}

/// A body of each method, and requests of each kind, one of which goes on over the same connection.
pub fn seeds() -> Vec<Vec<u8>> {
    let lookups = r#"{"lookups": [{"connection": "a"}, {"variable": "b", "team": "t"}, {"config": "c"}]}"#;
    let request = r#"{"grant": "g", "method": "GET", "url": "https://h/c", "headers": [{"name": "a", "value": "b"}]}"#;
    let bodies = [
        r#"{"conn_id": "a", "unknown": [1, {}]}"#,
        "\n\u{1}a",
        lookups,
        "\n\u{3}\n\u{1}a",
        r#"{"grant": "g", "minRemaining": "3600s"}"#,
        request,
        "{}",
    ];
    let chunked =
        GOOD.replace("Content-Length: 14", "Transfer-Encoding: chunked").replace("{\"connId\":\"a\"}", CHUNKS);
    let claims = "Connect-Timeout-Ms: 1000\r\nvalet-dag-id: %C3%BC\r\nConnect-Protocol-Version: 1";
    let kept = GOOD.replace("Connection: close", claims);
    let raw = u8::try_from(POSTS.len()).expect("few");
    let mut seeds: Vec<_> = bodies.into_iter().zip(0..).map(|(body, number)| chosen(number, body)).collect();
    seeds.extend([GOOD, &chunked, &(kept + GOOD)].map(|wire| chosen(raw, wire)));
    seeds.push(chosen(raw, HTTP2));
    seeds
}

const CHUNKS: &str = "e\r\n{\"connId\":\"a\"}\r\n0\r\n\r\n";
/// The preface, settings, and a head that asks for `/`.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84";
