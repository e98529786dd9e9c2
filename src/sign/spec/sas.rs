use super::{object::Object, unknown_kind};
use crate::sign::{
    AccountKey, AccountName, AccountOptions, AccountSas, DelegationKey, DelegationKeyText, DelegationOptions,
    DelegationSas, KeyRange, Protocol, Resource, ResponseHeaders, SasOptions, ServiceBusSas, ServiceSas,
    SharedAccessKey, SignError, Signed, Timestamp, Version, Window,
};

/// `service-sas-blob`, `-file`, `-queue`, `-table`.
pub(super) fn service(mut input: Object, service: &str) -> Result<Signed, SignError> {
    let account = account_name(&mut input)?;
    let key = AccountKey::parse(input.required_text("key")?)?;
    let resource = resource(&mut input, service)?;
    let identifier = input.text("identifier")?;
    let options = options(&mut input)?;
    let window = window(&mut input)?;
    input.finish()?;
    ServiceSas::new(&account, &resource, identifier, &options)?.sign(&key, &window)
}

/// `account-sas`.
pub(super) fn account(mut input: Object) -> Result<Signed, SignError> {
    let account = account_name(&mut input)?;
    let key = AccountKey::parse(input.required_text("key")?)?;
    let options = AccountOptions {
        services: input.required_text("services")?.to_owned(),
        resource_types: input.required_text("resource_types")?.to_owned(),
        permissions: input.required_text("permissions")?.to_owned(),
        ip: input.owned("ip")?,
        protocol: protocol(&mut input)?,
        encryption_scope: input.owned("encryption_scope")?,
        version: version(&mut input)?,
    };
    let window = window(&mut input)?;
    input.finish()?;
    AccountSas::new(&account, &options)?.sign(&key, &window)
}

/// `udk-sas-blob`, `-file`, `-queue`, `-table`.
pub(super) fn delegation(mut input: Object, service: &str) -> Result<Signed, SignError> {
    let account = account_name(&mut input)?;
    let key = delegation_key(input.required_object("user_delegation_key")?)?;
    let resource = resource(&mut input, service)?;
    let options = DelegationOptions {
        sas: options(&mut input)?,
        authorized_object_id: input.owned("authorized_object_id")?,
        unauthorized_object_id: input.owned("unauthorized_object_id")?,
        correlation_id: input.owned("correlation_id")?,
        delegated_user_object_id: input.owned("delegated_user_object_id")?,
        request_headers: input.pairs("request_headers")?,
        request_query: input.pairs("request_query")?,
    };
    let window = window(&mut input)?;
    // An account's key is a field of every spec, and of no use here.
    input.ignore(&["key"]);
    input.finish()?;
    DelegationSas::new(&account, &resource, &options)?.sign(&key, &window)
}

/// `servicebus-sas`.
pub(super) fn service_bus(mut input: Object) -> Result<Signed, SignError> {
    let key = SharedAccessKey::parse(input.required_text("key")?)?;
    let sas = ServiceBusSas::new(input.required_text("resource")?, input.required_text("policy")?)?;
    let hint = "write it in seconds since 1970";
    let expiry = input.number("expiry")?.ok_or(SignError::Missing { field: "expiry", hint })?;
    input.finish()?;
    Ok(sas.sign(&key, Timestamp::from_unix("expiry", expiry)?))
}

pub(super) fn account_name(input: &mut Object) -> Result<AccountName, SignError> {
    AccountName::parse(input.required_text("account")?)
}

fn protocol(input: &mut Object) -> Result<Protocol, SignError> {
    input.text("protocol")?.map_or(Ok(Protocol::Unsaid), Protocol::parse)
}

fn version(input: &mut Object) -> Result<Option<Version>, SignError> {
    input.text("service_version")?.map(Version::parse).transpose()
}

fn window(input: &mut Object) -> Result<Window, SignError> {
    let mut end = |field| input.text(field)?.map(|text| Timestamp::parse(field, text)).transpose();
    Window::between(end("start")?, end("expiry")?)
}

fn options(input: &mut Object) -> Result<SasOptions, SignError> {
    let mut response_headers = ResponseHeaders::default();
    if let Some(mut headers) = input.object("response_headers")? {
        response_headers = ResponseHeaders {
            cache_control: headers.owned("cache_control")?,
            content_disposition: headers.owned("content_disposition")?,
            content_encoding: headers.owned("content_encoding")?,
            content_language: headers.owned("content_language")?,
            content_type: headers.owned("content_type")?,
        };
        headers.finish()?;
    }
    Ok(SasOptions {
        permissions: input.owned("permissions")?,
        ip: input.owned("ip")?,
        protocol: protocol(input)?,
        encryption_scope: input.owned("encryption_scope")?,
        response_headers,
        version: version(input)?,
    })
}

fn resource(input: &mut Object, service: &str) -> Result<Resource, SignError> {
    let mut names = input.required_object("resource")?;
    let resource = match service {
        "blob" => blob(&mut names)?,
        "file" => match (names.required_text("share")?, names.text("path")?) {
            (share, None) => Resource::share(share)?,
            (share, Some(path)) => Resource::file(share, path)?,
        },
        "queue" => Resource::queue(names.required_text("queue")?)?,
        "table" => {
            let range = KeyRange {
                start_pk: names.owned("start_pk")?,
                start_rk: names.owned("start_rk")?,
                end_pk: names.owned("end_pk")?,
                end_rk: names.owned("end_rk")?,
            };
            Resource::table(names.required_text("table")?, range)?
        }
        _ => return Err(unknown_kind()),
    };
    names.finish()?;
    Ok(resource)
}

/// A container and what is in it, by the names of Blob Storage or those of Data Lake Storage.
fn blob(names: &mut Object) -> Result<Resource, SignError> {
    let container = either(names, "container", "filesystem")?;
    let hint = "name the container or file system";
    let container = container.ok_or(SignError::Missing { field: "container", hint })?;
    let blob = either(names, "blob", "path")?;
    let directory = names.text("directory")?;
    let depth = names.number("directory_depth")?;
    let moments = (names.text("snapshot")?, names.text("version_id")?);
    match (blob, directory, moments) {
        (Some(_), Some(_), _) => Err(SignError::Conflict { field: "directory", other: "blob" }),
        (_, _, (Some(_), Some(_))) => Err(SignError::Conflict { field: "snapshot", other: "version_id" }),
        (_, None, _) if depth.is_some() => {
            Err(SignError::Missing { field: "directory", hint: "name the directory whose depth it is" })
        }
        (None, _, (Some(_), _) | (_, Some(_))) => {
            Err(SignError::Missing { field: "blob", hint: "name the blob whose snapshot or version it is" })
        }
        (Some(blob), None, (Some(time), None)) => Resource::snapshot(container, blob, time),
        (Some(blob), None, (None, Some(id))) => Resource::blob_version(container, blob, id),
        (Some(blob), None, (None, None)) => Resource::blob(container, blob),
        (None, Some(directory), (None, None)) => {
            let resource = Resource::directory(container, directory)?;
            if depth.is_some_and(|depth| depth.to_string() != resource.depth()) {
                let problem = "is not the number of the directory's segments: correct it or leave it out";
                return Err(SignError::Invalid { field: "directory_depth", problem });
            }
            Ok(resource)
        }
        (None, None, (None, None)) => Resource::container(container),
    }
}

fn either<'a>(names: &mut Object<'a>, one: &'static str, other: &'static str) -> Result<Option<&'a str>, SignError> {
    match (names.text(one)?, names.text(other)?) {
        (Some(_), Some(_)) => Err(SignError::Conflict { field: one, other }),
        (one, other) => Ok(one.or(other)),
    }
}

fn delegation_key(mut key: Object) -> Result<DelegationKey, SignError> {
    let text = DelegationKeyText {
        oid: key.required_text("user_delegation_key.oid")?,
        tid: key.required_text("user_delegation_key.tid")?,
        start: key.required_text("user_delegation_key.start")?,
        expiry: key.required_text("user_delegation_key.expiry")?,
        service: key.required_text("user_delegation_key.service")?,
        version: key.required_text("user_delegation_key.version")?,
        delegated_user_tid: key.text("user_delegation_key.delegated_user_tid")?,
        value: key.required_text("user_delegation_key.value")?,
    };
    key.finish()?;
    DelegationKey::parse(&text)
}
