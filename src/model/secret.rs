use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// Text that must not be seen: shared by all who hold it, wiped when the last lets go.
///
/// It has no `Display` and no `Serialize`, and its `Debug` shows nothing, not even the length. [`Secret::expose`] is the one way in, so that
/// a search for it lists every place where a secret leaves.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes the text over; the caller must not keep a copy.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The text itself. Never log it, never put it into an error.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in bytes, for the cache's bound.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_no_part_of_the_text() {
        let shown = format!("{:?} {:#?}", Secret::new("canary-7f3a"), Secret::new("canary-7f3a"));
        assert_eq!(shown, "Secret(..) Secret(..)");
    }
}
