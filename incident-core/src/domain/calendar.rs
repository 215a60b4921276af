//! Business days in one place of the world.

use chrono::{NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// When people work: weekdays, hours, holidays, and the zone in which these are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The IANA zone, such as `Europe/Zurich`.
    pub zone: Tz,
    /// The weekdays on which people work.
    pub weekdays: Vec<Weekday>,
    /// When the working day begins, in the zone.
    pub opens: NaiveTime,
    /// When the working day ends, in the zone; after `opens`.
    pub closes: NaiveTime,
    /// Days on which nobody works.
    #[serde(default)]
    pub holidays: Vec<NaiveDate>,
}
