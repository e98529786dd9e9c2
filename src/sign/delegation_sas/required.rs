use crate::sign::{SignError, fields::Fields, options::LONGEST_TEXT, shared_key::is_token, text};

/// The most headers, and the most query parameters, that a token may require.
const MOST: usize = 32;

/// Headers and query parameters that a request must have to use the token: signed with their values, named in the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Required {
    headers: String,
    header_names: String,
    query: String,
    query_names: String,
}

impl Required {
    /// In order of their names, so that the same grant gives the same token.
    pub(super) fn read(headers: &[(String, String)], query: &[(String, String)]) -> Result<Self, SignError> {
        let headers = sorted("request_headers", headers)?;
        let query = sorted("request_query", query)?;
        Ok(Self {
            header_names: names(&headers),
            headers: headers.iter().flat_map(|(name, value)| [name, ":", value, "\n"]).collect(),
            query_names: names(&query),
            query: query.iter().flat_map(|(name, value)| ["\n", name, ":", value]).collect(),
        })
    }

    pub(super) fn set_fields<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.request_headers = &self.headers;
        fields.request_header_names = &self.header_names;
        fields.request_query = &self.query;
        fields.request_query_names = &self.query_names;
    }
}

fn sorted<'a>(field: &'static str, pairs: &'a [(String, String)]) -> Result<Vec<(&'a str, &'a str)>, SignError> {
    let refuse = |problem| Err(SignError::Invalid { field, problem });
    if pairs.len() > MOST {
        return refuse("has more than 32 entries: require fewer");
    }
    for (name, value) in pairs {
        text::check(field, value, LONGEST_TEXT)?;
        // A colon or comma in a name would make two different lists read the same.
        if !is_token(name) {
            return refuse("has a name that is none: use letters, digits and -_.$");
        }
    }
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.sort_unstable();
    let mut lower: Vec<_> = pairs.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    lower.sort_unstable();
    if lower.windows(2).any(|pair| pair[0] == pair[1]) {
        return refuse("names the same thing twice: write it once");
    }
    Ok(pairs)
}

fn names(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}
