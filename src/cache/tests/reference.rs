//! What the cache has to do with one key, in its plainest form: whole milliseconds, no tasks, no locks.

use super::*;
use std::collections::BTreeMap;

pub(super) const TIMES: Times =
    Times { fresh: Duration::from_secs(5), stale: Duration::from_secs(20), not_found: Duration::from_secs(2) };

/// How long before its end a value is refreshed, with the lead that the random number 0 stands for.
const LEAD: u64 = 249;

/// What a caller is told; a value is known by the number of the flight that brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Fresh(usize),
    Stale(usize),
    NotFound,
    Fault(FaultKind),
}

/// How a read ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Value,
    NotFound,
    Fault(FaultKind),
}

#[derive(Debug, Default)]
pub(super) struct Reference {
    now: u64,
    /// Which flight brought it, and when.
    value: Option<(usize, u64)>,
    not_found: Option<u64>,
    fault: Option<(FaultKind, u64)>,
    flights: BTreeMap<usize, Flight>,
    pub(super) started: usize,
    callers: Vec<Caller>,
}

#[derive(Debug)]
struct Flight {
    since: u64,
    open: bool,
    may_retry: bool,
    retries: usize,
    /// Where it is not reading.
    pausing_until: Option<u64>,
}

#[derive(Debug)]
struct Caller {
    told: Option<Told>,
    /// Where it waits.
    flight: Option<usize>,
    stand_in: Option<(usize, u64)>,
    patience: Option<u64>,
}

impl Reference {
    pub(super) fn arrive(&mut self) {
        let mut stand_in = None;
        let known = match self.value.map(|(number, at)| (number, at, self.now - at)) {
            Some((number, _, age)) if age < 5000 => {
                if age >= 5000 - LEAD && self.held_fault().is_none() && self.open().is_none() {
                    self.start(false);
                }
                Some(Told::Fresh(number))
            }
            Some((number, at, age)) if age < 20_000 => {
                stand_in = Some((number, at));
                None
            }
            _ => None,
        };
        let known = known.or_else(|| {
            self.not_found.filter(|at| self.now - at < 2000)?;
            Some(Told::NotFound)
        });
        let known = known.or_else(|| Some(self.told_of(self.held_fault()?, stand_in)));
        let caller = if known.is_some() {
            Caller { told: known, flight: None, stand_in: None, patience: None }
        } else {
            let flight = self.open().unwrap_or_else(|| self.start(stand_in.is_none()));
            let patience = stand_in.map(|_| self.flights[&flight].since + 1000);
            Caller { told: None, flight: Some(flight), stand_in, patience }
        };
        self.callers.push(caller);
        self.lose_patience();
    }

    pub(super) fn cancel(&mut self, caller: usize) {
        self.callers[caller].flight = None;
    }

    /// Ends the read of a flight.
    pub(super) fn end(&mut self, number: usize, end: End) {
        let flight = self.flights.get_mut(&number).unwrap();
        if end == End::Fault(FaultKind::SourceDown) && flight.may_retry && flight.retries < 2 {
            let pause = [200, 800][flight.retries];
            if self.now - flight.since + pause <= 3000 {
                flight.retries += 1;
                flight.pausing_until = Some(self.now + pause);
                return;
            }
        }
        self.land(number, end);
    }

    pub(super) fn evict(&mut self) {
        (self.value, self.not_found, self.fault) = (None, None, None);
    }

    pub(super) fn invalidate(&mut self) {
        self.evict();
        self.flights.values_mut().for_each(|flight| flight.open = false);
    }

    pub(super) fn advance(&mut self, millis: u64) {
        self.now += millis;
        for flight in self.flights.values_mut() {
            flight.pausing_until = flight.pausing_until.filter(|until| *until > self.now);
        }
        let is_late = |(number, flight): (&usize, &Flight)| (self.now - flight.since >= 60_000).then_some(*number);
        for number in self.flights.iter().filter_map(is_late).collect::<Vec<_>>() {
            self.land(number, End::Fault(FaultKind::TimedOut));
        }
        self.lose_patience();
    }

    pub(super) fn told(&self) -> Vec<Option<Told>> {
        self.callers.iter().map(|caller| caller.told).collect()
    }

    pub(super) fn aloft(&self) -> usize {
        self.flights.len()
    }

    /// The flights whose source is being read.
    pub(super) fn reading(&self) -> Vec<usize> {
        self.flights.iter().filter(|(_, flight)| flight.pausing_until.is_none()).map(|(number, _)| *number).collect()
    }

    pub(super) fn first_waiting(&self) -> Option<usize> {
        self.callers.iter().position(|caller| caller.flight.is_some())
    }

    fn open(&self) -> Option<usize> {
        self.flights.iter().find(|(_, flight)| flight.open).map(|(number, _)| *number)
    }

    fn start(&mut self, may_retry: bool) -> usize {
        let number = self.started;
        self.started += 1;
        let flight = Flight { since: self.now, open: true, may_retry, retries: 0, pausing_until: None };
        self.flights.insert(number, flight);
        number
    }

    fn land(&mut self, number: usize, end: End) {
        let flight = self.flights.remove(&number).unwrap();
        if flight.open {
            match end {
                End::Value => (self.value, self.not_found, self.fault) = (Some((number, self.now)), None, None),
                End::NotFound => (self.value, self.not_found, self.fault) = (None, Some(self.now), None),
                End::Fault(kind) => {
                    if kind == FaultKind::DeniedBySource {
                        (self.value, self.not_found) = (None, None);
                    }
                    self.fault = Some((kind, self.now));
                }
            }
        }
        for index in 0..self.callers.len() {
            if self.callers[index].flight == Some(number) {
                self.callers[index].flight = None;
                self.callers[index].told = Some(match end {
                    End::Value => Told::Fresh(number),
                    End::NotFound => Told::NotFound,
                    End::Fault(kind) => self.told_of(kind, self.callers[index].stand_in),
                });
            }
        }
    }

    fn told_of(&self, fault: FaultKind, stand_in: Option<(usize, u64)>) -> Told {
        match stand_in.filter(|stand_in| self.serves(*stand_in)) {
            Some((number, _)) if fault != FaultKind::DeniedBySource => Told::Stale(number),
            _ => Told::Fault(fault),
        }
    }

    fn serves(&self, (_, at): (usize, u64)) -> bool {
        self.now - at < 20_000
    }

    fn held_fault(&self) -> Option<FaultKind> {
        self.fault.filter(|(_, at)| self.now - at < 1000).map(|(kind, _)| kind)
    }

    fn lose_patience(&mut self) {
        for index in 0..self.callers.len() {
            let caller = &self.callers[index];
            if caller.flight.is_none() || caller.patience.is_none_or(|until| until > self.now) {
                continue;
            }
            let told = caller.stand_in.filter(|stand_in| self.serves(*stand_in)).map(|(number, _)| Told::Stale(number));
            let caller = &mut self.callers[index];
            caller.patience = None;
            if told.is_some() {
                (caller.told, caller.flight) = (told, None);
            }
        }
    }
}
