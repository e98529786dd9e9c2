use crate::model::{Kind, SourceName};

/// One entry of `routes` in valet.yaml: which sources answer a name, in what order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteConfig {
    /// A glob over the whole name: `*` is any text, `?` any character.
    pub pattern: String,
    /// The kinds it is for; all where none is written.
    pub kinds: Vec<Kind>,
    /// The sources, asked in this order; none means that nobody is asked and the name is not here.
    pub sources: Vec<SourceName>,
    /// What happens when a source cannot be asked.
    pub on_unavailable: OnUnavailable,
}

/// What happens when a source cannot be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnUnavailable {
    /// The lookup ends with the fault.
    #[default]
    Fail,
    /// The next source is asked; if none has the name, the answer is "skipped", not "not here".
    Skip,
}
