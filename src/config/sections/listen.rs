use crate::{
    config::{
        context::Context,
        path,
        place::Place,
        record::Record,
        shape::{ListOf, OfKeys, Shape, Words, Wrong, scalar},
        text::opaque,
    },
    model::{Right, document::Node},
    transport::{UnixConfig, default_listeners},
};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeSet,
    os::unix::ffi::OsStrExt as _,
    path::{Component, PathBuf},
};

/// One entry of `listen`, but for its name.
pub(super) fn listener(record: &mut Record<'_, '_>) -> Option<(UnixConfig, BTreeSet<Right>)> {
    let unix = record.required("unix", "A Unix socket.", &OfKeys(unix));
    record.later("tcp", "A TCP port with mutual TLS.");
    let allow = record.optional(
        "allow",
        "What clients of this listener may ask for. Without it: connections and variables.",
        &ListOf { shape: RIGHTS, if_empty: Some(("this listener allows nothing", "every call will be refused")) },
    );
    let allow = match allow {
        Some(rights) => record.distinct(rights).into_iter().collect(),
        None => default_listeners().swap_remove(0).allow,
    };
    let (path, mode, group) = unix?;
    let mode = mode.unwrap_or_else(|| default_mode(&allow));
    Some((UnixConfig { path, mode, group }, allow))
}

const RIGHTS: Words<Right> = Words {
    words: &[
        ("connections", Right::Connections),
        ("variables", Right::Variables),
        ("config", Right::Config),
        ("tokens", Right::Tokens),
        ("signatures", Right::Signatures),
        ("admin", Right::Admin),
    ],
    later: &[],
};

/// The mode of the default listener that is as powerful.
fn default_mode(allow: &BTreeSet<Right>) -> u32 {
    let is_admin = |allow: &BTreeSet<Right>| allow.contains(&Right::Admin);
    let like = default_listeners().into_iter().find(|listener| is_admin(&listener.allow) == is_admin(allow));
    like.expect("there is a default listener with admin and one without").unix.mode
}

fn unix(record: &mut Record<'_, '_>) -> Option<(PathBuf, Option<u32>, Option<String>)> {
    let path = record.required(
        "path",
        "The socket's path: absolute, or relative to the directory of valet.yaml; at most 107 bytes.",
        &SocketPath,
    );
    let mode = record.optional(
        "mode",
        "Its permission bits in octal, such as \"0660\". Without it: 0600 where `admin` is allowed, else 0660.",
        &Mode,
    );
    let group =
        record.optional("group", "Its group, by name or number. Without it: the process's own.", &opaque("a group"));
    Some((path?, mode, group))
}

/// A path that fits into a socket address.
struct SocketPath;

impl SocketPath {
    /// `sun_path` has 108 bytes, one of them the final NUL (unix(7)).
    const MAX_BYTES: usize = 107;
}

impl Shape for SocketPath {
    type Out = PathBuf;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<PathBuf> {
        let path = path::resolve(node, place, cx)?;
        if path.as_os_str().len() > Self::MAX_BYTES {
            return cx.note(place.error(
                "this path is longer than a Unix socket's may be (107 bytes)",
                "relative paths count with the directory of valet.yaml in front",
            ));
        }
        if path.as_os_str().as_bytes().ends_with(b"/") || path.file_name().is_none() {
            return cx.note(place.error("this path names a directory, not a socket", "add the socket's own name"));
        }
        // As far as it can be seen without following links.
        let plain: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
        if let Some(first) = cx.sockets.get(&plain) {
            let hint = format!("the other is `{first}`");
            return cx.note(place.error("another listener has the same socket path", hint));
        }
        cx.sockets.insert(plain, place.path().to_owned());
        Some(path)
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "minLength": 1, "maxLength": Self::MAX_BYTES})
    }
}

/// Permission bits, always octal, as chmod(1) reads them.
struct Mode;

impl Shape for Mode {
    type Out = u32;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<u32> {
        const ADVICE: &str = "write it in octal and in quotes, such as \"0660\"";
        let text = scalar("permission bits", node, place, cx)?.text();
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let is_octal = (3..=4).contains(&digits.len()) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let Some(mode) = u32::from_str_radix(digits, 8).ok().filter(|mode| is_octal && *mode <= 0o777) else {
            return Wrong::new("these are no permission bits", ADVICE).note(place, cx);
        };
        if mode & 0o600 != 0o600 {
            // What becomes of an unquoted 0660 on its way through Helm: 432.
            return Wrong::new("these permission bits lock out the owner", ADVICE).note(place, cx);
        }
        if mode & 0o002 != 0 {
            cx.problems.push(place.warning(
                "every user of this machine may connect with these permission bits",
                "let clients share the socket's group, and use \"0660\"",
            ));
        }
        Some(mode)
    }

    fn schema(&self) -> Json {
        json!({"type": ["string", "integer"], "pattern": "^0?[67][0-7]{2}$|^0o[67][0-7]{2}$"})
    }
}
