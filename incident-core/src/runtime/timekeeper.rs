//! The engine's own time: it follows the wall clock, but no step of the wall clock moves a deadline.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;

use super::engine::locked;
use crate::model::time::{Time, after, spoken, to_millis};
use crate::port::Clock;

/// How far the wall clock may differ from the monotonic reading before it counts as set. NTP slews by less.
const STEP: TimeDelta = TimeDelta::seconds(1);
/// How long a step has to last before the engine believes it.
const CONFIRM: Duration = Duration::from_secs(10);

/// Tells the engine's time from the wall clock and the monotonic reading.
///
/// A wall clock that jumps forward is followed once it has stayed there for ten seconds: it may be a machine that was
/// suspended, and it may be a glitch. One that was set back is not followed, so that what was promised for a time comes when
/// it was promised; only a step forward that is taken back is.
#[derive(Debug)]
pub(super) struct Timekeeper {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// A wall clock's time at a monotonic reading.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    time: Time,
    at: Duration,
}

impl Anchor {
    /// The time that the monotonic reading gives.
    fn at(&self, elapsed: Duration) -> Time {
        after(self.time, elapsed.saturating_sub(self.at))
    }
}

#[derive(Debug)]
struct State {
    anchor: Anchor,
    /// What the time was measured from before the last step forward.
    earlier: Option<Anchor>,
    last: Time,
    /// A difference to the wall clock that isn't believed yet, and since when there is one.
    doubt: Option<Doubt>,
    /// A step that nobody was told of yet.
    step: Option<Step>,
}

#[derive(Debug, Clone, Copy)]
struct Doubt {
    ahead: TimeDelta,
    since: Duration,
    told: bool,
}

/// A step of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// How far the wall clock was ahead of the engine's time; negative if it was set back.
    ahead: TimeDelta,
    /// Whether the engine follows it.
    followed: bool,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let by = spoken(self.ahead.abs().to_std().unwrap_or_default());
        let way = if self.ahead > TimeDelta::zero() { "forward" } else { "back" };
        let then = if self.followed {
            "the engine follows it"
        } else {
            "the engine keeps its own time until it is restarted, so deadlines stay as promised"
        };
        write!(f, "the clock of this machine was set {way} by {by}; {then}")
    }
}

impl Timekeeper {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let anchor = Anchor { time: clock.now(), at: clock.elapsed() };
        let state = State { anchor, earlier: None, last: anchor.time, doubt: None, step: None };
        Self { clock, state: Mutex::new(state) }
    }

    /// The engine's time, UTC. It never goes back, except to take back a step forward.
    pub(super) fn now(&self) -> Time {
        self.read().0
    }

    /// How far the wall clock is ahead of the engine's time.
    pub(super) fn wall_ahead(&self) -> TimeDelta {
        self.read().1
    }

    /// Waits for so long, whatever happens to the wall clock.
    pub(super) async fn sleep(&self, length: Duration) {
        self.clock.sleep(length).await;
    }

    /// A step of the wall clock that was noticed since the last call.
    pub(super) fn take_step(&self) -> Option<Step> {
        self.read();
        locked(&self.state).step.take()
    }

    fn read(&self) -> (Time, TimeDelta) {
        let mut state = locked(&self.state);
        let (wall, elapsed) = (self.clock.now(), self.clock.elapsed());
        state.follow(wall, elapsed);
        let now = to_millis(state.anchor.at(elapsed)).max(state.last);
        state.last = now;
        (now, wall.signed_duration_since(now))
    }
}

impl State {
    fn follow(&mut self, wall: Time, elapsed: Duration) {
        let here = Anchor { time: wall, at: elapsed };
        let ahead = wall.signed_duration_since(self.anchor.at(elapsed));
        if ahead.abs() <= STEP {
            self.anchor = here;
            self.doubt = None;
            return;
        }
        let known = self.doubt.filter(|doubt| (doubt.ahead - ahead).abs() <= STEP);
        let mut doubt = known.unwrap_or(Doubt { ahead, since: elapsed, told: false });
        let is_back = |it: &Anchor| wall.signed_duration_since(it.at(elapsed)).abs() <= STEP;
        if ahead < TimeDelta::zero() && self.earlier.as_ref().is_some_and(is_back) {
            // The step forward was wrong, and so is every time that was taken from it.
            (self.anchor, self.earlier, self.last, self.doubt) = (here, None, wall, None);
            self.step = Some(Step { ahead, followed: true });
            return;
        }
        if elapsed.saturating_sub(doubt.since) >= CONFIRM && !doubt.told {
            let followed = ahead > TimeDelta::zero();
            self.step = Some(Step { ahead, followed });
            if followed {
                (self.earlier, self.anchor, self.doubt) = (Some(self.anchor), here, None);
                return;
            }
            doubt.told = true;
        }
        self.doubt = Some(doubt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{before, since};
    use crate::runtime::ManualClock;

    const HOUR: Duration = Duration::from_secs(3_600);
    const WEEKS: Duration = Duration::from_secs(21 * 86_400);

    fn at_noon() -> (Arc<ManualClock>, Timekeeper, Time) {
        let noon = "2026-11-23T12:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(noon));
        (Arc::clone(&clock), Timekeeper::new(clock), noon)
    }

    /// Lets so many seconds pass, with a look at the clock in each.
    fn pass(clock: &ManualClock, time: &Timekeeper, seconds: u64) {
        for _ in 0..seconds {
            clock.advance(Duration::from_secs(1));
            time.now();
        }
    }

    #[test]
    fn a_clock_set_back_moves_no_deadline_and_is_said_once() {
        let (clock, time, noon) = at_noon();
        clock.step_to(before(noon, HOUR));
        assert_eq!((time.now(), time.take_step()), (noon, None));
        pass(&clock, &time, 900);
        assert_eq!(since(time.now(), noon), Duration::from_secs(900));
        let step = time.take_step().unwrap();
        assert!(step.to_string().contains("back by 1 h"), "{step}");
        pass(&clock, &time, 900);
        assert_eq!(time.take_step(), None);
    }

    #[test]
    fn a_glitch_of_weeks_is_not_followed() {
        let (clock, time, noon) = at_noon();
        clock.step_to(after(noon, WEEKS));
        assert_eq!(time.now(), noon);
        pass(&clock, &time, 5);
        clock.step_to(after(noon, Duration::from_secs(5)));
        pass(&clock, &time, 30);
        assert_eq!(since(time.now(), noon), Duration::from_secs(35));
        assert_eq!(time.take_step(), None);
    }

    #[test]
    fn a_suspended_machine_catches_up_after_ten_seconds() {
        let (clock, time, noon) = at_noon();
        clock.step_to(after(noon, HOUR));
        pass(&clock, &time, 11);
        assert_eq!(time.now(), after(noon, HOUR + Duration::from_secs(11)));
        assert!(time.take_step().unwrap().followed);
    }

    #[test]
    fn a_step_forward_that_is_taken_back_is_taken_back() {
        let (clock, time, noon) = at_noon();
        clock.step_to(after(noon, WEEKS));
        pass(&clock, &time, 60);
        assert!(time.now() > after(noon, WEEKS));
        clock.step_to(after(noon, Duration::from_secs(60)));
        assert_eq!(time.now(), after(noon, Duration::from_secs(60)));
        assert!(time.take_step().unwrap().followed);
    }

    #[test]
    fn time_never_goes_back_while_the_clock_is_slewed() {
        let (clock, time, noon) = at_noon();
        clock.advance(HOUR);
        let before_slew = time.now();
        clock.step_to(before(clock.now(), Duration::from_millis(700)));
        assert_eq!(time.now(), before_slew);
        pass(&clock, &time, 1);
        assert_eq!(time.now(), after(noon, HOUR + Duration::from_millis(300)));
    }
}
