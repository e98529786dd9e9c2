use super::{Limits, SyntaxProblem};

/// Bytes as text: UTF-8 only, without a byte order mark.
pub fn decode(bytes: &[u8]) -> Result<&str, SyntaxProblem> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(SyntaxProblem::new(1, "the text is UTF-16", "save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        SyntaxProblem::new(Lines::of(&good).at(good.len()), "the text is not UTF-8", "save it as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text))
}

/// What no document may have, whatever its format.
pub(super) fn check(text: &str, limits: Limits) -> Result<(), SyntaxProblem> {
    if text.len() > limits.bytes {
        return Err(SyntaxProblem::new(1, "the document is too large", "split it, or leave out what is not needed"));
    }
    // A NUL would end the YAML scanner's input without a word.
    match text.bytes().position(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        Some(at) => Err(SyntaxProblem::new(
            Lines::of(text).at(at),
            "there is a control character here",
            "remove it; in double quotes it can be written as an escape",
        )),
        None => Ok(()),
    }
}

/// Where the lines of a text begin. A line ends with LF, CR or both (YAML 1.2, 5.4).
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|&(at, &byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        Self(ends.map(|(at, _)| at + 1).collect())
    }

    /// The line, from 1, of the byte at this offset.
    pub(super) fn at(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|&start| start <= offset)
    }
}
