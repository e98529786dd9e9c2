//! Queue Storage and Table Storage.

use crate::world::{assert_letters, assert_malformed, assert_outside, whole};
use valet::mint::StorageService::{Queue, Table};

const LENGTH: (&str, &str) = ("Content-Length", "5");

#[test]
fn each_operation_on_a_queue_needs_its_letters() {
    assert_letters(
        |letters| whole(Queue, letters),
        "raup",
        &[
            ("GET /landing?comp=metadata", &[], &["r"]),
            ("HEAD /landing?comp=metadata", &[], &["r"]),
            ("GET /landing/messages?peekonly=true&numofmessages=5", &[], &["r"]),
            ("GET /landing/messages?numofmessages=5&visibilitytimeout=30", &[], &["p"]),
            ("POST /landing/messages?messagettl=60", &[LENGTH], &["a"]),
            ("PUT /landing/messages/1-2?popreceipt=x&visibilitytimeout=0", &[LENGTH], &["u"]),
            ("DELETE /landing/messages/1-2?popreceipt=x", &[], &["p"]),
        ],
    );
}

#[test]
fn a_queue_itself_is_not_signed_for_nor_cleared() {
    let none = "no operation that a grant can allow";
    assert_outside(
        &whole(Queue, "raup"),
        &[
            ("GET /?comp=list", &[], "something else"),
            ("PUT /landing", &[], none),
            ("DELETE /landing", &[], none),
            ("PUT /landing?comp=metadata", &[], none),
            ("GET /landing?comp=acl", &[], none),
            ("DELETE /landing/messages", &[], none),
            ("GET /landing/messages?peekonly=false", &[], none),
            ("GET /landing/messages?peekonly=True", &[], none),
            ("DELETE /landing/messages/1", &[], none),
            ("GET /other/messages", &[], "something else"),
        ],
    );
    let wrong = "of no queue";
    assert_malformed(
        &whole(Queue, "raup"),
        &[
            ("GET /landing//messages", &[], wrong),
            ("GET /landing/messages/", &[], wrong),
            ("GET /landing/Messages", &[], wrong),
            ("DELETE /landing/messages/1/2?popreceipt=x", &[], wrong),
            ("POST /landing/messages", &[], "say its Content-Length"),
        ],
    );
}

#[test]
fn each_operation_on_a_table_needs_its_letters() {
    assert_letters(
        |letters| whole(Table, letters),
        "raud",
        &[
            ("GET /Metrics()?$filter=PartitionKey%20eq%20'a'&$top=5", &[], &["r"]),
            ("GET /metrics", &[], &["r"]),
            ("GET /Metrics(PartitionKey='a',RowKey='b')", &[], &["r"]),
            ("GET /Metrics(PartitionKey='it''s',RowKey='')", &[], &["r"]),
            ("GET /Metrics(PartitionKey=%27a%27%2CRowKey=%27b%27)", &[], &["r"]),
            ("POST /Metrics", &[LENGTH, ("Content-Type", "application/json")], &["a"]),
            ("DELETE /Metrics(PartitionKey='a',RowKey='b')", &[("If-Match", "*")], &["d"]),
        ],
    );
}

#[test]
fn a_tables_update_needs_what_it_becomes_without_the_header_that_is_not_signed() {
    let update = [LENGTH, ("If-Match", "*")];
    assert_letters(
        |letters| whole(Table, letters),
        "raud",
        &[
            ("PUT /Metrics(PartitionKey='a',RowKey='b')", &update, &["au"]),
            ("MERGE /Metrics(PartitionKey='a',RowKey='b')", &update, &["au"]),
            ("PATCH /Metrics(PartitionKey='a',RowKey='b')", &[LENGTH], &["au"]),
        ],
    );
}

#[test]
fn tables_batches_and_tunnelled_methods_are_not_signed() {
    let none = "no operation that a grant can allow";
    let scope = whole(Table, "raud");
    assert_outside(
        &scope,
        &[
            ("GET /Tables", &[], "something else"),
            ("POST /Tables", &[LENGTH], "something else"),
            ("POST /$batch", &[LENGTH], "something else"),
            ("GET /Metrics2()", &[], "something else"),
            ("GET /?comp=properties&restype=service", &[], "something else"),
            ("GET /Metrics?comp=acl", &[], none),
            ("PUT /Metrics?comp=acl", &[LENGTH], none),
            ("DELETE /Metrics", &[], none),
            ("POST /Metrics(PartitionKey='a',RowKey='b')", &[LENGTH], none),
        ],
    );
    let wrong = "of no table or entity";
    assert_malformed(
        &scope,
        &[
            ("DELETE /Tables('Metrics')", &[], wrong),
            ("GET /Metrics(PartitionKey='a')", &[], wrong),
            ("GET /Metrics(PartitionKey='a',RowKey='b'))", &[], wrong),
            ("GET /Metrics(PartitionKey='a'b',RowKey='b')", &[], wrong),
            ("GET /Metrics(RowKey='b',PartitionKey='a')", &[], wrong),
            ("GET /Metrics(", &[], wrong),
            ("GET /Metrics/x", &[], wrong),
            ("GET /Metrics()/$batch", &[], wrong),
            ("GET /Metrics%2Fx", &[], wrong),
            ("POST /Metrics", &[LENGTH, ("X-HTTP-Method", "MERGE")], "has another method"),
        ],
    );
}
