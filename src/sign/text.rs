use super::SignError;

/// Text that may stand in a line of a string-to-sign: something, within its bound, and without control characters.
pub(super) fn plain(field: &'static str, text: &str, most: usize) -> Result<String, SignError> {
    check(field, text, most)?;
    Ok(text.to_owned())
}

/// As [`plain`], where there is any; nothing is the empty text.
pub(super) fn optional(field: &'static str, text: Option<&str>, most: usize) -> Result<String, SignError> {
    text.map_or(Ok(String::new()), |text| plain(field, text, most))
}

/// What [`plain`] refuses. An empty text is refused because it would be signed and read as "not given", which allows more than what was meant.
pub(super) fn check(field: &'static str, text: &str, most: usize) -> Result<(), SignError> {
    if text.is_empty() {
        return Err(SignError::Invalid { field, problem: "is empty: give it a value or leave it out" });
    }
    if text.chars().any(char::is_control) {
        return Err(SignError::ControlCharacter { field });
    }
    if text.chars().nth(most).is_some() {
        return Err(SignError::TooLong { field, most });
    }
    Ok(())
}

/// An identifier of Entra ID: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12. Its case is kept.
pub(super) fn guid(field: &'static str, text: &str) -> Result<String, SignError> {
    let groups = text.split('-').map(|group| (group.len(), group.bytes().all(|byte| byte.is_ascii_hexdigit())));
    if groups.eq([8, 4, 4, 4, 12].map(|length| (length, true))) {
        Ok(text.to_owned())
    } else {
        Err(SignError::Invalid { field, problem: "is no GUID: write 8-4-4-4-12 hexadecimal digits" })
    }
}
