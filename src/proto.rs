//! The generated code of `proto/valet/v1`, and nothing else but the redacting `Debug` that generated code cannot have.
//! Only the transport's faces, the upstream source and the command line's client call it.

#![expect(missing_docs, unused_qualifications, clippy::allow_attributes, clippy::pedantic, reason = "generated code")]

use std::fmt;

pub mod v1 {
    tonic::include_proto!("valet.v1");
}

/// The encoded `FileDescriptorSet` of the service, with comments: for reflection and for the JSON form.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/valet.binpb"));

macro_rules! redacted_debug {
    ($($message:ident),*) => {$(
        impl fmt::Debug for v1::$message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message)).finish_non_exhaustive()
            }
        }
    )*};
}

redacted_debug!(Answer, IssueTokenResponse, ReportRejectedRequest, SignRequestRequest, SignRequestResponse, Header);
