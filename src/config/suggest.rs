use std::borrow::Cow;

/// The known word that was probably meant: equal but for case and `-` or `_`, else the nearest within two slips of the finger (one in a
/// short word).
///
/// A word that is this near to a known one is a slip and no secret, so it may be shown.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let plain = |word: &str| word.to_ascii_lowercase().replace('-', "_");
    let word = plain(word);
    let slips = |known: &str| strsim::osa_distance(&word, &plain(known));
    let near = |known: &str| slips(known) <= if known.len() <= 4 { 1 } else { 2 };
    known.into_iter().filter(|known| near(known)).min_by_key(|known| slips(known))
}

/// "did you mean", or else what is known.
pub(super) fn hint<'k>(word: &str, known: impl Iterator<Item = &'k str> + Clone, list: &str) -> Cow<'static, str> {
    /// Most words that are compared; a file may declare thousands and mention as many.
    const COMPARED: usize = 200;
    /// Most words that are shown.
    const SHOWN: usize = 20;
    if let Some(meant) = nearest(word, known.clone().take(COMPARED)) {
        return format!("did you mean `{meant}`?").into();
    }
    let shown: Vec<_> = known.clone().take(SHOWN).collect();
    let more = if known.count() > SHOWN { ", …" } else { "" };
    format!("{list}: {}{more}", shown.join(", ")).into()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["cache", "url", "connections", "on_unavailable", "kind"];
        for (word, meant) in [
            ("cahce", Some("cache")),
            ("URL", Some("url")),
            ("ulr", Some("url")),
            ("connection", Some("connections")),
            ("on-unavailable", Some("on_unavailable")),
            ("onUnavailable", Some("on_unavailable")),
            ("kidn", Some("kind")),
            ("king", Some("kind")),
            ("canary", None),
            ("secret", None),
            ("", None),
            ("abc", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
