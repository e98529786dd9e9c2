//! Azure Files. Letters: "Create a service SAS", "Permissions for a file" and "for a file share"; of directories "Create an account SAS".
//!
//! Not here, and so refused: the share itself, snapshots of it, handles, leases, copies and renames, security descriptors.

use super::{
    area::Reach,
    body::Body,
    header::{METADATA, READ},
    operation::{Needs::Any, Operation},
    target::Level::{Container, Object},
};

const LEASE_ID: &[&str] = &["x-ms-lease-id", "x-ms-allow-trailing-dot"];
/// It decides whether the dot at a name's end is a part of it; such names are refused.
const DOT: &[&str] = &["x-ms-allow-trailing-dot"];
/// What SMB keeps of a file.
const SMB: &[&str] = &[
    "x-ms-file-attributes",
    "x-ms-file-creation-time",
    "x-ms-file-last-write-time",
    "x-ms-file-change-time",
    "x-ms-file-permission",
];
const CONTENT: &[&str] = &[
    "x-ms-cache-control",
    "x-ms-content-type",
    "x-ms-content-encoding",
    "x-ms-content-language",
    "x-ms-content-disposition",
    "x-ms-content-md5",
    "x-ms-content-length",
];
const LISTED: &[&str] = &["prefix", "marker", "maxresults", "include"];
const LISTING: &[(&str, &str)] = &[("restype", "directory"), ("comp", "list")];
const DIRECTORY: &[(&str, &str)] = &[("restype", "directory")];
const DIRECTORY_METADATA: &[(&str, &str)] = &[("restype", "directory"), ("comp", "metadata")];

pub(super) static OPERATIONS: &[Operation] = &[
    Operation::new("List Directories and Files", &["GET"], Container, LISTING, Any("l"))
        .query(LISTED)
        .headers(&[DOT, &["x-ms-file-extended-info"]])
        .reach(Reach::Below),
    Operation::new("List Directories and Files", &["GET"], Object, LISTING, Any("l"))
        .query(LISTED)
        .headers(&[DOT, &["x-ms-file-extended-info"]])
        .reach(Reach::Below),
    Operation::new("Get Directory Properties", &["GET", "HEAD"], Object, DIRECTORY, Any("r")).headers(&[DOT]),
    Operation::new("Get Directory Metadata", &["GET", "HEAD"], Object, DIRECTORY_METADATA, Any("r")).headers(&[DOT]),
    Operation::new("Create Directory", &["PUT"], Object, DIRECTORY, Any("cw")).headers(&[DOT, METADATA, SMB]),
    Operation::new("Set Directory Metadata", &["PUT"], Object, DIRECTORY_METADATA, Any("w")).headers(&[DOT, METADATA]),
    Operation::new("Delete Directory", &["DELETE"], Object, DIRECTORY, Any("d")).headers(&[DOT]),
    Operation::new("Get File", &["GET"], Object, &[], Any("r")).headers(&[LEASE_ID, READ]),
    Operation::new("Get File Properties", &["HEAD"], Object, &[], Any("r")).headers(&[LEASE_ID]),
    Operation::new("Get File Metadata", &["GET", "HEAD"], Object, &[("comp", "metadata")], Any("r"))
        .headers(&[LEASE_ID]),
    Operation::new("List Ranges", &["GET"], Object, &[("comp", "rangelist")], Any("r")).headers(&[LEASE_ID, READ]),
    // It replaces a file that is there, and nothing that is signed can say that it must not: `c` alone does not suffice.
    Operation::new("Create File", &["PUT"], Object, &[], Any("w"))
        .with_header(&[("x-ms-type", "file")])
        .headers(&[LEASE_ID, METADATA, SMB, CONTENT]),
    Operation::new("Put Range", &["PUT"], Object, &[("comp", "range")], Any("w"))
        .with_header(&[("x-ms-write", "update")])
        .headers(&[LEASE_ID, &["x-ms-range", "x-ms-file-last-write-time"]])
        .body(Body::OfRange),
    Operation::new("Put Range (clear)", &["PUT"], Object, &[("comp", "range")], Any("w"))
        .with_header(&[("x-ms-write", "clear")])
        .headers(&[LEASE_ID, &["x-ms-range", "x-ms-file-last-write-time"]]),
    Operation::new("Set File Properties", &["PUT"], Object, &[("comp", "properties")], Any("w"))
        .headers(&[LEASE_ID, SMB, CONTENT]),
    Operation::new("Set File Metadata", &["PUT"], Object, &[("comp", "metadata")], Any("w"))
        .headers(&[LEASE_ID, METADATA]),
    Operation::new("Delete File", &["DELETE"], Object, &[], Any("d")).headers(&[LEASE_ID]),
];
