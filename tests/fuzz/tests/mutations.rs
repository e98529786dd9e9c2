//! Each target over its seeds, as they are and mangled: always the same ones, for `make test`.

use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, RngAlgorithm, RngSeed, TestRunner},
};
use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering},
};
use valet_fuzz::{TARGETS, Target};

/// Mangled inputs for each target.
const CASES: u32 = 250;

/// One thing that goes wrong with an input.
#[derive(Debug, Clone)]
enum Edit {
    Flip(Index, u8),
    Cut(Index, usize),
    Repeat(Index, usize),
    Insert(Index, Vec<u8>),
    /// From here on it is another seed.
    Splice(Index, Index),
}

impl Edit {
    fn apply(&self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let place = |index: &Index, input: &[u8]| index.index(input.len() + 1);
        match self {
            Self::Flip(at, bits) => {
                let at = place(at, input);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Self::Cut(at, length) => {
                let at = place(at, input);
                input.drain(at..(at + length).min(input.len()));
            }
            Self::Repeat(at, length) => {
                let at = place(at, input);
                let piece = input[at..(at + length).min(input.len())].to_vec();
                input.splice(at..at, piece);
            }
            Self::Insert(at, bytes) => {
                let at = place(at, input);
                input.splice(at..at, bytes.iter().copied());
            }
            Self::Splice(at, other) => {
                let other = other.get(seeds);
                input.truncate(place(at, input));
                input.extend_from_slice(&other[input.len().min(other.len())..]);
            }
        }
    }
}

fn edits() -> impl Strategy<Value = Edit> {
    // What parsers have tripped over.
    let words: Vec<&[u8]> = vec![
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xae",
        b"\\u0000",
        b"\"",
        b"'",
        b"{",
        b"]",
        b": ",
        b"- ",
        b"%",
        b"%00",
        b"&a ",
        b"*a",
        b"!!",
        b"<<",
        b"-1",
        b"0x7",
        b"1e999",
        b"99999999999999999999",
        b"null",
        b"~",
        b";",
        b"=",
        b"<![CDATA[",
        b"&#0;",
        b"Content-Length: 5\r\n",
    ];
    let at = any::<Index>;
    prop_oneof![
        (at(), 1..=u8::MAX).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        (at(), 1..64_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        (at(), 1..64_usize).prop_map(|(at, length)| Edit::Repeat(at, length)),
        (at(), proptest::sample::select(words)).prop_map(|(at, word)| Edit::Insert(at, word.to_vec())),
        (at(), at()).prop_map(|(at, other)| Edit::Splice(at, other)),
    ]
}

fn mangle(target: Target) {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let seeds = (target.seeds)();
    for seed in &seeds {
        (target.run)(seed);
    }
    for end in 0..=seeds[0].len() {
        (target.run)(&seeds[0][..end]);
    }
    // A panic in a task of a runtime ends nothing else.
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        report(info);
    }));
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(7),
        ..Config::default()
    };
    let inputs = (any::<Index>(), proptest::collection::vec(edits(), 1..6));
    let outcome = TestRunner::new(config).run(&inputs, |(seed, edits)| {
        let mut input = seed.get(&seeds).clone();
        for edit in &edits {
            edit.apply(&mut input, &seeds);
        }
        let before = PANICS.load(Ordering::Relaxed);
        (target.run)(&input);
        prop_assert_eq!(PANICS.load(Ordering::Relaxed), before, "a task has panicked");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{}: {error}", target.name);
    }
}

#[test]
fn no_input_breaks_a_promise() {
    for target in TARGETS {
        mangle(target);
    }
}
