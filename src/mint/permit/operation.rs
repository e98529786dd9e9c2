use super::{
    area::Reach,
    body::Body,
    header,
    target::{Level, Target},
};
use crate::sign::Request;

/// An operation of a service that a service SAS can allow: how a request for it looks, and the permission that it needs.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its name in Microsoft's reference.
    pub(super) name: &'static str,
    pub(super) body: Body,
    pub(super) reach: Reach,
    methods: &'static [&'static str],
    level: Level,
    /// Query parameters that it has, each with its value: `a|b` is either, `*` any but an empty one. Case counts: whether it does for the service is
    /// written nowhere, and a parameter that it overlooks makes another operation.
    with: &'static [(&'static str, &'static str)],
    /// Headers that it has, likewise.
    with_header: &'static [(&'static str, &'static str)],
    /// Query parameters that it may have too.
    query: &'static [&'static str],
    /// `x-ms-` headers that it may have too.
    headers: &'static [&'static [&'static str]],
    needs: Needs,
}

/// The permission that an operation needs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Needs {
    /// One of these letters.
    Any(&'static str),
    /// All of these letters.
    All(&'static str),
    /// `w`; or `c`, where the request says in what is signed that it replaces nothing.
    Create,
}

impl Operation {
    pub(super) const fn new(
        name: &'static str,
        methods: &'static [&'static str],
        level: Level,
        with: &'static [(&'static str, &'static str)],
        needs: Needs,
    ) -> Self {
        let (with_header, query, headers): (&[_], &[_], &[_]) = (&[], &[], &[]);
        let (body, reach) = (Body::None, Reach::Own);
        Self { name, body, reach, methods, level, with, with_header, query, headers, needs }
    }

    pub(super) const fn with_header(self, with_header: &'static [(&'static str, &'static str)]) -> Self {
        Self { with_header, ..self }
    }

    pub(super) const fn query(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    pub(super) const fn headers(self, headers: &'static [&'static [&'static str]]) -> Self {
        Self { headers, ..self }
    }

    pub(super) const fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    pub(super) const fn reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// Whether a request is for this operation, and has no query parameter that could make another one of it.
    pub(super) fn is(&self, request: &Request, target: &Target) -> bool {
        let fits = |wanted: &str, value: &str| match wanted {
            "*" => !value.is_empty(),
            wanted => wanted.split('|').any(|one| one == value),
        };
        let query = request.query();
        let known = |name: &str| {
            name == "timeout" || self.query.contains(&name) || self.with.iter().any(|(other, _)| *other == name)
        };
        self.methods.contains(&request.method())
            && self.level == target.level
            && self.with.iter().all(|(name, wanted)| query.iter().any(|(n, value)| n == name && fits(wanted, value)))
            && query.iter().all(|(name, value)| known(name) && header::known_query(name, value))
            && self.with_header.iter().all(|(name, wanted)| fits(wanted, request.header(name)))
    }

    /// Whether it may carry a header, named in lower case. Those that do not begin with `x-ms-` change nothing that a permission is about.
    pub(super) fn knows_header(&self, name: &str, value: &str) -> bool {
        let known = header::EVERY.contains(&name)
            || self.with_header.iter().any(|(other, _)| *other == name)
            || self.headers.iter().any(|group| header::has(group, name));
        !name.starts_with("x-ms-") || (known && header::known_value(name, value))
    }

    /// Whether these letters suffice; if not, says what would.
    pub(super) fn permit(&self, request: &Request, letters: &str) -> Result<(), String> {
        let has = |letter| letters.contains(letter);
        let met = match self.needs {
            Needs::Any(any) => any.chars().any(has),
            Needs::All(all) => all.chars().all(has),
            Needs::Create => has('w') || (has('c') && request.header("if-none-match") == "*"),
        };
        if !met {
            return Err(self.needs.text());
        }
        let by_header = request.header_names().filter_map(header::letter);
        let by_query = request.query().iter().filter_map(|(name, value)| header::letter_of_query(name, value));
        match by_header.chain(by_query).find(|(letter, _)| !has(*letter)) {
            Some((letter, why)) => Err(format!("permission {letter} too, for {why}")),
            None => Ok(()),
        }
    }
}

impl Needs {
    fn text(self) -> String {
        let list = |letters: &str, word| letters.chars().map(String::from).collect::<Vec<_>>().join(word);
        match self {
            Self::Any(letters) => format!("permission {}", list(letters, " or ")),
            Self::All(letters) => format!("permission {}", list(letters, " and ")),
            Self::Create => "permission w, or c with If-None-Match: *".to_owned(),
        }
    }
}
