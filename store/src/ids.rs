//! Ids that rise with the order of arrival.

use crate::{StoreError, keys::random};
use domain::time::Timestamp;
use uuid::Uuid;

/// Makes UUIDs of version 7 (RFC 9562), each greater than the one before, whatever the clock does.
#[derive(Debug)]
pub(crate) struct Ids {
    last: u128,
}

/// The bits that may count: all but version and variant.
const RANDOM_HIGH_BITS: u32 = 12;
const RANDOM_LOW_BITS: u32 = 62;

impl Ids {
    /// Goes on after `last`, the greatest id there is.
    pub(crate) fn after(last: Option<Uuid>) -> Self {
        Self {
            last: last.map_or(0, |id| id.as_u128()),
        }
    }

    /// The next id, at `now`.
    pub(crate) fn next(&mut self, now: Timestamp) -> Result<Uuid, StoreError> {
        let millis = u64::try_from(now.micros().div_euclid(1_000)).unwrap_or(0) & 0xffff_ffff_ffff;
        let random = u128::from_be_bytes(random::<16>()?);
        let fresh = assemble(
            millis,
            random & ((1 << (RANDOM_HIGH_BITS + RANDOM_LOW_BITS)) - 1),
        );
        self.last = if fresh > self.last {
            fresh
        } else {
            successor(self.last)
        };
        Ok(Uuid::from_u128(self.last))
    }
}

/// Time, 74 bits of anything, with version 7 and the variant of RFC 9562 between them.
fn assemble(millis: u64, random: u128) -> u128 {
    let high = (random >> RANDOM_LOW_BITS) & 0xfff;
    let low = random & ((1 << RANDOM_LOW_BITS) - 1);
    (u128::from(millis) << 80) | (0x7 << 76) | (high << 64) | (0b10 << RANDOM_LOW_BITS) | low
}

/// The next greater id: the random bits counted up, and the time after them when they run over.
fn successor(id: u128) -> u128 {
    let millis = u64::try_from(id >> 80).unwrap_or(0);
    let random = (((id >> 64) & 0xfff) << RANDOM_LOW_BITS) | (id & ((1 << RANDOM_LOW_BITS) - 1));
    let counted = random + 1;
    if counted >> (RANDOM_HIGH_BITS + RANDOM_LOW_BITS) == 0 {
        assemble(millis, counted)
    } else {
        assemble(millis + 1, 0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_even_when_the_clock_goes_back() {
        let mut ids = Ids::after(None);
        let mut last = Uuid::nil();
        for micros in [5_000_000, 5_000_000, 1_000, 9_000_000, 0] {
            let id = ids.next(Timestamp::from_micros(micros)).unwrap();
            assert!(id > last);
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            last = id;
        }
    }

    #[test]
    fn counting_runs_over_into_the_time() {
        let most = assemble(7, (1 << 74) - 1);
        assert_eq!(successor(most), assemble(8, 0));
        assert!(successor(most) > most);
        let low = assemble(7, (1 << 62) - 1);
        assert_eq!(successor(low), assemble(7, 1 << 62));
    }
}
