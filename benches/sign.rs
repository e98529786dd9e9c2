//! What a SAS costs beside its own HMAC-SHA256, which no signer can do without: `cargo bench --bench sign` prints criterion's figures, and at last
//! the ratio of the two, measured in turns so that a busy machine slows both. The target is 2. With `--ratio` it prints that alone, in nanoseconds
//! and as JSON, for `make bench`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads the clock and prints what it found"
)]

use criterion::Criterion;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::{
    hint::black_box,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use valet::sign::{AccountKey, AccountName, Grant, Key, Resource, Sas, SasOptions, ServiceSas, sign};

const TARGET: f64 = 2.0;
/// Turns that the ratio is taken over, and signatures in each.
const TURNS: usize = 400;
const SIGNATURES: u32 = 500;

fn main() {
    let raw_key = [7; 64];
    let key = Key::Account(AccountKey::parse(&base64_of(&raw_key)).expect("64 bytes are a key"));
    let grant = container_grant();
    let now = UNIX_EPOCH + Duration::from_secs(1_893_553_445);
    let signed = sign(&key, &grant, now).expect("the grant is good");
    let string_to_sign = signed.string_to_sign.as_str();

    let sas = || token_length(&key, &grant, now);
    let bare = || bare_hmac(&raw_key, string_to_sign);
    if std::env::args().any(|argument| argument == "--ratio") {
        let [sas_ns, hmac_ns] = medians(sas, bare).map(|median| median.as_nanos() / u128::from(SIGNATURES));
        println!("{}", serde_json::json!({"sas_ns": sas_ns, "hmac_ns": hmac_ns}));
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("service SAS", |bencher| bencher.iter(sas));
    criterion.bench_function("its HMAC-SHA256", |bencher| bencher.iter(bare));
    criterion.final_summary();

    let [sas, hmac] = medians(sas, bare);
    let ratio = sas.as_secs_f64() / hmac.as_secs_f64();
    let verdict = if ratio <= TARGET { "within" } else { "over" };
    println!("service SAS / its HMAC-SHA256: {ratio:.2}, {verdict} the target of {TARGET}");
}

fn container_grant() -> Grant {
    let account = AccountName::parse("contosolake7").expect("a name");
    let container = Resource::container("landing").expect("a name");
    let options = SasOptions { permissions: Some("rl".to_owned()), ..SasOptions::default() };
    let sas = ServiceSas::new(&account, &container, None, &options).expect("a SAS");
    Grant::new(Sas::Service(Box::new(sas)), Duration::from_hours(12)).expect("a grant")
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn token_length(key: &Key, grant: &Grant, now: SystemTime) -> usize {
    black_box(sign(black_box(key), black_box(grant), black_box(now))).map_or(0, |signed| signed.token.len())
}

fn bare_hmac(key: &[u8], text: &str) -> usize {
    let mut mac = Hmac::<Sha256>::new_from_slice(black_box(key)).expect("HMAC takes a key of any length");
    mac.update(black_box(text).as_bytes());
    black_box(mac.finalize().into_bytes()).len()
}

/// The medians over all turns, of so many signatures each.
fn medians(one: impl Fn() -> usize, other: impl Fn() -> usize) -> [Duration; 2] {
    let turn = |work: &dyn Fn() -> usize| {
        let start = Instant::now();
        for _ in 0..SIGNATURES {
            work();
        }
        start.elapsed()
    };
    let (mut ones, mut others): (Vec<_>, Vec<_>) = (0..TURNS).map(|_| (turn(&one), turn(&other))).unzip();
    ones.sort_unstable();
    others.sort_unstable();
    [ones[TURNS / 2], others[TURNS / 2]]
}
