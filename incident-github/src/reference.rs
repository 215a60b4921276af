//! Repositories and issues by name: `acme/shop`, `acme/shop#17`.

use std::fmt;

use incident_core::model::ticket::TicketRef;
use serde_json::Value;

/// The longest name of an owner or a repository.
const LONGEST: usize = 100;

/// A repository.
#[derive(Debug, Clone)]
pub(crate) struct Repository(String);

impl Repository {
    /// The repository that `text` names as `owner/name`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        (is_name(owner) && is_name(name)).then(|| Self(text.to_owned()))
    }

    /// The path of `what` of it: `/repos/acme/shop/issues`.
    pub(crate) fn path(&self, what: &str) -> String {
        format!("/repos/{}{what}", self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// GitHub doesn't mind how the name is cased.
impl PartialEq for Repository {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An issue.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Issue {
    pub(crate) repository: Repository,
    pub(crate) number: u64,
}

impl Issue {
    /// The issue that `text` names as `owner/name#number`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (repository, number) = text.split_once('#')?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|_| digits)?;
        Some(Self { repository: Repository::parse(repository)?, number })
    }

    /// The issue that GitHub's answer is of, by what it says itself.
    pub(crate) fn of(seen: &Value) -> Option<Self> {
        let (_, repository) = seen["repository_url"].as_str()?.rsplit_once("/repos/")?;
        Some(Self { repository: Repository::parse(repository)?, number: seen["number"].as_u64()? })
    }

    pub(crate) fn ticket(&self) -> TicketRef {
        TicketRef::new(&self.to_string())
    }

    /// The path of `what` of it: `/repos/acme/shop/issues/17/comments`.
    pub(crate) fn path(&self, what: &str) -> String {
        self.repository.path(&format!("/issues/{}{what}", self.number))
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repository, self.number)
    }
}

/// Whether this can be an account of GitHub, a bot's `name[bot]` included.
pub(crate) fn is_account(text: &str) -> bool {
    let name = text.strip_suffix("[bot]").unwrap_or(text);
    !name.is_empty()
        && name.len() <= LONGEST
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Whether two names are one account's: GitHub doesn't mind how they are cased.
pub(crate) fn is_same_account(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// `.` and `..` would lead to another place of the API.
fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && text.bytes().any(|byte| byte != b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_names_a_repository_and_an_issue_is_one() {
        for (text, expect) in [
            ("acme/shop#17", true),
            ("Acme-Inc/shop.web_2#1", true),
            ("acme/shop", false),
            ("acme/shop#", false),
            ("acme/shop#+1", false),
            ("acme/shop#-1", false),
            ("acme/shop#99999999999999999999999", false),
            ("acme/..#1", false),
            ("acme/shop/../..#1", false),
            ("acme/shop?x#1", false),
            ("a b/shop#1", false),
            ("#1", false),
        ] {
            let issue = Issue::parse(text);
            assert_eq!(issue.is_some(), expect, "{text}");
            assert!(issue.is_none_or(|issue| issue.to_string() == text), "{text}");
        }
    }
}
