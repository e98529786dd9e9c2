//! What lists tell, by examples and against a vault whose every change is known.

use super::catalogue::{Catalogue, Taken, Version};
use crate::{
    azure::{Listed, SecretName},
    model::{Held, Review, Revision},
};
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

/// Wall-clock time at a second of the test, which begins a year after 1970.
fn wall(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(365 * 24) + SECOND * u32::try_from(second).unwrap()
}

/// A list that takes a second; each secret as its name, when it was updated and whether it is enabled.
fn list(before: Option<&Catalogue>, second: u64, secrets: &[(&str, u64, bool)]) -> Catalogue {
    let listed = |(text, updated, enabled): &(&str, u64, bool)| Listed {
        name: name(text),
        enabled: *enabled,
        updated_at: Some(wall(*updated)),
    };
    let taken = Taken {
        began: Duration::from_secs(second),
        ended: Duration::from_secs(second + 1),
        ended_wall: wall(second + 1),
    };
    Catalogue::after(before, secrets.iter().map(listed).collect(), taken)
}

fn value(read_at: u64, updated: u64) -> Held<'static> {
    value_of(0, read_at, updated)
}

/// A value of the first or the second of two names.
fn value_of(rank: u8, read_at: u64, updated: u64) -> Held<'static> {
    let revision = Revision { version: None, updated_at: Some(wall(updated)), rank };
    Held::Value { read_at: Duration::from_secs(read_at), revision }
}

fn not_found(read_at: u64) -> Held<'static> {
    Held::NotFound { read_at: Duration::from_secs(read_at) }
}

#[track_caller]
fn judged(catalogue: &Catalogue, names: &[&str], held: Held<'_>) -> Review {
    let names: Vec<_> = names.iter().map(|text| name(text)).collect();
    catalogue.judge(&names, Version::Latest, held)
}

#[test]
fn a_value_that_is_as_old_as_the_list_says_is_confirmed_and_another_is_doubted() {
    let first = list(None, 10_000, &[("DB", 100, true)]);
    assert_eq!(judged(&first, &["db"], value(9_000, 100)), Review::Confirm);
    assert_eq!(judged(&first, &["db"], value(9_000, 99)), Review::Doubt);
    assert_eq!(judged(&first, &["db"], value(9_000, 101)), Review::Doubt);
    let changed = list(Some(&first), 10_150, &[("db", 10_100, true)]);
    assert_eq!(judged(&changed, &["db"], value(10_000, 100)), Review::Doubt);
}

#[test]
fn a_value_read_in_the_second_of_a_change_is_not_confirmed_before_it_is_read_again() {
    // Read and changed in second 10,000, perhaps in this order; the vault's clock may be a quarter of an hour off.
    let first = list(None, 10_001, &[("db", 10_000, true)]);
    assert_eq!(judged(&first, &["db"], value(10_000, 10_000)), Review::Doubt);
    assert!(first.is_unsettled());
    let second = list(Some(&first), 10_150, &[("db", 10_000, true)]);
    assert_eq!(judged(&second, &["db"], value(10_003, 10_000)), Review::Doubt, "the list was there at 10,002");
    assert_eq!(judged(&second, &["db"], value(10_004, 10_000)), Review::Confirm);
    assert!(!second.is_unsettled());
    // Or so long after it that no clock can be so wrong.
    let late = list(None, 10_950, &[("db", 10_000, true)]);
    assert_eq!(judged(&late, &["db"], value(10_901, 10_000)), Review::Doubt);
    assert_eq!(judged(&late, &["db"], value(10_902, 10_000)), Review::Confirm);
}

#[test]
fn a_name_that_was_not_found_is_confirmed_while_it_is_not_there_and_dropped_when_it_is() {
    let first = list(None, 1_000, &[]);
    assert_eq!(judged(&first, &["db"], not_found(900)), Review::Confirm);
    let second = list(Some(&first), 2_000, &[("db", 1_500, true)]);
    assert_eq!(judged(&second, &["db"], not_found(1_000)), Review::Drop);
    assert_eq!(judged(&second, &["team--db", "db"], not_found(1_000)), Review::Drop);
}

#[test]
fn a_deleted_secret_is_doubted_and_its_name_believed_to_be_absent_only_when_two_lists_lack_it() {
    let first = list(None, 1_000, &[("db", 5, true)]);
    let second = list(Some(&first), 2_000, &[]);
    assert_eq!(judged(&second, &["db"], value(1_000, 5)), Review::Doubt);
    assert!(!second.lacks(&[name("DB")]) && second.lacks(&[name("other")]) && !second.lacks(&[]));
    assert!(!second.lacks(&[name("other"), name("db")]), "one of two is enough");
    let third = list(Some(&second), 3_000, &[]);
    assert!(third.lacks(&[name("db"), name("other")]));
    assert_eq!(judged(&third, &["db"], value(1_000, 5)), Review::Doubt, "also if nobody read it since");
}

#[test]
fn a_disabled_secret_is_doubted_and_an_earlier_version_of_it_is_left_once_it_is_read() {
    let first = list(None, 1_000, &[("key", 5, true)]);
    let second = list(Some(&first), 2_000, &[("key", 1_500, false)]);
    assert_eq!(judged(&second, &["key"], value(1_000, 5)), Review::Doubt);
    let named = |held| second.judge(&[name("key")], Version::NewestEnabled, held);
    assert_eq!(named(value(1_000, 5)), Review::Doubt, "it was the latest, and may be disabled now");
    assert_eq!(named(value(2_001, 3)), Review::Leave, "it is one before it, and the list says nothing of that");
    assert_eq!(named(not_found(1_000)), Review::Drop);
    assert_eq!(named(not_found(2_001)), Review::Leave, "none is enabled");
    assert_eq!(second.enabled().count(), 0);
}

#[test]
fn of_two_names_the_first_that_is_there_counts_and_the_other_ones_value_is_doubted() {
    let both = ["red--db", "db"];
    let first = list(None, 10_000, &[("db", 100, true)]);
    assert_eq!(judged(&first, &both, value_of(1, 9_000, 100)), Review::Confirm);
    assert_eq!(
        judged(&first, &both, value_of(0, 9_000, 100)),
        Review::Doubt,
        "red's is gone, and was of the same second"
    );
    let second = list(Some(&first), 10_150, &[("db", 100, true), ("red--db", 100, true)]);
    assert_eq!(judged(&second, &both, value_of(1, 10_000, 100)), Review::Doubt);
    assert_eq!(judged(&second, &both, value_of(0, 10_001, 100)), Review::Confirm);
}

#[test]
fn where_a_list_and_values_never_agree_values_are_read_again_twice_and_then_left_to_age() {
    let mut lists = vec![list(None, 1_000, &[("db", 900, true), ("off", 900, false)])];
    for second in [1_150, 1_300] {
        let next = list(lists.last(), second, &[("db", 900, true), ("off", 900, false)]);
        lists.push(next);
    }
    for (name, updated) in [("db", 899), ("off", 900), ("unlisted", 5)] {
        assert_eq!(judged(&lists[0], &[name], value(900, updated)), Review::Doubt, "{name}");
        assert_eq!(judged(&lists[1], &[name], value(1_003, updated)), Review::Doubt, "{name}");
        assert_eq!(judged(&lists[2], &[name], value(1_153, updated)), Review::Leave, "{name}");
    }
    assert_eq!(judged(&lists[2], &["db"], not_found(1_153)), Review::Leave);
}

#[test]
fn of_what_neither_dates_nor_names_are_known_nothing_is_said() {
    let catalogue = list(None, 1_000, &[("db", 5, true)]);
    let undated = Held::Value { read_at: SECOND, revision: Revision::default() };
    assert_eq!(judged(&catalogue, &["db"], undated), Review::Leave);
    assert_eq!(judged(&catalogue, &[], value(1, 5)), Review::Leave);
    assert_eq!(judged(&catalogue, &[], not_found(1)), Review::Leave);
}

#[test]
fn a_read_under_way_is_not_kept_if_its_secret_changed_since_the_list_before() {
    let awaited = |catalogue: &Catalogue, names: &[&str]| judged(catalogue, names, Held::Awaited { since: SECOND });
    let first = list(None, 1_000, &[("db", 5, true), ("red--x", 5, true), ("x", 5, true)]);
    assert_eq!(awaited(&first, &["db"]), Review::Leave, "nothing is known of before");
    let second = list(Some(&first), 2_000, &[("db", 1_500, true), ("x", 5, true), ("made", 1_500, true)]);
    for (names, expected) in [
        (&["db"][..], Review::Doubt),
        (&["made"], Review::Doubt),
        (&["red--x", "x"], Review::Doubt),
        (&["red--x"], Review::Doubt),
        (&["x"], Review::Leave),
        (&["red--other", "x"], Review::Leave),
        (&["other"], Review::Leave),
    ] {
        assert_eq!(awaited(&second, names), expected, "{names:?}");
    }
}

/// What happens to the vault and to who reads it. Times are in milliseconds.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    /// One of the two names gets a new value, or is gone, or is disabled or enabled.
    Change(usize, Change),
    /// Both names are read, and the vault answers now; that was asked for so long ago.
    Read(u64),
    /// The vault is listed; its answer is as of now, the list began so long ago and takes so long still.
    List(u64, u64),
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Set,
    Delete,
    Toggle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Secret {
    value: u32,
    enabled: bool,
    updated: SystemTime,
}

fn step() -> impl Strategy<Value = Step> {
    // What follows at once is where whole seconds deceive.
    let delay = |most: u64| prop_oneof![Just(0), 0..most];
    prop_oneof![
        4 => (0_u64..1_500).prop_map(Step::Wait),
        1 => (0_u64..2_000_000).prop_map(Step::Wait),
        4 => (0_usize..2, prop_oneof![4 => Just(Change::Set), 2 => Just(Change::Delete), 1 => Just(Change::Toggle)])
            .prop_map(|(index, change)| Step::Change(index, change)),
        4 => delay(9_000).prop_map(Step::Read),
        4 => (delay(3_000), delay(3_000)).prop_map(|(began, rest)| Step::List(began, rest)),
    ]
}

/// When something was asked for, and what was there, by which of its names.
type Read = (u64, Option<(u8, Secret)>);

/// A vault, and one reader who holds at most one value for a team's name and one for everybody's.
struct World {
    now: u64,
    /// By how much the vault's clock is ahead of 1970, and ours.
    clocks: (u64, u64),
    secrets: [Option<Secret>; 2],
    last_value: u32,
    catalogue: Option<(Catalogue, u64)>,
    held: [Option<Read>; 2],
}

const NAMES: [&str; 2] = ["red--db", "db"];

impl World {
    fn names(lookup: usize) -> &'static [&'static str] {
        &NAMES[lookup..]
    }

    /// What reading the first or the second name brings now: by the first both secrets are asked for.
    fn truth(&self, lookup: usize) -> Option<(u8, Secret)> {
        self.secrets[lookup..].iter().zip(0..).find_map(|(secret, rank)| Some((rank, (*secret)?)))
    }

    fn change(&mut self, index: usize, change: Change) {
        let updated = SystemTime::UNIX_EPOCH + SECOND * u32::try_from((self.now + self.clocks.0) / 1000).unwrap();
        self.last_value += 1;
        self.secrets[index] = match (change, self.secrets[index]) {
            (Change::Set, _) => Some(Secret { value: self.last_value, enabled: true, updated }),
            (Change::Toggle, Some(secret)) => Some(Secret { enabled: !secret.enabled, updated, ..secret }),
            (Change::Delete | Change::Toggle, _) => None,
        };
    }

    fn read(&mut self, asked: u64) {
        for lookup in 0..2 {
            let truth = self.truth(lookup);
            // Who is refused keeps nothing.
            let is_refused = truth.is_some_and(|(_, secret)| !secret.enabled);
            self.held[lookup] = (!is_refused).then_some((self.now.saturating_sub(asked), truth));
        }
    }

    fn list(&mut self, asked: u64, rest: u64) -> Result<(), TestCaseError> {
        let began = self.now.saturating_sub(asked).max(self.catalogue.as_ref().map_or(0, |(_, ended)| *ended));
        let ended = self.now + rest;
        let listed = NAMES.iter().zip(self.secrets).filter_map(|(text, secret)| {
            let secret = secret?;
            Some(Listed { name: name(text), enabled: secret.enabled, updated_at: Some(secret.updated) })
        });
        let ended_wall = SystemTime::UNIX_EPOCH + Duration::from_millis(ended + self.clocks.1);
        let taken = Taken { began: Duration::from_millis(began), ended: Duration::from_millis(ended), ended_wall };
        let before = self.catalogue.as_ref().map(|(catalogue, _)| catalogue);
        let catalogue = Catalogue::after(before, listed.collect(), taken);
        for lookup in 0..2 {
            let Some((read_at, secret)) = self.held[lookup] else { continue };
            if read_at > began {
                continue;
            }
            let read_at = Duration::from_millis(read_at);
            let held = match secret {
                Some((rank, Secret { updated, .. })) => {
                    Held::Value { read_at, revision: Revision { version: None, updated_at: Some(updated), rank } }
                }
                None => Held::NotFound { read_at },
            };
            match judged(&catalogue, Self::names(lookup), held) {
                Review::Confirm => {
                    let (ours, theirs) = (secret.map(|(_, it)| it.value), self.truth(lookup).map(|(_, it)| it.value));
                    prop_assert_eq!(ours, theirs, "{:?} was confirmed", Self::names(lookup));
                    self.held[lookup] = Some((began, secret));
                }
                Review::Drop => self.held[lookup] = None,
                Review::Doubt | Review::Leave | Review::Lapse => {}
            }
        }
        self.catalogue = Some((catalogue, ended));
        self.now = ended;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_confirmed_that_is_not_so_however_vault_lists_and_reads_interleave(
        steps in prop::collection::vec(step(), 1..60), vault_ahead in 0_u64..1_800_000, start in 0_u64..1000,
    ) {
        // Our clock is a quarter of an hour behind the one end of the vault's range, and ahead of the other.
        let clocks = (10_000_000 + vault_ahead, 10_000_000 + 900_000);
        let mut world = World { now: start, clocks, secrets: [None; 2], last_value: 0, catalogue: None, held: [None; 2] };
        for step in steps {
            match step {
                Step::Wait(millis) => world.now += millis,
                Step::Change(index, change) => world.change(index, change),
                Step::Read(asked) => world.read(asked),
                Step::List(asked, rest) => world.list(asked, rest)?,
            }
        }
    }
}
