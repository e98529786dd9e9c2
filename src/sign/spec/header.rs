use super::{object::Object, sas::account_name, unknown_kind};
use crate::sign::{
    AccountKey, CosmosRequest, Request, Scheme, SharedKey, SignError, Signed, StorageService, batch::sign_batch,
};

/// `shared-key-blob`, `-queue`, `-table`, `-file`, `-dfs`, and the same of `shared-key-lite`.
pub(super) fn shared_key(mut input: Object, scheme: Scheme, service: &str) -> Result<Signed, SignError> {
    agrees("scheme", input.text("scheme")?, scheme.as_str())?;
    agrees("service", input.text("service")?, service)?;
    let service = match service {
        "blob" => StorageService::Blob,
        "queue" => StorageService::Queue,
        "table" => StorageService::Table,
        "file" => StorageService::File,
        "dfs" => StorageService::Dfs,
        _ => return Err(unknown_kind()),
    };
    let signer = SharedKey { account: account_name(&mut input)?, service, scheme };
    let key = AccountKey::parse(input.required_text("key")?)?;
    let request = request(&mut input)?;
    input.finish()?;
    signer.sign(&key, &request)
}

/// `batch-shared-key`.
pub(super) fn batch(mut input: Object) -> Result<Signed, SignError> {
    let account = account_name(&mut input)?;
    let key = AccountKey::parse(input.required_text("key")?)?;
    let request = request(&mut input)?;
    input.finish()?;
    sign_batch(&key, &account, &request)
}

/// `cosmos-master-key`.
pub(super) fn cosmos(mut input: Object) -> Result<Signed, SignError> {
    let key = AccountKey::parse(input.required_text("key")?)?;
    let request = CosmosRequest::new(
        input.required_text("verb")?,
        input.required_text("resource_type")?,
        input.required_text("resource_id")?,
        input.required_text("x_ms_date")?,
    )?;
    input.finish()?;
    Ok(request.sign(&key))
}

fn request(input: &mut Object) -> Result<Request, SignError> {
    let (method, url) = (input.required_text("method")?, input.required_text("url")?);
    Request::parse(method, url, &input.pairs("headers")?)
}

/// What the kind says already may be said again, but not otherwise.
fn agrees(field: &'static str, said: Option<&str>, kind: &str) -> Result<(), SignError> {
    match said {
        Some(said) if said != kind => {
            Err(SignError::Invalid { field, problem: "is not the one of the spec's kind: correct either" })
        }
        _ => Ok(()),
    }
}
