//! Azure as Valet sees it, against the test vault: every trap of the Azure crates, of TLS and of the services has a test here.

#[path = "azure/lab.rs"]
mod lab;

#[path = "azure/answers.rs"]
mod answers;
#[path = "azure/challenge.rs"]
mod challenge;
