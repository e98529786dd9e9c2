use crate::{
    model::document::{Entry, Node, Value},
    sign::SignError,
};

/// An object of a spec, whose every field has to be read by somebody: what nobody knows cannot be meant by what is signed.
pub(super) struct Object<'a> {
    name: &'static str,
    unread: Vec<&'a Entry>,
}

impl<'a> Object<'a> {
    pub(super) fn of(name: &'static str, node: &'a Node) -> Result<Self, SignError> {
        let Value::Map(entries) = &node.value else {
            return Err(SignError::Invalid { field: name, problem: "is no object: write {…}" });
        };
        if entries.iter().any(|entry| entry.repeated) {
            return Err(SignError::Invalid { field: name, problem: "has a field twice: write it once" });
        }
        Ok(Self { name, unread: entries.iter().collect() })
    }

    /// A field's value; `null` is none. The field's name may be dotted, for messages: the last part is the key.
    fn take(&mut self, field: &'static str) -> Option<&'a Node> {
        let key = field.rsplit('.').next().unwrap_or(field);
        let at = self.unread.iter().position(|entry| entry.key == key)?;
        Some(&self.unread.swap_remove(at).value).filter(|node| !node.is_null())
    }

    pub(super) fn ignore(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.take(key);
        }
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<Option<&'a str>, SignError> {
        match self.take(field).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Scalar(scalar)) if !scalar.is_plain() => Ok(Some(scalar.text())),
            Some(_) => Err(SignError::Invalid { field, problem: "is no text: write it in quotes" }),
        }
    }

    pub(super) fn owned(&mut self, field: &'static str) -> Result<Option<String>, SignError> {
        Ok(self.text(field)?.map(str::to_owned))
    }

    pub(super) fn required_text(&mut self, field: &'static str) -> Result<&'a str, SignError> {
        self.text(field)?.ok_or(missing(field))
    }

    pub(super) fn number(&mut self, field: &'static str) -> Result<Option<u64>, SignError> {
        match self.take(field).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Scalar(scalar)) if scalar.is_plain() && scalar.text().parse::<u64>().is_ok() => {
                Ok(scalar.text().parse().ok())
            }
            Some(_) => Err(SignError::Invalid { field, problem: "is no whole number: write digits, without quotes" }),
        }
    }

    pub(super) fn object(&mut self, field: &'static str) -> Result<Option<Self>, SignError> {
        self.take(field).map(|node| Self::of(field, node)).transpose()
    }

    pub(super) fn required_object(&mut self, field: &'static str) -> Result<Self, SignError> {
        self.object(field)?.ok_or(missing(field))
    }

    /// A list of pairs of texts: `[["name", "value"], …]`.
    pub(super) fn pairs(&mut self, field: &'static str) -> Result<Vec<(String, String)>, SignError> {
        let Some(node) = self.take(field) else { return Ok(Vec::new()) };
        let bad = SignError::Invalid { field, problem: "is no list of pairs: write [[\"name\", \"value\"], …]" };
        let Value::List(pairs) = &node.value else { return Err(bad) };
        pairs.iter().map(|pair| pair_of(pair).ok_or(bad.clone())).collect()
    }

    /// Refuses what nobody has read.
    pub(super) fn finish(self) -> Result<(), SignError> {
        let Some(entry) = self.unread.first() else { return Ok(()) };
        let is_name = entry.key.len() <= 40 && entry.key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        // Anything but a plain word may be a value that has slipped, a key even.
        let field = if is_name { entry.key.clone() } else { "a field".to_owned() };
        Err(SignError::UnknownField { field, of: self.name })
    }
}

fn pair_of(node: &Node) -> Option<(String, String)> {
    let Value::List(pair) = &node.value else { return None };
    let [Value::Scalar(name), Value::Scalar(value)] = [&pair.first()?.value, &pair.get(1)?.value] else { return None };
    let texts = pair.len() == 2 && !name.is_plain() && !value.is_plain();
    texts.then(|| (name.text().to_owned(), value.text().to_owned()))
}

fn missing(field: &'static str) -> SignError {
    SignError::Missing { field, hint: "this kind of spec needs it" }
}
