/// Whether somebody waits for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A caller does.
    Awaited,
    /// Nobody: there is a value to answer with, which is renewed ahead of its end. Such a read yields to those that are awaited.
    Ahead,
}
