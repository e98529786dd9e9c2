use super::StorageService;
use percent_encoding::percent_decode_str;

/// What a path names, as the service reads it: its escapes decoded once.
#[derive(Debug)]
pub(super) struct Target {
    /// A container, file system, share, queue or table.
    pub(super) container: String,
    /// A path in it; nothing for the container itself, and for what is in a table or queue.
    pub(super) object: String,
    pub(super) level: Level,
}

/// How deep a path goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// A container, file system, share, queue or table.
    Container,
    /// A queue's messages.
    Messages,
    /// A blob, file, directory, message or entity.
    Object,
}

impl Target {
    /// Parses a path below an endpoint. What is no path of the service at all is refused with a reason.
    pub(super) fn parse(service: StorageService, path: &str) -> Result<Self, String> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (container, object) = path.split_once('/').unwrap_or((path, ""));
        // Known to be UTF-8 since the request was parsed.
        let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (container, object) = (decode(container), decode(object));
        check_segments(&container)?;
        check_segments(&object)?;
        let (container, level) = match service {
            StorageService::Table => entity(&container, &object)?,
            StorageService::Queue => (container, queue_level(&object)?),
            StorageService::Blob => (container, object_level(&object, is_blob)?),
            StorageService::Dfs => (container, object_level(&object, is_path)?),
            StorageService::File => (container, object_level(&object, is_file)?),
        };
        Ok(Self { container, object, level })
    }
}

/// Refuses what some layer before or in the service rewrites, so that another path is meant than the one that was looked at.
fn check_segments(path: &str) -> Result<(), String> {
    if path.contains('\\') {
        return Err("url has a backslash in its path, which azure reads as a slash: write a slash".to_owned());
    }
    // Dots and spaces at a segment's end are dropped on the way, which can leave one of dots alone.
    let only_dots = |segment: &str| segment.contains('.') && segment.trim_matches(['.', ' ']).is_empty();
    if path.split('/').any(only_dots) {
        return Err("url has a segment of dots alone, which is resolved to another path: leave it out".to_owned());
    }
    Ok(())
}

fn object_level(object: &str, good: fn(&str) -> bool) -> Result<Level, String> {
    match object {
        "" => Ok(Level::Container),
        object if good(object) => Ok(Level::Object),
        _ => Err("url has a path that is read in more than one way: write single slashes, none at the end, and no dot at the end of a name".to_owned()),
    }
}

/// Names of blobs may have any slashes, but not be of slashes alone: that is the container again, or the root directory.
fn is_blob(object: &str) -> bool {
    !object.trim_matches('/').is_empty()
}

fn is_path(object: &str) -> bool {
    !object.split('/').any(str::is_empty)
}

/// Azure Files drops the dots at the end of names, unless a header says otherwise.
fn is_file(object: &str) -> bool {
    is_path(object) && !object.split('/').any(|name| name.ends_with('.'))
}

fn queue_level(object: &str) -> Result<Level, String> {
    match object.split_once('/') {
        None if object.is_empty() => Ok(Level::Container),
        None if object == "messages" => Ok(Level::Messages),
        Some(("messages", id)) if !id.is_empty() && !id.contains('/') => Ok(Level::Object),
        _ => Err("url is of no queue, its messages or one of them: write /QUEUE/messages/ID".to_owned()),
    }
}

/// `Table`, `Table()` or `Table(PartitionKey='…',RowKey='…')`, with quotes in keys doubled ("Querying tables and entities").
fn entity(segment: &str, rest: &str) -> Result<(String, Level), String> {
    let problem = || "url is of no table or entity: write /TABLE(PartitionKey='…',RowKey='…')".to_owned();
    let (table, keys) = segment.split_once('(').map_or((segment, None), |(table, keys)| (table, Some(keys)));
    if !rest.is_empty() || !table.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'$') {
        return Err(problem());
    }
    let level = match keys {
        None | Some(")") => Level::Container,
        Some(keys) => {
            let keys = keys.strip_prefix("PartitionKey='").and_then(after_quoted);
            let keys = keys.and_then(|rest| rest.strip_prefix(",RowKey='")).and_then(after_quoted);
            if keys != Some(")") {
                return Err(problem());
            }
            Level::Object
        }
    };
    Ok((table.to_owned(), level))
}

/// What comes after a quoted text whose first quote has been read.
fn after_quoted(mut text: &str) -> Option<&str> {
    loop {
        let (_, rest) = text.split_once('\'')?;
        match rest.strip_prefix('\'') {
            Some(more) => text = more,
            None => return Some(rest),
        }
    }
}
