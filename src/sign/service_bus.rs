use super::{SharedAccessKey, SignError, Signed, Timestamp, text, uri::escape};
use crate::model::Secret;

/// What the token begins with.
pub(super) const SCHEME: &str = "SharedAccessSignature ";

/// The longest name of a policy (ARM: 256).
const LONGEST_POLICY: usize = 256;

/// The longest URI of an entity.
const LONGEST_URI: usize = 1024;

/// A token for a Service Bus or Event Hubs entity. It opens everything under its URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceBusSas {
    resource: String,
    policy: String,
}

impl ServiceBusSas {
    /// Checks the URI of the entity, such as `sb://acme.servicebus.windows.net/orders`, and the name of the policy whose key signs.
    pub fn new(resource: &str, policy: &str) -> Result<Self, SignError> {
        text::check("resource", resource, LONGEST_URI)?;
        text::check("policy", policy, LONGEST_POLICY)?;
        let (scheme, rest) = resource.split_once("://").unwrap_or(("", resource));
        let host = rest.split('/').next().unwrap_or_default();
        let is_host =
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
        if !is_host || !matches!(scheme, "" | "sb" | "https" | "http" | "amqps" | "amqp") {
            let problem = "is no URI of an entity: write sb://NAMESPACE.servicebus.windows.net/ENTITY";
            return Err(SignError::Invalid { field: "resource", problem });
        }
        Ok(Self { resource: escape(resource).collect(), policy: escape(policy).collect() })
    }

    /// Signs it until an expiry. What is signed is the URI as it stands in the token, escapes and all.
    pub fn sign(&self, key: &SharedAccessKey, expiry: Timestamp) -> Signed {
        let Self { resource, policy } = self;
        let string_to_sign = format!("{resource}\n{}", expiry.unix());
        let signature: String = escape(key.sign(&string_to_sign).as_str()).collect();
        Signed {
            token: Secret::new(format!("{SCHEME}sr={resource}&sig={signature}&se={}&skn={policy}", expiry.unix())),
            string_to_sign,
            expires_at: Some(expiry),
        }
    }
}
