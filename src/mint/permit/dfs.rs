//! Data Lake Storage, by paths. Letters: "Create a service SAS", "Permissions for a directory, container, or blob"; operations: "Path".
//!
//! Not here, and so refused: the file system itself, renames (`x-ms-rename-source` names another path), expiry, `checkAccess`.

use super::{
    area::Reach,
    body::Body,
    header::{CONDITIONS, CUSTOMER_KEY, READ},
    operation::{
        Needs::{Any, Create},
        Operation,
    },
    target::Level::{Container, Object},
};

const CONTENT: &[&str] = &[
    "x-ms-cache-control",
    "x-ms-content-type",
    "x-ms-content-encoding",
    "x-ms-content-language",
    "x-ms-content-disposition",
    "x-ms-content-md5",
    "x-ms-properties",
];
const ACCESS: &[&str] = &["x-ms-owner", "x-ms-group", "x-ms-acl", "x-ms-permissions", "x-ms-umask"];
const LEASE: &[&str] = &["x-ms-lease-duration", "x-ms-proposed-lease-id", "x-ms-lease-break-period"];

pub(super) static OPERATIONS: &[Operation] = &[
    Operation::new("List Paths", &["GET"], Container, &[("resource", "filesystem"), ("recursive", "*")], Any("l"))
        .query(&["directory", "continuation", "maxresults", "upn"])
        .reach(Reach::Listing("directory")),
    Operation::new("Read Path", &["GET"], Object, &[], Any("r")).headers(&[CONDITIONS, CUSTOMER_KEY, READ]),
    Operation::new("Get Path Properties", &["HEAD"], Object, &[], Any("r"))
        .query(&["upn"])
        .headers(&[CONDITIONS, CUSTOMER_KEY]),
    Operation::new("Get Path Status", &["HEAD"], Object, &[("action", "getStatus")], Any("er")).headers(&[CONDITIONS]),
    Operation::new("Get Path Access Control", &["HEAD"], Object, &[("action", "getAccessControl")], Any("e"))
        .query(&["upn"])
        .headers(&[CONDITIONS]),
    Operation::new("Create File", &["PUT"], Object, &[("resource", "file")], Create).headers(&[
        CONDITIONS,
        CUSTOMER_KEY,
        CONTENT,
        ACCESS,
    ]),
    Operation::new("Create Directory", &["PUT"], Object, &[("resource", "directory")], Create)
        .headers(&[CONDITIONS, CONTENT, ACCESS]),
    // The letter `a` is said to be for append blobs, which this service does not make.
    Operation::new("Append Data", &["PATCH"], Object, &[("action", "append"), ("position", "*")], Any("w"))
        .query(&["flush"])
        .headers(&[CONDITIONS, CUSTOMER_KEY, CONTENT, &["x-ms-content-crc64"]])
        .body(Body::Sent),
    Operation::new("Flush Data", &["PATCH"], Object, &[("action", "flush"), ("position", "*")], Any("w"))
        .query(&["close", "retainuncommitteddata"])
        .headers(&[CONDITIONS, CUSTOMER_KEY, CONTENT]),
    Operation::new("Set Path Properties", &["PATCH"], Object, &[("action", "setProperties")], Any("w"))
        .headers(&[CONDITIONS, CONTENT]),
    Operation::new("Set Path Access Control", &["PATCH"], Object, &[("action", "setAccessControl")], Any("op"))
        .headers(&[CONDITIONS, ACCESS]),
    Operation::new(
        "Set Path Access Control (recursive)",
        &["PATCH"],
        Object,
        &[("action", "setAccessControlRecursive"), ("mode", "*")],
        Any("p"),
    )
    .query(&["continuation", "forceflag", "maxrecords"])
    .headers(&[CONDITIONS, &["x-ms-acl"]])
    .reach(Reach::Below),
    Operation::new("Lease Path", &["POST"], Object, &[], Any("w"))
        .with_header(&[("x-ms-lease-action", "acquire|renew|change|release")])
        .headers(&[CONDITIONS, LEASE]),
    Operation::new("Lease Path (break)", &["POST"], Object, &[], Any("wd"))
        .with_header(&[("x-ms-lease-action", "break")])
        .headers(&[CONDITIONS, LEASE]),
    Operation::new("Delete Path", &["DELETE"], Object, &[], Any("d")).query(&["paginated"]).headers(&[CONDITIONS]),
    Operation::new("Delete Path", &["DELETE"], Object, &[("recursive", "false")], Any("d"))
        .query(&["paginated"])
        .headers(&[CONDITIONS]),
    Operation::new("Delete Path (recursive)", &["DELETE"], Object, &[("recursive", "true")], Any("d"))
        .query(&["continuation", "paginated"])
        .headers(&[CONDITIONS])
        .reach(Reach::Below),
];
