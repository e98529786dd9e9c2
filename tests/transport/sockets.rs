//! The rules of the socket file.

use crate::{
    clients::get_at,
    log::Log,
    script::{Script, parts},
};
use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::level_filters::LevelFilter;
use valet::{
    model::Right,
    transport::{Error, Limits, ListenerConfig, Server, UnixConfig},
};

fn at(path: impl Into<PathBuf>) -> UnixConfig {
    UnixConfig { path: path.into(), mode: 0o600, group: None }
}

async fn bind(configs: &[UnixConfig]) -> Result<Server, Error> {
    let allow = BTreeSet::from([Right::Connections]);
    let listener =
        |unix: &UnixConfig| ListenerConfig { name: "tasks".into(), unix: unix.clone(), allow: allow.clone() };
    let configs: Vec<_> = configs.iter().map(listener).collect();
    Server::bind(&configs, parts(&Script::new(), Limits::default())).await
}

async fn refusal(config: UnixConfig) -> String {
    bind(&[config]).await.err().expect("it must not be opened").to_string()
}

/// Runs until the token is cancelled.
async fn run(config: UnixConfig) -> (CancellationToken, JoinHandle<()>) {
    let server = bind(&[config]).await.unwrap();
    let shutdown = CancellationToken::new();
    (shutdown.clone(), TaskTracker::new().spawn(server.run(shutdown)))
}

fn names(directory: &Path) -> Vec<String> {
    let entry = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(entry).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_socket_has_its_mode_and_group_and_only_its_lock_beside_it() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("valet.sock");
    let gid = fs::metadata("/proc/self").unwrap().gid();
    let config = UnixConfig { mode: 0o660, group: Some(gid.to_string()), ..at(&path) };
    let (shutdown, running) = run(config).await;
    let facts = fs::symlink_metadata(&path).unwrap();
    assert!(facts.file_type().is_socket());
    assert_eq!((facts.mode() & 0o7777, facts.gid()), (0o660, gid));
    assert_eq!(names(directory.path()), ["valet.sock", "valet.sock.lock"]);
    assert_eq!(get_at(&path, "hit").await.status, 200);
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(names(directory.path()), ["valet.sock.lock"], "the lock stays");
}

#[tokio::test]
async fn two_valets_never_fight_and_the_next_one_takes_over() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("valet.sock");
    let (shutdown, running) = run(at(&path)).await;
    let locked = format!("another valet holds \"{}.lock\": stop it, or choose another socket path", path.display());
    assert_eq!(refusal(at(&path)).await, locked);
    assert_eq!(get_at(&path, "hit").await.status, 200);
    shutdown.cancel();
    running.await.unwrap();
    let (_shutdown, _running) = run(at(&path)).await;
    assert_eq!(get_at(&path, "hit").await.status, 200);
}

#[tokio::test]
async fn a_socket_that_somebody_listens_on_stays() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("valet.sock");
    let other = UnixListener::bind(&path).unwrap();
    let in_use = format!("another process listens on \"{}\": stop it, or choose another socket path", path.display());
    assert_eq!(refusal(at(&path)).await, in_use);
    assert_eq!(names(directory.path()), ["valet.sock", "valet.sock.lock"]);
    drop(other);
    let (_shutdown, _running) = run(at(&path)).await;
    assert_eq!(get_at(&path, "hit").await.status, 200, "the stale one is replaced");
}

#[tokio::test]
async fn what_is_no_socket_is_never_removed() {
    let directory = TempDir::new().unwrap();
    let (file, folder, link) = (directory.path().join("f"), directory.path().join("d"), directory.path().join("l"));
    fs::write(&file, "precious").unwrap();
    fs::create_dir(&folder).unwrap();
    let socket = directory.path().join("socket");
    drop(UnixListener::bind(&socket).unwrap());
    symlink(&socket, &link).unwrap();
    for path in [&file, &folder, &link] {
        let message = format!("{path:?} exists and is not a socket: move it away, or choose another socket path");
        assert_eq!(refusal(at(path)).await, message);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(folder.is_dir() && link.is_symlink());
}

#[tokio::test]
async fn at_the_end_only_our_own_socket_is_removed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("valet.sock");
    let (shutdown, running) = run(at(&path)).await;
    fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    shutdown.cancel();
    running.await.unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
}

#[tokio::test]
async fn a_listener_that_cannot_be_opened_closes_those_before_it() {
    let directory = TempDir::new().unwrap();
    let (good, bad) = (directory.path().join("good.sock"), directory.path().join("none/bad.sock"));
    let error = bind(&[at(&good), at(&bad)]).await.err().unwrap().to_string();
    assert_eq!(
        error,
        format!(
            "directory {:?} does not exist: create it with mode 0755, owned by valet's user, or mount a volume there",
            bad.parent().unwrap(),
        ),
    );
    assert_eq!(names(directory.path()), ["good.sock.lock"]);
}

#[tokio::test]
async fn a_path_of_107_bytes_fits_whatever_its_parts_and_one_of_108_does_not() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().to_str().unwrap();
    let long_name = format!("{root}/{}", "n".repeat(UnixConfig::MAX_PATH_BYTES - root.len() - 1));
    let long_folder = format!("{root}/{}/s", "d".repeat(UnixConfig::MAX_PATH_BYTES - root.len() - 3));
    fs::create_dir(Path::new(&long_folder).parent().unwrap()).unwrap();
    for path in [long_name, long_folder] {
        assert_eq!(path.len(), 107);
        let (shutdown, running) = run(at(&path)).await;
        assert_eq!(get_at(Path::new(&path), "hit").await.status, 200);
        shutdown.cancel();
        running.await.unwrap();
        let longer = path + "x";
        let message = format!("socket path {longer:?} has 108 bytes and 107 fit: choose a shorter one");
        assert_eq!(refusal(at(longer)).await, message);
    }
}

#[tokio::test]
async fn a_group_that_nobody_knows_is_an_error() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("valet.sock");
    let config = UnixConfig { group: Some("no-such-group".to_owned()), ..at(&path) };
    let message = "group \"no-such-group\" is not in /etc/group: use its number, or add it there";
    assert_eq!(refusal(config).await, message);
    assert_eq!(names(directory.path()), ["valet.sock.lock"], "nothing half-made stays");
}

#[tokio::test]
async fn a_directory_that_others_may_write_is_warned_about() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("valet.sock");
    for (mode, warns) in [(0o777, true), (0o775, true), (0o1777, false), (0o755, false)] {
        fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
        let log = Log::start(LevelFilter::WARN);
        drop(bind(&[at(&path)]).await.unwrap());
        let text = log.text();
        assert_eq!(text.contains("mount it read-only for clients"), warns, "{mode:o}: {text}");
        assert_eq!(text.contains(&format!("mode=\"{mode:04o}\"")), warns, "{mode:o}: {text}");
    }
}

#[tokio::test]
async fn what_a_crash_left_behind_is_no_hindrance() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("valet.sock");
    drop(bind(&[at(&path)]).await.unwrap());
    let lock = fs::metadata(directory.path().join("valet.sock.lock")).unwrap();
    let private = directory.path().join(format!(".{:x}", lock.ino() & 0xff_ffff));
    fs::create_dir(&private).unwrap();
    drop(UnixListener::bind(private.join("s")).unwrap());
    drop(UnixListener::bind(&path).unwrap());
    let (_shutdown, _running) = run(at(&path)).await;
    assert_eq!(get_at(&path, "hit").await.status, 200);
    assert_eq!(names(directory.path()), ["valet.sock", "valet.sock.lock"]);
}
