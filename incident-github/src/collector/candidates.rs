//! From recent changes to possible causes.

use incident_core::model::cause::CauseClass;
use incident_core::port::Capture;
use incident_core::rules::command::Hypothesise;
use serde_json::Value;

/// The likeliest causes among the changes that were captured, at most so many, the likeliest first.
///
/// What reached users comes first: deployments, then releases, merges, commits; of each kind the last one before the
/// incident started, or was declared while the start is unknown. What came after the start caused nothing, and neither did a workflow run, which only carries out what
/// else is there. Whether to write one down as a hypothesis is for people to say.
///
/// ```
/// use incident_core::port::Capture;
/// use incident_github::candidates;
///
/// let document = r#"{ "repository": "acme/shop", "changes": [{
///     "kind": "merge", "number": 41, "title": "Raise the pool's limit", "by": "alice", "seconds_before_start": 720,
/// }] }"#;
/// let likely = candidates(&[Capture::text("changes/acme/shop", &document.replace(",\n}", "\n}"))], 3);
/// assert_eq!(likely[0].statement, "The merge of acme/shop#41 “Raise the pool's limit” by alice, 12 min before the start");
/// ```
#[must_use]
pub fn candidates(captures: &[Capture], most: usize) -> Vec<Hypothesise> {
    let mut found = Vec::new();
    for capture in captures.iter().filter(|capture| capture.name.starts_with("changes/")) {
        let Ok(document) = serde_json::from_slice::<Value>(&capture.bytes) else { continue };
        let repository = document["repository"].as_str().unwrap_or_default();
        let changes = document["changes"].as_array().into_iter().flatten();
        found.extend(changes.filter_map(|change| candidate(repository, change)));
    }
    found.sort_by_key(|(rank, seconds, _)| (*rank, *seconds));
    let statements = found.into_iter().take(most).map(|(_, _, statement)| statement);
    statements.map(|statement| Hypothesise { statement, class: Some(CauseClass::RecentDeployment) }).collect()
}

/// How likely by its kind, how long before the start, and in words.
fn candidate(repository: &str, change: &Value) -> Option<(u8, u64, String)> {
    let text = |field: &str| change[field].as_str().filter(|text| !text.is_empty());
    let quoted = |field: &str| text(field).map_or_else(String::new, |text| format!(" “{text}”"));
    let short = text("sha").map(|sha| sha.chars().take(8).collect::<String>()).unwrap_or_default();
    let (rank, what) = match text("kind")? {
        "deployment" => {
            let place = text("environment").unwrap_or("an unknown place");
            (0, format!("The deployment of {repository} {short} to {place}"))
        }
        "release" => (1, format!("The release {} of {repository}", text("tag")?)),
        "merge" => (2, format!("The merge of {repository}#{}{}", change["number"], quoted("title"))),
        "commit" => (3, format!("The commit {short}{} to {repository}", quoted("title"))),
        _ => return None,
    };
    let before = |what: &str| {
        change[&format!("seconds_before_{what}")].as_u64().map(|seconds| (seconds, what.to_owned()))
    };
    let (seconds, anchor) = before("start").or_else(|| before("declaration"))?;
    let by = text("by").map_or_else(String::new, |by| format!(" by {by}"));
    let ago = incident_core::model::time::spoken(std::time::Duration::from_secs(seconds));
    Some((rank, seconds, format!("{what}{by}, {ago} before the {anchor}")))
}
