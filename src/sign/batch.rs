use super::{AccountKey, AccountName, Request, SignError, Signed, shared_key};

/// Signs a request to the Batch service, which has Shared Key of its own: `ocp-` headers in place of `x-ms-` ones, and writes without a body
/// sign their length as 0.
pub fn sign_batch(key: &AccountKey, account: &AccountName, request: &Request) -> Result<Signed, SignError> {
    let string_to_sign = shared_key::batch(account, request)?;
    Ok(shared_key::authorization("SharedKey", account, &key.sign(&string_to_sign), string_to_sign))
}
