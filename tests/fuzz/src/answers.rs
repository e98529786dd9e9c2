//! What Key Vault, Entra, a managed identity's endpoint and a storage account answer: head and body of an HTTP answer.

use crate::{CANARY, check_message, choice, chosen};
use std::{
    fmt::Debug,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    time::timeout,
};
use tokio_util::task::TaskTracker;
use valet::{
    azure::{
        Azure, DelegationKeys as _, Error, IdentityConfig, IdentityKind, NetworkConfig, SecretName, StorageService,
        SystemResolver, Vault as _,
    },
    clock::SystemClock,
    env::MapEnv,
    model::{Reference, Urgency},
    telemetry::Counters,
};

/// Longer than any call may take, and much longer than one takes that is answered at once.
const PATIENCE: Duration = Duration::from_mins(1);
const TOKEN: &str = r#"{"access_token": "t", "expires_on": "4102444800", "expires_in": 86400, "resource": "r", "token_type": "Bearer"}"#;

/// Whose answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Vault,
    Challenge,
    ManagedIdentity,
    Entra,
    Storage,
}

const ALL: [Who; 5] = [Who::Vault, Who::Challenge, Who::ManagedIdentity, Who::Entra, Who::Storage];

/// The first byte chooses whose answer the rest is; the others answer well.
pub fn run(data: &[u8]) {
    static LAB: Mutex<Option<Lab>> = Mutex::new(None);
    let Some((who, answer)) = choice(data, ALL.len()) else { return };
    let mut lab = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    lab.get_or_insert_with(Lab::start).ask(ALL[who], answer);
}

/// A server that has every part, and our side of it.
struct Lab {
    runtime: Runtime,
    azure: Azure,
    port: u16,
    script: Arc<Mutex<(Who, Vec<u8>)>>,
    asked: AtomicU64,
}

impl Lab {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let script = Arc::new(Mutex::new((Who::Vault, Vec::new())));
        let shared = Arc::clone(&script);
        let connections = TaskTracker::new();
        let _runs = runtime.enter();
        TaskTracker::new().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        let env = MapEnv::new([
            ("IDENTITY_ENDPOINT", format!("http://127.0.0.1:{port}/msi")),
            ("IDENTITY_HEADER", "h".to_owned()),
            ("CI_CLIENT_SECRET", CANARY.to_owned()),
        ]);
        let (clock, resolver) = (Arc::new(SystemClock::new()), Arc::new(SystemResolver));
        let azure = Azure::new(Arc::new(env), clock, resolver, Arc::new(|| 7), Arc::new(Counters::new()));
        Self { runtime, azure, port, script, asked: AtomicU64::new(0) }
    }

    fn ask(&self, who: Who, answer: &[u8]) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = (who, answer.to_vec());
        // Others each time, which have seen no answer yet.
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let port = self.port;
        let url = |text: String| text.parse().expect("a URL");
        let secret = Reference::Env("CI_CLIENT_SECRET".to_owned());
        let identity = IdentityConfig {
            name: format!("i{number}").into(),
            kind: match who {
                Who::Entra => IdentityKind::ClientSecret {
                    tenant_id: "tenant".to_owned(),
                    client_id: "client".to_owned(),
                    client_secret: secret,
                },
                _ => IdentityKind::ManagedIdentity { id: None },
            },
            authority_host: Some(url(format!("http://127.0.0.1:{port}"))),
            network: NetworkConfig::default(),
        };
        let network = NetworkConfig::default();
        let asked = async {
            if who == Who::Storage {
                let endpoint = url(format!("http://127.0.0.1:{port}/acme{number}"));
                let client =
                    self.azure.storage(StorageService::Blob, &endpoint, &identity, &network).expect("a client");
                judge(&client.delegation_key("2027-01-15T08:00:00Z", "2027-01-16T08:00:00Z").await);
            } else {
                let name = SecretName::parse("db".to_owned()).expect("a name");
                let vault = url(format!("http://v{number}.localhost:{port}"));
                let vault = self.azure.vault(&vault, &identity, &network).expect("a client");
                judge(&vault.secret(&name, Urgency::Awaited).await);
                if who == Who::Vault {
                    judge(&vault.newest_enabled(&name, Urgency::Awaited).await);
                }
            }
        };
        self.runtime.block_on(async { timeout(PATIENCE, asked).await.expect("an end: all is answered") });
    }
}

/// Neither an error nor what was found shows what came.
fn judge<T: Debug>(outcome: &Result<T, Error>) {
    if let Err(error) = outcome {
        check_message(&error.to_string());
    }
    assert!(!format!("{outcome:?}").contains(CANARY), "a secret is shown: {outcome:?}");
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<(Who, Vec<u8>)>>) {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    // A request is one write of ours, or a head and a body that is not looked at.
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(1..) if head.len() < 64 * 1024 => head.extend_from_slice(&piece),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (who, answer) = script.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let part = if target.starts_with("/msi") {
        Who::ManagedIdentity
    } else if target.starts_with("/tenant") {
        Who::Entra
    } else if target.starts_with("/acme") {
        Who::Storage
    } else if head.contains("\r\nauthorization: bearer ") {
        Who::Vault
    } else {
        Who::Challenge
    };
    // Whoever refuses to read all of it has gone.
    let _ = stream.write_all(&whole(&if part == who { answer } else { good(part) })).await;
    let _ = stream.shutdown().await;
}

/// With the length of its body: whatever becomes of an input, a body is there to be read.
fn whole(answer: &[u8]) -> Vec<u8> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(answer.len());
    let (head, body) = answer.split_at(end);
    let body = body.get(4..).unwrap_or_default();
    [head, format!("\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn good(part: Who) -> Vec<u8> {
    match part {
        Who::ManagedIdentity | Who::Entra => http("200 OK", "content-type: application/json", TOKEN),
        Who::Challenge => {
            let challenge = r#"www-authenticate: Bearer authorization="https://login.windows.net/t", resource="https://vault.test""#;
            http("401 Unauthorized", challenge, "")
        }
        Who::Vault => http("200 OK", "content-type: application/json", &secret("1700000000")),
        Who::Storage => http("200 OK", "content-type: application/xml", KEY),
    }
}

fn secret(created: &str) -> String {
    format!(
        r#"{{"value": "{CANARY}", "id": "https://v.vault.azure.net/secrets/db/0123456789abcdef0123456789abcdef", "attributes": {{"enabled": true, "created": {created}, "exp": 1900000000}}}}"#
    )
}

const KEY: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey><SignedOid>o</SignedOid><SignedTid>t</SignedTid>\
    <SignedStart>2027-01-15T08:00:00Z</SignedStart><SignedExpiry>2027-01-16T08:00:00Z</SignedExpiry><SignedService>b</SignedService>\
    <SignedVersion>2022-11-02</SignedVersion><Value>canary-7f3a9c51</Value></UserDelegationKey>";

fn http(status: &str, field: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{field}\r\n\r\n{body}").into_bytes()
}

/// Good answers of each, and how each refuses.
pub fn seeds() -> Vec<Vec<u8>> {
    let json = "content-type: application/json";
    let error = |code: &str, inner: &str| {
        format!(
            r#"{{"error": {{"code": "{code}", "message": "{CANARY}\r\nCaller: x", "innererror": {{"code": "{inner}"}}}}}}"#
        )
    };
    let entra = format!(
        r#"{{"error": "invalid_client", "error_description": "AADSTS7000215: {CANARY}", "error_codes": [7000215]}}"#
    );
    let storage = format!(
        "<?xml version=\"1.0\"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>{CANARY}</Message></Error>"
    );
    let mut seeds: Vec<_> = ALL.into_iter().zip(0..).map(|(who, number)| chosen(number, good(who))).collect();
    seeds.extend([
        chosen(0, http("404 Not Found", json, &error("SecretNotFound", ""))),
        chosen(0, http("403 Forbidden", json, &error("Forbidden", "ForbiddenByRbac"))),
        chosen(0, http("429 Too Many Requests", "retry-after: 5", "")),
        chosen(0, http("503 Service Unavailable", "retry-after: Fri, 15 Jan 2027 08:00:05 GMT", CANARY)),
        chosen(0, http("302 Found", "location: http://127.0.0.1:1/", "")),
        chosen(
            0,
            http("401 Unauthorized", r#"www-authenticate: Bearer error="invalid_token""#, &error("Unauthorized", "")),
        ),
        chosen(0, http("200 OK", "transfer-encoding: chunked", "5\r\n{\"val\r\n0\r\n\r\n")),
        chosen(0, http("200 OK", json, &secret("-1"))),
        chosen(0, http("200 OK", json, &format!(r#"{{"value": [{}], "nextLink": null}}"#, secret("1700000001")))),
        chosen(
            2,
            http(
                "400 Bad Request",
                json,
                &format!(r#"{{"error": "invalid_request", "error_description": "{CANARY}"}}"#),
            ),
        ),
        chosen(3, http("401 Unauthorized", json, &entra)),
        chosen(4, http("403 Forbidden", "x-ms-error-code: AuthorizationFailure", &storage)),
        chosen(4, http("403 Forbidden", "content-type: application/xml", &storage)),
    ]);
    seeds
}
