//! Finding out before an incident whether tickets can be kept.

use incident_core::port::{AdapterError, ErrorKind, Preflight};
use serde_json::Value;

use super::GithubTracker;
use crate::call::Call;
use crate::error::Purpose;
use crate::label;

impl GithubTracker {
    pub(super) async fn check(&self, call: &Call) -> Result<Preflight, AdapterError> {
        let preflight = match self.client.account(call).await {
            Ok(account) => Preflight::default().good(&format!("it writes as {account}")),
            Err(error) => lacking(Preflight::default(), "whose the token is", error)?,
        };
        let answer = self.client.ask(call, &self.repository.path("")).await?;
        let scopes = answer.header("x-oauth-scopes").map(str::to_owned);
        let seen = answer.accepted(call, Purpose::Read).and_then(|answer| answer.json(call, Purpose::Read));
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => return lacking(preflight, &format!("the repository {}", self.repository), error),
        };
        let preflight = preflight.good(&format!("the repository {} can be reached", self.repository));
        let preflight = usable(preflight, &seen);
        let granted = self.client.granted(call).await?;
        let may = Permission::of(&seen, scopes.as_deref(), &granted);
        let preflight = may.line(preflight);
        let preflight = self.check_labels(call, preflight, may).await?;
        self.check_milestone(call, preflight).await
    }

    async fn check_labels(
        &self,
        call: &Call,
        preflight: Preflight,
        may: Permission,
    ) -> Result<Preflight, AdapterError> {
        let listed = self.client.list(call, &self.repository.path("/labels"), 10, |_| false).await?;
        let there: Vec<&str> = listed.items.iter().filter_map(|it| it["name"].as_str()).collect();
        // So that they needn't be asked for in an incident.
        there.iter().for_each(|name| self.client.learn_label(&format!("{} {name}", self.repository)));
        let is_missing = |name: &&str| !there.iter().any(|it| label::is_same(it, name));
        let missing: Vec<&str> = label::USUAL.into_iter().filter(is_missing).collect();
        Ok(if missing.is_empty() {
            preflight.good("the usual labels are there")
        } else if may == Permission::Triage {
            preflight.bad("labels are missing", &format!("create {}", missing.join(", ")))
        } else {
            preflight
                .good(&format!("missing labels are created when they are needed: {}", missing.join(", ")))
        })
    }

    async fn check_milestone(&self, call: &Call, preflight: Preflight) -> Result<Preflight, AdapterError> {
        let Some(title) = &self.milestone else { return Ok(preflight) };
        let what = format!("the milestone {title}");
        Ok(match self.find_milestone(call, title).await? {
            Some(_) => preflight.good(&what),
            None => preflight.bad(&what, "create it, or open it again"),
        })
    }
}

/// A line of what is missing, if that is known from GitHub's answer.
pub(crate) fn lacking(
    preflight: Preflight,
    what: &str,
    error: AdapterError,
) -> Result<Preflight, AdapterError> {
    match error.kind {
        ErrorKind::Unavailable | ErrorKind::RateLimited => Err(error),
        _ => Ok(preflight.bad(what, &error.to_string())),
    }
}

fn usable(preflight: Preflight, seen: &Value) -> Preflight {
    let preflight = match seen["has_issues"].as_bool() {
        Some(false) => preflight.bad("issues are disabled", "enable them in the repository's settings"),
        _ => preflight.good("issues are enabled"),
    };
    match seen["archived"].as_bool() {
        Some(true) => preflight.bad("the repository is archived", "name another one, or unarchive it"),
        _ => preflight,
    }
}

/// What the account may do with issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permission {
    /// Everything that is needed.
    Write,
    /// All but creating labels.
    Triage,
    /// Not enough.
    Read,
    /// The token's scopes don't reach so far.
    Scope,
    /// GitHub doesn't say.
    Unknown,
}

impl Permission {
    fn of(repository: &Value, scopes: Option<&str>, granted: &Value) -> Self {
        if granted.is_object() {
            return if granted["issues"] == "write" { Self::Write } else { Self::Read };
        }
        let has = |scope: &str| scopes.is_some_and(|all| all.split(',').any(|it| it.trim() == scope));
        // Only classic tokens have scopes; of the finer ones GitHub says what their owner may.
        if scopes.is_some_and(|all| !all.trim().is_empty()) && !has("repo") && !has("public_repo") {
            return Self::Scope;
        }
        let may = |what: &str| repository["permissions"][what].as_bool();
        match (may("push"), may("triage")) {
            (Some(true), _) => Self::Write,
            (_, Some(true)) => Self::Triage,
            (None, None) => Self::Unknown,
            _ => Self::Read,
        }
    }

    fn line(self, preflight: Preflight) -> Preflight {
        let what = "what the account may do with issues";
        match self {
            Self::Write => preflight.good("the account may write issues"),
            Self::Triage => preflight.good("the account may triage issues"),
            Self::Read => preflight.bad(what, "grant it write or triage access to the repository's issues"),
            Self::Scope => preflight.bad(what, "give the token the scope `repo`, or `public_repo`"),
            Self::Unknown => preflight.good("GitHub doesn't say what the account may do; nothing was tried"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_account_may_do_is_read_from_whatever_says_it() {
        let of = |permissions: Value| json!({ "permissions": permissions });
        let nothing = of(Value::Null);
        for (repository, scopes, granted, expect) in [
            (of(json!({ "push": true, "triage": true })), None, Value::Null, Permission::Write),
            (of(json!({ "push": true })), Some("repo, read:org"), Value::Null, Permission::Write),
            (of(json!({ "push": true })), Some("gist"), Value::Null, Permission::Scope),
            (of(json!({ "push": true })), Some(""), Value::Null, Permission::Write),
            (of(json!({ "push": false, "triage": true })), None, Value::Null, Permission::Triage),
            (of(json!({ "push": false, "pull": true })), None, Value::Null, Permission::Read),
            (nothing.clone(), None, Value::Null, Permission::Unknown),
            (of(json!({ "push": false })), None, json!({ "issues": "write" }), Permission::Write),
            (of(json!({ "push": true })), None, json!({ "issues": "read" }), Permission::Read),
        ] {
            assert_eq!(
                Permission::of(&repository, scopes, &granted),
                expect,
                "{repository} {scopes:?} {granted}"
            );
        }
    }
}
