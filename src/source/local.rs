use crate::{
    env::Env,
    model::{Fault, FaultKind, Found, Reference},
};
use std::{fs::File, io::Read as _, path::Path, sync::Arc};
use zeroize::Zeroizing;

/// The largest file that a reference may name, in bytes: a key, a password, a connection string.
const LARGEST_FILE: usize = 64 << 10;

/// A value that a reference `{env: NAME}` or `{file: PATH}` means. It is read anew each time: a mounted file that was rotated is used at once.
#[derive(Debug, Clone)]
pub struct LocalValue {
    reference: Reference,
    env: Arc<dyn Env>,
}

impl LocalValue {
    /// The value of a reference, over this environment.
    pub fn new(reference: Reference, env: Arc<dyn Env>) -> Self {
        Self { reference, env }
    }

    /// Reads it; `None` where there is no such variable or file. Of a file one final line break is not part of the value: editors leave one.
    ///
    /// # Errors
    /// [`FaultKind::MalformedValue`] where it is no text or too long, [`FaultKind::SourceDown`] where a file cannot be read.
    pub fn read(&self) -> Result<Option<Found>, Fault> {
        match &self.reference {
            Reference::Env(variable) => {
                let value = self.env.var(variable);
                let value = value.map_err(|error| Fault::new(FaultKind::MalformedValue, error.to_string()))?;
                Ok(value.map(Found::plain))
            }
            Reference::File(path) => read(path),
        }
    }
}

/// As [`LocalValue::read`], of a file.
pub(super) fn read(path: &Path) -> Result<Option<Found>, Fault> {
    let fault = |kind, why: &str| Fault::new(kind, format!("file {}: {why}", path.display()));
    let unreadable = |error: std::io::Error| fault(FaultKind::SourceDown, &format!("it cannot be read: {error}"));
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(unreadable)?,
    };
    // Of this capacity from the start: growing would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST_FILE + 1));
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LARGEST_FILE {
        return Err(fault(FaultKind::MalformedValue, "it is longer than 64 KiB, which no secret is"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| fault(FaultKind::MalformedValue, "it is not UTF-8 text"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(Some(Found::plain(text.strip_suffix('\r').unwrap_or(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MapEnv;

    fn read(reference: Reference) -> Result<Option<String>, FaultKind> {
        let env = Arc::new(MapEnv::new([("KEY", "a key")]));
        let found = LocalValue::new(reference, env).read().map_err(|fault| fault.kind())?;
        Ok(found.map(|found| found.value.expose().to_owned()))
    }

    #[test]
    fn a_variable_and_a_file_are_read_and_what_is_not_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Reference::File(path)
        };
        assert_eq!(read(Reference::Env("KEY".into())), Ok(Some("a key".into())));
        assert_eq!(read(Reference::Env("OTHER".into())), Ok(None));
        assert_eq!(read(file("lf", b"a key\n")), Ok(Some("a key".into())));
        assert_eq!(read(file("crlf", b"a key\r\n")), Ok(Some("a key".into())));
        assert_eq!(read(file("two", b"a key\n\n")), Ok(Some("a key\n".into())), "one line break only");
        assert_eq!(read(Reference::File(folder.path().join("none"))), Ok(None));
        assert_eq!(read(Reference::File(folder.path().into())), Err(FaultKind::SourceDown));
        assert_eq!(read(file("binary", b"\xff")), Err(FaultKind::MalformedValue));
        assert_eq!(read(file("long", &vec![b'a'; LARGEST_FILE + 1])), Err(FaultKind::MalformedValue));
    }
}
