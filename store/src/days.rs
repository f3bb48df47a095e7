//! How many events there are of which action in which hour, and in which quarter of one: kept for each day,
//! as bytes. Most is told from hours, of which there are fewer; quarters are for zones that are no whole hours
//! apart, and for the ends of a span.
//!
//! Either's bytes hold each action that it has, in order: how much greater its number is than the one before
//! (from 0 on), of how many bytes what follows is, and of each hour or quarter in which it has events, in order, how
//! many lie between it and the one before, and how many events; all as LEB128. An event takes two to three
//! bytes or less, a month is read with 31 rows, and actions that are not asked for are passed by.

use crate::dictionary::Number;
use std::collections::BTreeMap;

/// How long a quarter of an hour is, in microseconds.
pub(crate) const QUARTER: i64 = 15 * 60 * 1_000_000;
/// How many quarters a day has, and how many an hour.
pub(crate) const QUARTERS: u8 = 96;
pub(crate) const OF_HOUR: u8 = 4;

/// A quarter of an hour, by how many lie between it and the beginning of 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quarter(pub(crate) i64);

impl Quarter {
    /// The one that a moment lies in, in microseconds.
    pub(crate) const fn of(micros: i64) -> Self {
        Self(micros.div_euclid(QUARTER))
    }

    /// Its first moment, in microseconds.
    pub(crate) const fn start(self) -> i64 {
        self.0.saturating_mul(QUARTER)
    }

    /// The day that it is in, from the beginning of 1970.
    pub(crate) const fn day(self) -> i64 {
        self.0.div_euclid(QUARTERS as i64)
    }

    /// The one at a place in a day.
    pub(crate) fn of_day_at(day: i64, place: u8) -> Self {
        let first = day.saturating_mul(i64::from(QUARTERS));
        Self(first.saturating_add(i64::from(place)))
    }

    /// Its place in its day.
    fn of_day(self) -> u8 {
        self.0.rem_euclid(i64::from(QUARTERS)).to_le_bytes()[0]
    }
}

/// By how much the counts of a day change, by action and place in the day.
pub(crate) type Changes = BTreeMap<(Number, u8), i64>;

/// The changes of days, by workspace and day.
#[derive(Debug, Default)]
pub(crate) struct DaysChanges(pub(crate) BTreeMap<(i64, i64), Changes>);

impl DaysChanges {
    /// So many events more of an action in a quarter.
    pub(crate) fn add(&mut self, ws: i64, quarter: Quarter, action: Number, events: i64) {
        let day = self.0.entry((ws, quarter.day())).or_default();
        *day.entry((action, quarter.of_day())).or_default() += events;
    }
}

/// The same changes by hours.
pub(crate) fn by_hours(changes: &Changes) -> Changes {
    let mut hours = Changes::new();
    for ((action, place), change) in changes {
        *hours.entry((*action, place / OF_HOUR)).or_default() += change;
    }
    hours
}

/// Tells each count of a day of the actions that are wanted: the action, the place of the hour or the quarter
/// in the day, the number of events. None, where these are not the bytes of a day.
pub(crate) fn each(
    bytes: &[u8],
    wanted: impl Fn(Number) -> bool,
    mut tell: impl FnMut(Number, u8, u64),
) -> Option<()> {
    let mut rest = bytes;
    let mut action: Number = 0;
    while !rest.is_empty() {
        let more = Number::try_from(number(&mut rest)?).ok()?;
        action = action.checked_add(more).filter(|_| more > 0)?;
        let length = usize::try_from(number(&mut rest)?).ok()?;
        let (mut own, others) = rest.split_at_checked(length)?;
        rest = others;
        if !wanted(action) {
            continue;
        }
        let mut next: u8 = 0;
        while !own.is_empty() {
            let more = u8::try_from(number(&mut own)?).ok()?;
            let place = next.checked_add(more).filter(|place| *place < QUARTERS)?;
            next = place + 1;
            tell(action, place, number(&mut own)?);
        }
    }
    Some(())
}

/// The bytes of a day's counts, which come in the order of action and place.
pub(crate) fn written(counts: impl IntoIterator<Item = ((Number, u8), u64)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut own = Vec::new();
    let (mut before, mut of, mut next) = (0, 0, 0);
    let mut end = |of: Number, own: &mut Vec<u8>| {
        if !own.is_empty() {
            write(&mut bytes, u64::from(of - before));
            before = of;
            write(&mut bytes, own.len() as u64);
            bytes.append(own);
        }
    };
    for ((action, place), events) in counts {
        if events == 0 {
            continue;
        }
        if action != of {
            end(of, &mut own);
            (of, next) = (action, 0);
        }
        write(&mut own, u64::from(place - next));
        next = place + 1;
        write(&mut own, events);
    }
    end(of, &mut own);
    bytes
}

/// A day's bytes with changes; empty where nothing is left. None, where they are not the bytes of a day, or
/// there would be less than nothing of something.
pub(crate) fn changed(bytes: &[u8], changes: &Changes) -> Option<Vec<u8>> {
    let mut counts: BTreeMap<(Number, u8), u64> = BTreeMap::new();
    each(
        bytes,
        |_| true,
        |action, place, events| {
            counts.insert((action, place), events);
        },
    )?;
    for (of, change) in changes {
        let events = counts.entry(*of).or_default();
        *events = events.checked_add_signed(*change)?;
    }
    Some(written(counts))
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (byte, more) = rest.split_first()?;
    *rest = more;
    if *byte < 0x80 {
        return Some(u64::from(*byte));
    }
    let mut number = u64::from(byte & 0x7f);
    for shift in (7..64).step_by(7) {
        let (byte, more) = rest.split_first()?;
        *rest = more;
        let bits = u64::from(byte & 0x7f);
        number |= Some(bits << shift).filter(|part| part >> shift == bits)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(bytes: &[u8]) -> BTreeMap<(Number, u8), u64> {
        let mut all = BTreeMap::new();
        let read = each(
            bytes,
            |_| true,
            |action, place, events| {
                assert!(all.insert((action, place), events).is_none());
            },
        );
        read.unwrap();
        all
    }

    #[test]
    fn a_quarter_before_1970_is_of_its_day_too() {
        let last = Quarter::of(-1);
        assert_eq!((last, last.day(), last.of_day()), (Quarter(-1), -1, 95));
        assert_eq!(last.start(), -QUARTER);
        assert_eq!(Quarter::of(0).day(), 0);
        assert_eq!(Quarter::of_day_at(-1, 95), last);
    }

    #[test]
    fn a_day_of_which_nothing_is_left_takes_nothing() {
        let mut changes = Changes::from([((7, 3), 2), ((1, 95), 1)]);
        let bytes = changed(&[], &changes).unwrap();
        assert_eq!(told(&bytes).len(), 2);
        for change in changes.values_mut() {
            *change = -*change;
        }
        assert!(changed(&bytes, &changes).unwrap().is_empty());
        // There is never less than nothing.
        assert_eq!(changed(&[], &changes), None);
    }

    #[test]
    fn only_actions_that_are_wanted_are_told() {
        let bytes = written([((1, 5), 300), ((4, 0), 1), ((4, 95), 2), ((200, 7), 9)]);
        let mut all = Vec::new();
        each(
            &bytes,
            |action| action == 4,
            |_, place, events| all.push((place, events)),
        )
        .unwrap();
        assert_eq!(all, [(0, 1), (95, 2)]);
    }

    proptest! {
        #[test]
        fn a_day_tells_what_was_added_and_not_taken_away(
            batches in proptest::collection::vec(
                proptest::collection::vec((0_u8..96, 1_u32..300, 1_i64..400), 0..30),
                1..5,
            ),
            day in -1_000_000_i64..1_000_000,
            taken in any::<prop::sample::Index>(),
        ) {
            let changes = |batch: &[(u8, Number, i64)], sign: i64| {
                let mut days = DaysChanges::default();
                for (place, action, events) in batch {
                    days.add(1, Quarter(day * i64::from(QUARTERS) + i64::from(*place)), *action, sign * events);
                }
                days.0.remove(&(1, day)).unwrap_or_default()
            };
            let mut bytes = Vec::new();
            for batch in &batches {
                bytes = changed(&bytes, &changes(batch, 1)).unwrap();
            }
            let taken = taken.index(batches.len());
            bytes = changed(&bytes, &changes(&batches[taken], -1)).unwrap();
            let mut expected = BTreeMap::new();
            for (_, batch) in batches.iter().enumerate().filter(|(at, _)| *at != taken) {
                for (place, action, events) in batch {
                    let of = (*action, *place);
                    *expected.entry(of).or_default() += events.unsigned_abs();
                }
            }
            prop_assert_eq!(&told(&bytes), &expected);
            // There is one way to write it.
            prop_assert_eq!(written(expected), bytes);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut counts = 0;
            let read = each(&bytes, |_| true, |_, _, _| counts += 1);
            prop_assert!(read.is_some() || counts <= bytes.len());
        }
    }
}
