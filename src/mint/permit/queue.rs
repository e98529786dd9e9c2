//! Queue Storage. Letters: "Create a service SAS", "Permissions for a queue".
//!
//! Not here, and so refused: the queue's making, metadata and policy; Clear Messages, which needs the `d` that only an account SAS has.

use super::{
    body::Body,
    operation::{Needs::Any, Operation},
    target::Level::{Container, Messages, Object},
};

pub(super) static OPERATIONS: &[Operation] = &[
    Operation::new("Get Queue Metadata", &["GET", "HEAD"], Container, &[("comp", "metadata")], Any("r")),
    Operation::new("Peek Messages", &["GET"], Messages, &[("peekonly", "true")], Any("r")).query(&["numofmessages"]),
    Operation::new("Get Messages", &["GET"], Messages, &[], Any("p")).query(&["numofmessages", "visibilitytimeout"]),
    Operation::new("Put Message", &["POST"], Messages, &[], Any("a"))
        .query(&["visibilitytimeout", "messagettl"])
        .body(Body::Sent),
    Operation::new("Update Message", &["PUT"], Object, &[("popreceipt", "*"), ("visibilitytimeout", "*")], Any("u"))
        .body(Body::Any),
    Operation::new("Delete Message", &["DELETE"], Object, &[("popreceipt", "*")], Any("p")),
];
