use super::network::network;
use crate::{
    azure::{IdentityConfig, IdentityKind, ManagedIdentityId},
    config::{
        address::HostUrl,
        path::{Content, PathTo},
        record::{Record, Variant},
        reference::ReferenceTo,
        shape::OfKeys,
        text::{Text, opaque},
    },
};

/// One entry of `identities`; its name is still empty.
pub(super) fn identity(record: &mut Record<'_, '_>) -> Option<IdentityConfig> {
    let authority_host = record.optional(
        "authority_host",
        "The Entra endpoint, for sovereign clouds and tests. Without it: AZURE_AUTHORITY_HOST, then the public cloud.",
        &HostUrl { example: "https://login.microsoftonline.com" },
    );
    let network = record.optional("network", "How the Entra endpoint is reached.", &OfKeys(network));
    let kind = record.variant("kind", "How the identity proves itself to Entra.", KINDS, &[]);
    Some(IdentityConfig { name: "".into(), kind: kind?, authority_host, network: network.unwrap_or_default() })
}

const KINDS: &[Variant<IdentityKind>] = &[
    Variant {
        word: "default",
        doc: "The first of environment, workload identity, managed identity and Azure CLI that is configured.",
        read: |_| Some(IdentityKind::Default),
    },
    Variant {
        word: "environment",
        doc: "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH.",
        read: |_| Some(IdentityKind::Environment),
    },
    Variant {
        word: "workload-identity",
        doc: "A Kubernetes service account token that Entra trusts.",
        read: workload_identity,
    },
    Variant {
        word: "managed-identity",
        doc: "The identity of the machine, pod or app: the system's, or one user-assigned identity.",
        read: managed_identity,
    },
    Variant { word: "client-secret", doc: "A service principal with a secret.", read: client_secret },
    Variant { word: "client-certificate", doc: "A service principal with a certificate.", read: client_certificate },
    Variant {
        word: "azure-cli",
        doc: "Whoever is logged in to the Azure CLI. For development.",
        read: |record| {
            let tenant_id = record.optional("tenant_id", "A tenant other than the CLI's own.", &TENANT);
            Some(IdentityKind::AzureCli { tenant_id })
        },
    },
];

const ID: Text = opaque("an id");

/// What `azure_identity` accepts, because it becomes a part of a URL's path.
const TENANT: Text = Text {
    noun: "a tenant id",
    rule: "it is a GUID or a domain name",
    is_right: |text| {
        (1..=256).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    },
    pattern: "^[0-9A-Za-z.-]{1,256}$",
};

fn workload_identity(record: &mut Record<'_, '_>) -> Option<IdentityKind> {
    let client_id = record.optional("client_id", "Application id. Without it: AZURE_CLIENT_ID.", &ID);
    let tenant_id = record.optional("tenant_id", "Tenant id or domain. Without it: AZURE_TENANT_ID.", &TENANT);
    let token_file = record.optional(
        "token_file",
        "The file of the service account's token. Without it: AZURE_FEDERATED_TOKEN_FILE.",
        &PathTo(Content::Unread),
    );
    Some(IdentityKind::WorkloadIdentity { client_id, tenant_id, token_file })
}

fn managed_identity(record: &mut Record<'_, '_>) -> Option<IdentityKind> {
    let client_id = record.optional("client_id", "A user-assigned identity, by its application id.", &ID);
    let object_id = record.optional("object_id", "A user-assigned identity, by its object (principal) id.", &ID);
    let resource_id = record.optional("resource_id", "A user-assigned identity, by its Azure resource id.", &ID);
    let keys = ["client_id", "object_id", "resource_id"];
    let written: Vec<_> = keys.into_iter().filter(|key| record.has(key)).collect();
    for key in written.into_iter().skip(1) {
        record.note(key, |place| place.error("the identity is named twice", "keep one of the ids"));
    }
    let id = client_id.map(ManagedIdentityId::ClientId);
    let id = id.or(object_id.map(ManagedIdentityId::ObjectId)).or(resource_id.map(ManagedIdentityId::ResourceId));
    Some(IdentityKind::ManagedIdentity { id })
}

fn client_secret(record: &mut Record<'_, '_>) -> Option<IdentityKind> {
    let tenant_id = record.required("tenant_id", "Tenant id or domain.", &TENANT);
    let client_id = record.required("client_id", "Application id.", &ID);
    let client_secret =
        record.required("client_secret", "Where the secret is, never the secret.", &ReferenceTo(Content::Anything));
    Some(IdentityKind::ClientSecret { tenant_id: tenant_id?, client_id: client_id?, client_secret: client_secret? })
}

fn client_certificate(record: &mut Record<'_, '_>) -> Option<IdentityKind> {
    let tenant_id = record.required("tenant_id", "Tenant id or domain.", &TENANT);
    let client_id = record.required("client_id", "Application id.", &ID);
    let certificate = record.required(
        "certificate",
        "Where the PEM text is: the certificate (leaf first) and its private key.",
        &ReferenceTo(Content::CertificateAndKey),
    );
    Some(IdentityKind::ClientCertificate { tenant_id: tenant_id?, client_id: client_id?, certificate: certificate? })
}
