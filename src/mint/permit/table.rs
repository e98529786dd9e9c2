//! Table Storage. Letters: "Create a service SAS", "Permissions for a table". Signed are the method, the path, `comp`, the date and the body's type
//! and MD5, and neither the query nor any other header: an operation that a header turns into another one needs the permissions of both.
//!
//! Not here, and so refused: batches, whose operations stand in the body; a table's own making and policy; and `POST` to an entity, which
//! `X-HTTP-Method` turns into anything.

use super::{
    body::Body,
    operation::{
        Needs::{All, Any},
        Operation,
    },
    target::Level::{Container, Object},
};

pub(super) static OPERATIONS: &[Operation] = &[
    Operation::new("Query Entities", &["GET"], Container, &[], Any("r")).query(&[
        "$filter",
        "$select",
        "$top",
        "$format",
        "nextpartitionkey",
        "nextrowkey",
    ]),
    Operation::new("Get Entity", &["GET"], Object, &[], Any("r")).query(&["$select", "$format"]),
    Operation::new("Insert Entity", &["POST"], Container, &[], Any("a")).query(&["$format"]).body(Body::Any),
    // Without `If-Match`, which is not signed, they insert what is not there.
    Operation::new("Update Entity", &["PUT"], Object, &[], All("au")).query(&["$format"]).body(Body::Any),
    Operation::new("Merge Entity", &["MERGE", "PATCH"], Object, &[], All("au")).query(&["$format"]).body(Body::Any),
    Operation::new("Delete Entity", &["DELETE"], Object, &[], Any("d")),
];
