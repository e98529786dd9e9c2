use super::{Broker, Judged, Reader, Referenced};
use crate::{
    cache::Scope,
    model::{Fault, Lookup, Review, Urgency, Via},
    source::{Asked, News},
    telemetry::Counter,
};
use futures::future::BoxFuture;
use std::{convert::Infallible, sync::Arc};

/// What reads a name once more.
type Fetch = Box<dyn Fn(Urgency) -> BoxFuture<'static, Result<Option<Judged>, Fault>> + Send>;

impl Broker {
    /// Takes in what a source tells by itself, for as long as it is polled: what it confirms stays fresh without being read, what it says to have
    /// changed is read again, a bounded number at once and the rest when somebody asks for it.
    pub async fn tend(&self, reader: &Arc<Reader>) -> Infallible {
        let (plain, named) = scopes(reader);
        let held = || {
            let values = self.cache.held(|key| key.scope == plain || key.scope == named);
            values + self.issuer.keys_held(reader)
        };
        loop {
            let news = reader.source().news(&held).await;
            self.take_in(reader, &news);
        }
    }

    /// Does with all that is held of a source what its news say.
    fn take_in(&self, reader: &Arc<Reader>, news: &News) {
        let (plain, named) = scopes(reader);
        let reviewed = self.cache.review(news.as_of, |key, held| match key.scope {
            scope if scope == plain => (news.judge)(Asked::Lookup(&key.lookup), held),
            scope if scope == named => (news.judge)(Asked::Named(&key.lookup.name), held),
            _ => Review::Leave,
        });
        for key in &reviewed.doubted {
            self.cache.refresh(key, || fetch(reader, key.scope == named, key.lookup.clone()));
        }
        let (relayed, tokens) = (&self.issuer.stores().relayed, super::relayed::scope_of(reader.scope()));
        relayed.review(news.as_of, |key, held| match key.scope {
            scope if scope == tokens => (news.judge)(Asked::Token(&key.lookup.name), held),
            _ => Review::Leave,
        });
        let keys = self.issuer.take_in(reader, news);
        let add = |counter, count: usize| self.counters.add(counter, u64::try_from(count).unwrap_or(u64::MAX));
        add(Counter::ValuesConfirmed, reviewed.confirmed + keys.confirmed);
        add(Counter::ValuesDoubted, reviewed.doubted.len() + keys.doubted.len());
    }
}

/// What is read of a source is kept under the first, what is read of it for references under the second.
fn scopes(reader: &Reader) -> (Scope, Scope) {
    (reader.scope(), Referenced::scope_of(reader))
}

fn fetch(reader: &Arc<Reader>, is_named: bool, lookup: Lookup) -> Fetch {
    let reader = Arc::clone(reader);
    Box::new(move |urgency| {
        let (reader, lookup) = (Arc::clone(&reader), lookup.clone());
        Box::pin(async move {
            if !is_named {
                return reader.read(&lookup, urgency, &Via::default()).await;
            }
            Ok(reader.read_named(&lookup.name, urgency).await?.map(Judged::referenced))
        })
    })
}
