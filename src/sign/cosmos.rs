use super::{AccountKey, SignError, Signed, http_date, text, uri::escape};
use crate::model::Secret;

/// The longest resource link, in characters.
const LONGEST_LINK: usize = 2048;

/// A request to Cosmos DB, as far as a master key signs it ("Access control on Azure Cosmos DB resources").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosmosRequest {
    verb: String,
    resource_type: String,
    resource_link: String,
    date: String,
}

impl CosmosRequest {
    /// Checks what a request is: its HTTP method, the type of resource (`dbs`, `colls`, `docs`, …), the link of the resource that it is made to,
    /// or for a creation the parent's, and the value of its `x-ms-date`.
    pub fn new(verb: &str, resource_type: &str, resource_link: &str, date: &str) -> Result<Self, SignError> {
        let word = |field, word: &str| {
            let good = (1..=32).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic());
            let problem = "is no plain word: write GET or docs";
            if good { Ok(word.to_ascii_lowercase()) } else { Err(SignError::Invalid { field, problem }) }
        };
        let link = resource_link.trim_matches('/');
        if !link.is_empty() {
            text::check("resource_id", link, LONGEST_LINK)?;
        }
        http_date::check("x_ms_date", date)?;
        Ok(Self {
            verb: word("verb", verb)?,
            resource_type: word("resource_type", resource_type)?,
            resource_link: link.to_owned(),
            date: date.to_ascii_lowercase(),
        })
    }

    /// The value of its `Authorization` header.
    pub fn sign(&self, key: &AccountKey) -> Signed {
        let Self { verb, resource_type, resource_link, date } = self;
        let string_to_sign = format!("{verb}\n{resource_type}\n{resource_link}\n{date}\n\n");
        let value = format!("type=master&ver=1.0&sig={}", key.sign(&string_to_sign).as_str());
        Signed { token: Secret::new(escape(&value).collect::<String>()), string_to_sign, expires_at: None }
    }
}
