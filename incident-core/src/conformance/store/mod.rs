//! The suite for stores.
//!
//! ```
//! use incident_core::store::MemoryStore;
//!
//! // In `tests/conformance.rs` of your store's crate; expands to one `#[test]` a case.
//! incident_core::store_conformance!(MemoryStore::new);
//! # fn main() {}
//! ```
//!
//! The argument is called once a case and returns a [`StoreHarness`]: somewhere fresh to keep data, which can be opened
//! more than once. The cases run on a runtime of several threads.

mod bytes;
mod claim;
mod commit;
mod fold;
mod keys;
mod kit;
mod list;
mod meaning;
mod race;
mod redact;
mod time;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::Broken;
use crate::port::store::Store;
use crate::store::MemoryStore;

/// A place to keep data, fresh for each case.
#[async_trait]
pub trait StoreHarness: Send + Sync {
    /// Opens a handle.
    ///
    /// # Behaviour
    /// - The first handle finds an empty store.
    /// - Every further one sees the same data, like another replica; also when the others were dropped.
    ///
    /// A harness that can't open panics: no promise of the store can be checked then.
    async fn open(&self) -> Arc<dyn Store>;
}

#[async_trait]
impl StoreHarness for MemoryStore {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }
}

type Run = for<'a> fn(&'a dyn StoreHarness) -> Pin<Box<dyn Future<Output = kit::Outcome> + Send + 'a>>;

/// One promise of the port, and how it is checked.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Case {
    /// Its name, as a Rust identifier.
    pub name: &'static str,
    /// The promise it checks, in a sentence.
    pub promise: &'static str,
    run: Run,
}

impl Case {
    /// Checks the promise on a store that nothing was done to yet.
    ///
    /// # Errors
    /// [`Broken`] if the store doesn't keep it.
    pub async fn run(&self, harness: &dyn StoreHarness) -> Result<(), Broken> {
        let outcome = (self.run)(harness).await;
        outcome.map_err(|how| Broken { case: self.name, promise: self.promise, how: how.0 })
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("promise", &self.promise).finish()
    }
}

/// Checks every case, each on a harness of its own.
///
/// # Errors
/// Every promise that the store doesn't keep.
pub async fn check<H: StoreHarness>(make: impl Fn() -> H) -> Result<(), Vec<Broken>> {
    let mut broken = Vec::new();
    for case in cases() {
        if let Err(found) = case.run(&make()).await {
            broken.push(found);
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(broken) }
}

/// Checks the case called `name` on a runtime of its own; what [`store_conformance!`](crate::store_conformance) calls.
///
/// # Panics
/// If the store doesn't keep the promise, or there is no such case.
pub fn run_case(name: &str, harness: &dyn StoreHarness) {
    let case = cases().into_iter().find(|case| case.name == name).expect("the macro names cases that exist");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("the machine can start threads");
    if let Err(broken) = runtime.block_on(case.run(harness)) {
        panic!("{broken}");
    }
}

/// The list of cases, in one place: `cases()` and the public macro are both made from it.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    (($($callback:tt)*) $extra:tt) => {
        $($callback)* {
            $extra
            commit::a_log_begins_at_one: "an incident's first record has the sequence 1";
            commit::a_log_has_no_gaps: "a commit whose records don't follow its version is invalid";
            commit::a_row_is_of_the_version_it_leads_to: "a row of another version than the commit's is invalid";
            commit::a_commit_elsewhere_conflicts: "a commit at another version than the incident's changes nothing";
            commit::an_incident_is_created_once: "a second commit at 0 is a conflict";
            commit::a_repeated_commit_stands_once: "the version lets a repeated commit in once";
            commit::log_and_row_change_together: "a commit appends to the log and replaces the row";
            commit::a_commit_without_records_refreshes_the_row: "a commit without records replaces the row alone";
            commit::incidents_are_apart: "an incident's commits don't touch another's";
            commit::refusals_come_in_order: "invalid goes before conflict, newer fold and taken key";
            commit::a_new_handle_finds_everything: "what is acknowledged is there for every later handle";
            race::one_wins_at_a_version: "of commits racing at one version exactly one wins";
            race::one_creates: "of commits racing to create an incident exactly one wins";
            race::one_holds_a_raced_key: "of incidents racing for a key exactly one gets it";
            race::rivals_lose_nothing: "rivals that load and decide again all get in, each once";
            race::a_commit_is_seen_whole: "a reader sees a commit whole or not at all";
            race::a_dropped_commit_is_whole_or_nothing: "a commit whose caller went away stands whole or not at all";
            race::claims_do_not_overlap: "an incident is leased to one worker";
            keys::a_taken_key_is_refused_and_its_holder_named: "a commit naming a taken key changes nothing";
            keys::a_key_is_held_until_its_time: "a key is over at its `until`, compared with the commit's time";
            keys::a_key_not_named_is_free: "a key that the row no longer names is free at once";
            keys::an_incident_keeps_its_own_key: "a key is never taken from its holder's own point of view";
            keys::a_key_that_was_over_changes_hands: "who takes over a key that was over is its holder";
            keys::a_key_that_is_over_is_not_taken: "a row may go on naming a key that is over";
            keys::a_key_remembers_its_last_holder: "a key that is over names who held it last";
            keys::names_are_bytes: "key names are compared byte by byte";
            keys::a_row_may_hold_many_keys: "a row may hold many keys";
            keys::a_key_is_named_once: "a row that names a key twice is invalid";
            claim::only_what_is_due_is_offered: "an incident is offered from its `next_wake` on";
            claim::the_urgent_go_first: "claims go by urgency, then by time, up to the limit";
            claim::a_lease_keeps_others_out_until_it_ends: "a lease is the worker's until its end";
            claim::a_worker_gets_its_own_again: "a worker's own lease hides nothing from it";
            claim::what_is_excepted_is_let_go: "an excepted incident isn't offered and the worker's lease on it ends";
            claim::a_lease_guards_nothing: "a lease doesn't stop a commit, and a commit doesn't end a lease";
            claim::the_next_wake_is_the_earliest: "`next_wake` is the earliest of all rows";
            fold::rows_of_an_older_fold_are_offered: "a row of an older fold is offered until it is refreshed";
            fold::rows_of_a_newer_fold_are_not_offered: "a row of a newer fold is left to those who know it";
            fold::a_newer_fold_is_never_overwritten: "a commit by an older fold than the row's changes nothing";
            list::an_empty_store_is_empty: "an unknown incident, key or page is empty and no error";
            list::pages_are_in_order_of_id: "a listing shows every incident once, in order of id";
            list::pages_hold_under_writes: "a listing isn't disturbed by what is written meanwhile";
            list::the_settled_can_be_left_out: "an unsettled listing shows exactly those that owe something";
            list::a_row_comes_back_as_committed: "a row is listed as the last commit set it";
            bytes::bodies_come_back: "bodies and chain links come back byte by byte";
            bytes::slots_come_back: "slots come back in number, order and bytes";
            bytes::large_bytes_come_back: "a body and a slot of 1 MiB come back";
            bytes::a_long_log_comes_back_in_order: "a log is read in order, however long";
            bytes::the_tail_is_what_comes_after: "a tail is what comes after the version";
            meaning::a_newer_kind_is_left_alone: "a record of a newer version stops its incident, aloud, and no other";
            meaning::an_unreadable_record_is_left_alone: "a record that can't be read stops its incident, aloud, and no other";
            meaning::a_broken_chain_is_left_alone: "a record that was changed stops its incident, aloud, and no other";
            meaning::a_log_proves_that_it_is_whole: "a log verifies against a head that was kept, also after a redaction";
            meaning::a_stale_index_is_rebuilt_from_the_log: "a row of an older fold is computed anew from the log";
            redact::named_slots_are_emptied: "redaction empties the named slots and nothing else";
            redact::a_commit_redacts_its_own: "redaction also reaches the commit's own records";
            redact::redacting_nothing_is_harmless: "redacting what is missing or empty changes nothing";
            redact::a_refused_commit_redacts_nothing: "a refused commit empties no slot";
            time::extreme_times_are_times: "the first and the last times are kept, compared and given back";
            time::times_are_kept_to_the_millisecond: "times are kept and compared to the millisecond";
            time::hints_are_harmless: "listeners that come, go and don't listen disturb nobody";
        }
    };
}

macro_rules! list_cases {
    (() $($module:ident :: $name:ident: $promise:literal;)*) => {
        /// Every case, in the order of the port's documentation.
        #[must_use]
        pub fn cases() -> Vec<Case> {
            vec![$(Case {
                name: stringify!($name),
                promise: $promise,
                run: |harness| Box::pin($module::$name(harness)),
            }),*]
        }
    };
}

__store_cases!((list_cases!) ());

/// Holds a store to the suite: one `#[test]` a case, named after it.
///
/// The argument is something that can be called without arguments and returns a
/// [`StoreHarness`](crate::conformance::store::StoreHarness); it is called once in each test.
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::__store_cases!(($crate::__store_tests!) ($make));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    (($make:expr) $($module:ident :: $name:ident: $promise:literal;)*) => {
        $(
            #[doc = $promise]
            #[test]
            fn $name() {
                $crate::conformance::store::run_case(::core::stringify!($name), &($make)());
            }
        )*
    };
}
