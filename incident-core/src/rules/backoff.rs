//! When a failed effect is tried again: capped, doubling, and spread by the effect's own id.

use std::time::Duration;

use crate::model::id::{Digest, EffectId};
use crate::model::time::{Time, after};

/// The wait after the first failure, before it is spread.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait of our own; a backend may ask for more.
const LONGEST: Duration = Duration::from_secs(300);
/// The shortest wait before another look at work that is under way.
pub(crate) const SOONEST: Duration = Duration::from_millis(100);
/// The longest wait that a backend may ask for; what it asks beyond would only lose the effect.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3_600);
/// After so many attempts in a row without an answer an effect is given up, visibly: about four hours of trying.
pub(crate) const GIVE_UP_AFTER: u32 = 60;
/// After so many attempts a page goes out on the next route, if there is one: about seven seconds.
pub(crate) const PAGE_FALLS_BACK_AFTER: u32 = 4;
/// The longest a backend may keep a page waiting that has another route.
pub(crate) const PAGE_WAITS: Duration = Duration::from_secs(30);

/// When attempt number `attempt` of `effect`, which failed at `now`, is followed by the next.
///
/// The wait doubles from one second to five minutes and is spread over its upper half, so that many effects that failed
/// together don't come back together. If the backend asks for a longer `wait`, it gets it, up to a day.
#[must_use]
pub fn retry_at(effect: EffectId, attempt: u32, wait: Option<Duration>, now: Time) -> Time {
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST);
    let half = doubled / 2;
    let digest = Digest::of(&[effect.to_string().as_bytes(), &attempt.to_be_bytes()]);
    let spread = u32::from(u16::from_be_bytes([digest.0[0], digest.0[1]]));
    let own = half + half.saturating_mul(spread) / u32::from(u16::MAX);
    after(now, wait.unwrap_or_default().min(LONGEST_ASKED).max(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{IncidentId, Seq};
    use crate::model::time::since;

    #[test]
    fn waits_double_up_to_a_cap_and_honour_the_backend() {
        let effect = EffectId { incident: IncidentId::new(Time::UNIX_EPOCH, [1; 16]), seq: Seq(7) };
        let waited =
            |attempt, wait| since(retry_at(effect, attempt, wait, Time::UNIX_EPOCH), Time::UNIX_EPOCH);
        for (attempt, seconds) in [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (u32::MAX, 300)] {
            let wait = waited(attempt, None);
            assert!(wait <= Duration::from_secs(seconds), "{attempt}: {wait:?}");
            assert!(wait >= Duration::from_secs(seconds) / 2, "{attempt}: {wait:?}");
        }
        assert_eq!(waited(1, Some(Duration::from_secs(3_600))), Duration::from_secs(3_600));
    }
}
