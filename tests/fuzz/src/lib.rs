//! Everything of Valet that reads what others wrote, as fuzz targets: functions that take any bytes and panic where a promise is broken.
//! They hold no parser of their own. `cargo fuzz` calls them (`make proof`), and `tests/mutations.rs` does for a moment (`make test`).

pub mod answers;
pub mod config;
pub mod document;
pub mod sign_spec;
pub mod stored_key;
pub mod value_file;
pub mod wire;

/// A target and what its search begins with.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of its module and of its executable.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
    /// Good inputs, and bad ones that once were good.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target { name: "document", run: document::run, seeds: document::seeds },
    Target { name: "config", run: config::run, seeds: config::seeds },
    Target { name: "sign_spec", run: sign_spec::run, seeds: sign_spec::seeds },
    Target { name: "stored_key", run: stored_key::run, seeds: stored_key::seeds },
    Target { name: "value_file", run: value_file::run, seeds: value_file::seeds },
    Target { name: "wire", run: wire::run, seeds: wire::seeds },
    Target { name: "answers", run: answers::run, seeds: answers::seeds },
];

/// Stands for secrets in the seeds: what is said about an input must not hold it, however the rest was mangled.
const CANARY: &str = "canary-7f3a9c51";

/// What is said to people: bounded, of one line, without a secret.
fn check_message(message: &str) {
    assert!(!message.contains(CANARY), "a message holds a secret: {message}");
    assert!(!message.chars().any(char::is_control), "a message has control characters: {message:?}");
    assert!(message.len() < 4096, "a message is long: {message}");
}

/// The first byte chooses among `count`, the rest is the input.
fn choice(data: &[u8], count: usize) -> Option<(usize, &[u8])> {
    let (first, rest) = data.split_first()?;
    Some((usize::from(*first) % count, rest))
}

/// A seed for [`choice`].
fn chosen(first: u8, rest: impl AsRef<[u8]>) -> Vec<u8> {
    [&[first], rest.as_ref()].concat()
}

/// The files of a folder below `tests` whose names end so.
fn files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder of the repository").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file of the repository")).collect()
}
