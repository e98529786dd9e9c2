//! TLS between Valets. The listener that speaks it is not there yet, so a front of the tests' own ends it before a Valet's Unix socket.

use crate::{
    lab::{PATIENCE, Valet, clock, reason},
    script::Scripted,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
    },
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// How many authorities were made.
static AUTHORITIES: AtomicU32 = AtomicU32::new(0);

/// An authority and what it signs, as files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        // Each of its own name, as authorities are.
        let number = AUTHORITIES.fetch_add(1, Ordering::Relaxed);
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, dir }
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A certificate for this name and its key.
    fn sign(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Writes a client's certificate and key to `cert.pem` and `key.pem`.
    fn write_client(&self) {
        let (certificate, key) = self.sign("valet", ExtendedKeyUsagePurpose::ClientAuth);
        fs::write(self.dir().join("cert.pem"), certificate.pem()).unwrap();
        fs::write(self.dir().join("key.pem"), key.serialize_pem()).unwrap();
    }
}

/// What ends TLS, for as long as it is held.
struct Front {
    at: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

impl Front {
    async fn start(authority: &Authority, name: &str, clients: Option<&Authority>, alpn: &[u8], to: &Path) -> Self {
        let (certificate, key) = authority.sign(name, ExtendedKeyUsagePurpose::ServerAuth);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.issuer.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        config.alpn_protocols = vec![alpn.to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, to, tasks) = (listener.local_addr().unwrap(), to.to_owned(), TaskTracker::new());
        let serving = tasks.clone().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, to) = (acceptor.clone(), to.clone());
                tasks.spawn(async move {
                    let Ok(mut outside) = acceptor.accept(stream).await else { return };
                    let mut inside = UnixStream::connect(to).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self { at, _serving: AbortOnDropHandle::new(serving) }
    }

    fn yaml(&self, keys: &str) -> String {
        format!("sources: {{central: {{kind: upstream, target: \"https://localhost:{}\"{keys}}}}}", self.at.port())
    }
}

fn trusting(authority: &Authority) -> String {
    format!(", network: {{ca_file: {}}}", authority.dir().join("ca.pem").display())
}

fn with_client(authority: &Authority) -> String {
    let (cert, key) = (authority.dir().join("cert.pem"), authority.dir().join("key.pem"));
    format!(", cert_file: {}, key_file: {}", cert.display(), key.display())
}

/// What a lookup through this front comes to: the value, or reason and message.
async fn lookup(yaml: &str) -> Result<String, (String, String)> {
    let valet = Valet::start(yaml, &clock()).await;
    let answer = tokio::time::timeout(PATIENCE, valet.get("a")).await.expect("it ends");
    answer.map(|answer| answer.value).map_err(|status| {
        let message = status.message().to_owned();
        (reason::<()>(Err(status)), message)
    })
}

#[tokio::test]
async fn a_valet_whose_authority_is_named_is_trusted() {
    let (centre, authority) = (Scripted::start().await, Authority::new());
    let front = Front::start(&authority, "localhost", None, b"h2", &centre.socket()).await;
    assert_eq!(lookup(&front.yaml(&trusting(&authority))).await, Ok("value://".to_owned()));
}

#[tokio::test]
async fn an_unknown_authority_and_a_wrong_name_are_told_apart() {
    let (centre, authority) = (Scripted::start().await, Authority::new());
    let front = Front::start(&authority, "localhost", None, b"h2", &centre.socket()).await;
    let (reason, message) = lookup(&front.yaml(&trusting(&Authority::new()))).await.unwrap_err();
    assert_eq!(reason, "SOURCE_DOWN");
    assert!(message.contains("https://localhost:") && message.contains("not trusted here"), "{message}");

    let front = Front::start(&authority, "other.example", None, b"h2", &centre.socket()).await;
    let (reason, message) = lookup(&front.yaml(&trusting(&authority))).await.unwrap_err();
    assert_eq!(reason, "SOURCE_DOWN");
    assert!(message.contains("for another host name"), "{message}");
}

#[tokio::test]
async fn who_wants_a_certificate_gets_one_and_refuses_another() {
    let (centre, authority, other) = (Scripted::start().await, Authority::new(), Authority::new());
    authority.write_client();
    other.write_client();
    let front = Front::start(&authority, "localhost", Some(&authority), b"h2", &centre.socket()).await;
    let keys = |client: &str| front.yaml(&format!("{}{client}", trusting(&authority)));
    assert_eq!(lookup(&keys(&with_client(&authority))).await, Ok("value://".to_owned()));

    let (reason, message) = lookup(&keys("")).await.unwrap_err();
    assert_eq!(reason, "UNAUTHENTICATED");
    assert!(message.contains("wants a client certificate; name one as cert_file and key_file"), "{message}");

    let (reason, message) = lookup(&keys(&with_client(&other))).await.unwrap_err();
    assert_eq!(reason, "UNAUTHENTICATED");
    assert!(message.contains("does not accept the client certificate"), "{message}");
}

#[tokio::test]
async fn what_does_not_speak_http2_is_told_so() {
    let (centre, authority) = (Scripted::start().await, Authority::new());
    let front = Front::start(&authority, "localhost", None, b"http/1.1", &centre.socket()).await;
    let (reason, message) = lookup(&front.yaml(&trusting(&authority))).await.unwrap_err();
    assert_eq!(reason, "SOURCE_DOWN");
    assert!(message.contains("TLS handshake failed") || message.contains("does not speak HTTP/2"), "{message}");
}

#[tokio::test]
async fn a_token_goes_along_and_is_read_anew_each_time() {
    let (centre, authority) = (Scripted::start().await, Authority::new());
    let front = Front::start(&authority, "localhost", None, b"h2", &centre.socket()).await;
    let file = authority.dir().join("token");
    let yaml = front.yaml(&format!("{}, token_file: {}", trusting(&authority), file.display()));
    let valet = Valet::start(&yaml, &clock()).await;
    let status = valet.get("a").await.unwrap_err();
    assert!(status.message().contains("token: there is no such file"), "{status:?}");
    fs::write(&file, "first\n").unwrap();
    assert_eq!(valet.value("b").await, "value://");
    fs::write(&file, "two\nlines").unwrap();
    let status = valet.get("c").await.unwrap_err();
    assert!(status.message().contains("what is in it is no token"), "{status:?}");
}

#[tokio::test]
async fn a_name_without_an_address_and_a_port_without_a_valet_are_told_apart() {
    let yaml = |target: &str| format!("sources: {{central: {{kind: upstream, target: \"{target}\"}}}}");
    let (reason, message) = lookup(&yaml("https://valet.invalid:8443")).await.unwrap_err();
    assert_eq!(reason, "SOURCE_DOWN");
    assert!(
        message.contains("the Valet at https://valet.invalid:8443 cannot be reached: its name has no address"),
        "{message}"
    );
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (reason, message) = lookup(&yaml(&format!("https://localhost:{}", free.port()))).await.unwrap_err();
    assert_eq!(reason, "SOURCE_DOWN");
    assert!(message.contains("the connection was refused"), "{message}");
}
