//! Blob Storage. Letters: "Create a service SAS", "Permissions for a directory, container, or blob"; "Create an account SAS", "Blob service".
//!
//! Not here, and so refused: whatever a service SAS cannot do (a container's own properties, metadata, policy and lease, batches, account
//! information); whatever names another resource, which the service would read with this account's rights (copies, `…-from-url`, `x-ms-source-…`);
//! and what the pages give no letter for (`comp=expiry`, encryption scopes).

use super::{
    area::Reach,
    body::Body,
    header::{BLOB_CONTENT, BLOB_NEW, CHECKSUM, CONDITIONS, CUSTOMER_KEY, METADATA, READ},
    operation::{
        Needs::{Any, Create},
        Operation,
    },
    target::Level::{Container, Object},
};

const TIMES: &[&str] = &["snapshot", "versionid"];
const LEASE: &[&str] = &["x-ms-lease-duration", "x-ms-proposed-lease-id", "x-ms-lease-break-period"];
const PAGE_CONDITIONS: &[&str] =
    &["x-ms-if-sequence-number-le", "x-ms-if-sequence-number-lt", "x-ms-if-sequence-number-eq"];

pub(super) static OPERATIONS: &[Operation] = &[
    Operation::new("List Blobs", &["GET"], Container, &[("restype", "container"), ("comp", "list")], Any("l"))
        .query(&["prefix", "delimiter", "marker", "maxresults", "include"])
        .reach(Reach::Listing("prefix")),
    Operation::new("Find Blobs by Tags", &["GET"], Container, &[("restype", "container"), ("comp", "blobs")], Any("f"))
        .query(&["where", "marker", "maxresults"])
        .reach(Reach::Below),
    Operation::new("Get Blob", &["GET"], Object, &[], Any("r")).query(TIMES).headers(&[CONDITIONS, CUSTOMER_KEY, READ]),
    Operation::new("Get Blob Properties", &["HEAD"], Object, &[], Any("r"))
        .query(TIMES)
        .headers(&[CONDITIONS, CUSTOMER_KEY]),
    Operation::new("Get Blob Metadata", &["GET", "HEAD"], Object, &[("comp", "metadata")], Any("r"))
        .query(TIMES)
        .headers(&[CONDITIONS, CUSTOMER_KEY]),
    Operation::new("Get Block List", &["GET"], Object, &[("comp", "blocklist")], Any("r"))
        .query(&["snapshot", "versionid", "blocklisttype"])
        .headers(&[CONDITIONS]),
    Operation::new("Get Page Ranges", &["GET"], Object, &[("comp", "pagelist")], Any("r"))
        .query(&["snapshot", "prevsnapshot", "marker", "maxresults"])
        .headers(&[CONDITIONS, READ]),
    Operation::new("Query Blob Contents", &["POST"], Object, &[("comp", "query")], Any("r"))
        .query(TIMES)
        .headers(&[CONDITIONS, CUSTOMER_KEY])
        .body(Body::Sent),
    Operation::new("Get Blob Tags", &["GET"], Object, &[("comp", "tags")], Any("t"))
        .query(TIMES)
        .headers(&[CONDITIONS]),
    Operation::new("Set Blob Tags", &["PUT"], Object, &[("comp", "tags")], Any("t"))
        .query(&["versionid"])
        .headers(&[CONDITIONS, CHECKSUM])
        .body(Body::Sent),
    Operation::new("Put Blob", &["PUT"], Object, &[], Create)
        .with_header(&[("x-ms-blob-type", "BlockBlob")])
        .headers(&[CONDITIONS, CUSTOMER_KEY, METADATA, BLOB_CONTENT, BLOB_NEW, CHECKSUM])
        .body(Body::Sent),
    Operation::new("Put Blob (append)", &["PUT"], Object, &[], Create)
        .with_header(&[("x-ms-blob-type", "AppendBlob")])
        .headers(&[CONDITIONS, CUSTOMER_KEY, METADATA, BLOB_CONTENT, BLOB_NEW]),
    Operation::new("Put Blob (page)", &["PUT"], Object, &[], Create)
        .with_header(&[("x-ms-blob-type", "PageBlob")])
        .headers(&[
            CONDITIONS,
            CUSTOMER_KEY,
            METADATA,
            BLOB_CONTENT,
            BLOB_NEW,
            &["x-ms-blob-content-length", "x-ms-blob-sequence-number"],
        ]),
    Operation::new("Put Block", &["PUT"], Object, &[("comp", "block"), ("blockid", "*")], Any("w"))
        .headers(&[CONDITIONS, CUSTOMER_KEY, CHECKSUM])
        .body(Body::Sent),
    Operation::new("Put Block List", &["PUT"], Object, &[("comp", "blocklist")], Any("w"))
        .headers(&[CONDITIONS, CUSTOMER_KEY, METADATA, BLOB_CONTENT, BLOB_NEW, CHECKSUM])
        .body(Body::Sent),
    Operation::new("Append Block", &["PUT"], Object, &[("comp", "appendblock")], Any("aw"))
        .headers(&[
            CONDITIONS,
            CUSTOMER_KEY,
            CHECKSUM,
            &["x-ms-blob-condition-maxsize", "x-ms-blob-condition-appendpos"],
        ])
        .body(Body::Sent),
    Operation::new("Append Blob Seal", &["PUT"], Object, &[("comp", "seal")], Any("w"))
        .headers(&[CONDITIONS, &["x-ms-blob-condition-appendpos"]]),
    Operation::new("Put Page", &["PUT"], Object, &[("comp", "page")], Any("w"))
        .with_header(&[("x-ms-page-write", "update")])
        .headers(&[CONDITIONS, CUSTOMER_KEY, CHECKSUM, PAGE_CONDITIONS, &["x-ms-range"]])
        .body(Body::OfRange),
    Operation::new("Put Page (clear)", &["PUT"], Object, &[("comp", "page")], Any("w"))
        .with_header(&[("x-ms-page-write", "clear")])
        .headers(&[CONDITIONS, CUSTOMER_KEY, PAGE_CONDITIONS, &["x-ms-range"]]),
    Operation::new("Set Blob Metadata", &["PUT"], Object, &[("comp", "metadata")], Any("w")).headers(&[
        CONDITIONS,
        CUSTOMER_KEY,
        METADATA,
    ]),
    Operation::new("Set Blob Properties", &["PUT"], Object, &[("comp", "properties")], Any("w")).headers(&[
        CONDITIONS,
        BLOB_CONTENT,
        &["x-ms-blob-content-length", "x-ms-sequence-number-action", "x-ms-blob-sequence-number"],
    ]),
    Operation::new("Set Blob Tier", &["PUT"], Object, &[("comp", "tier")], Any("w"))
        .query(TIMES)
        .headers(&[CONDITIONS, &["x-ms-access-tier", "x-ms-rehydrate-priority"]]),
    Operation::new("Snapshot Blob", &["PUT"], Object, &[("comp", "snapshot")], Any("cw")).headers(&[
        CONDITIONS,
        CUSTOMER_KEY,
        METADATA,
    ]),
    Operation::new("Undelete Blob", &["PUT"], Object, &[("comp", "undelete")], Any("w")),
    Operation::new("Abort Copy Blob", &["PUT"], Object, &[("comp", "copy"), ("copyid", "*")], Any("w"))
        .with_header(&[("x-ms-copy-action", "abort")])
        .headers(&[CONDITIONS]),
    Operation::new("Lease Blob", &["PUT"], Object, &[("comp", "lease")], Any("w"))
        .with_header(&[("x-ms-lease-action", "acquire|renew|change|release")])
        .headers(&[CONDITIONS, LEASE]),
    Operation::new("Lease Blob (break)", &["PUT"], Object, &[("comp", "lease")], Any("wd"))
        .with_header(&[("x-ms-lease-action", "break")])
        .headers(&[CONDITIONS, LEASE]),
    Operation::new("Delete Blob", &["DELETE"], Object, &[], Any("d"))
        .query(&["snapshot"])
        .headers(&[CONDITIONS, &["x-ms-delete-snapshots"]]),
    Operation::new("Delete Blob (version)", &["DELETE"], Object, &[("versionid", "*")], Any("x"))
        .headers(&[CONDITIONS]),
    Operation::new(
        "Delete Blob (permanently)",
        &["DELETE"],
        Object,
        &[("deletetype", "permanent|Permanent"), ("snapshot", "*")],
        Any("y"),
    ),
    Operation::new(
        "Delete Blob (permanently)",
        &["DELETE"],
        Object,
        &[("deletetype", "permanent|Permanent"), ("versionid", "*")],
        Any("y"),
    ),
    Operation::new("Set Blob Immutability Policy", &["PUT"], Object, &[("comp", "immutabilityPolicies")], Any("i"))
        .query(TIMES)
        .headers(&[&["x-ms-immutability-policy-until-date", "x-ms-immutability-policy-mode"]]),
    Operation::new(
        "Delete Blob Immutability Policy",
        &["DELETE"],
        Object,
        &[("comp", "immutabilityPolicies")],
        Any("i"),
    )
    .query(TIMES),
    Operation::new("Set Blob Legal Hold", &["PUT"], Object, &[("comp", "legalhold")], Any("i"))
        .query(TIMES)
        .headers(&[&["x-ms-legal-hold"]]),
];
