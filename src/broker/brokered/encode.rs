use super::{Extra, ExtraValue};
use crate::model::Secret;
use serde::Serialize;
use zeroize::Zeroizing;

/// Writes JSON into one buffer that is wiped. A tree of values, as `serde_json` would build, would leave copies of every secret behind.
pub(super) struct Encoder(Zeroizing<Vec<u8>>);

/// Quotes, keys and escapes of a connection of common size.
const PUNCTUATION: usize = 512;

impl Encoder {
    /// For about so many bytes of values. A buffer that grows leaves a copy behind, so there is room for escapes too.
    pub(super) fn new(values: usize) -> Self {
        let mut buffer = Zeroizing::new(Vec::with_capacity(2 * values + PUNCTUATION));
        buffer.push(b'{');
        Self(buffer)
    }

    pub(super) fn text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.key(key);
            self.value(text);
        }
    }

    pub(super) fn number(&mut self, key: &str, number: Option<u16>) {
        if let Some(number) = number {
            self.key(key);
            self.value(&number);
        }
    }

    /// `extra`: what is written, then what the hook's form adds. Left out where there is nothing.
    pub(super) fn extra<'a>(
        &mut self,
        written: &Extra,
        filled: &[(&'static str, Secret)],
        pieces: &mut impl Iterator<Item = &'a Secret>,
    ) {
        if written.0.is_empty() && filled.is_empty() {
            return;
        }
        self.key("extra");
        self.0.push(b'{');
        for (key, value) in &written.0 {
            self.key(key);
            self.tree(value, pieces);
        }
        for (key, value) in filled {
            self.text(key, Some(value.expose()));
        }
        self.0.push(b'}');
    }

    pub(super) fn end(mut self) -> Secret {
        self.0.push(b'}');
        let text = String::from_utf8(std::mem::take(&mut *self.0)).expect("JSON of texts is text");
        Secret::new(text)
    }

    fn tree<'a>(&mut self, value: &ExtraValue, pieces: &mut impl Iterator<Item = &'a Secret>) {
        match value {
            ExtraValue::Plain(plain) => self.value(plain),
            ExtraValue::Part(_) => self.value(pieces.next().expect("there is a piece for each part").expose()),
            ExtraValue::List(values) => {
                self.0.push(b'[');
                for value in values {
                    self.comma();
                    self.tree(value, pieces);
                }
                self.0.push(b']');
            }
            ExtraValue::Map(values) => {
                self.0.push(b'{');
                for (key, value) in values {
                    self.key(key);
                    self.tree(value, pieces);
                }
                self.0.push(b'}');
            }
        }
    }

    fn key(&mut self, key: &str) {
        self.comma();
        self.value(key);
        self.0.push(b':');
    }

    fn comma(&mut self) {
        if !matches!(self.0.last(), Some(b'{' | b'[')) {
            self.0.push(b',');
        }
    }

    fn value(&mut self, value: &(impl Serialize + ?Sized)) {
        serde_json::to_writer(&mut *self.0, value).expect("a value can be written into memory");
    }
}
