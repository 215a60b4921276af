//! Pages of a list, as GitHub gives them: 30 to a page unless asked for more, 100 at most, with links to the others.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Asked, Reply};

/// What stands behind the `?`.
pub(crate) fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// One page of `items`. The links name the repository by its number, as GitHub's do.
pub(crate) fn of(asked: &Asked, base: &str, items: &[Value]) -> Reply {
    let (page, links) = cut(asked, base, items);
    let reply = Reply::new(200, Value::Array(page));
    if links.is_empty() { reply } else { reply.with("link", &links) }
}

/// One page of workflow runs, which are within an object.
pub(crate) fn of_runs(asked: &Asked, base: &str, items: &[Value]) -> Reply {
    let (page, links) = cut(asked, base, items);
    let body = serde_json::json!({ "total_count": items.len(), "workflow_runs": page });
    let reply = Reply::new(200, body);
    if links.is_empty() { reply } else { reply.with("link", &links) }
}

fn cut(asked: &Asked, base: &str, items: &[Value]) -> (Vec<Value>, String) {
    let number = |name: &str, default: usize| {
        asked
            .query
            .get(name)
            .and_then(|value| value.parse().ok())
            .filter(|number| *number > 0)
            .unwrap_or(default)
    };
    let (size, page) = (number("per_page", 30).min(100), number("page", 1));
    let pages = items.len().div_ceil(size).max(1);
    let shown = items.iter().skip((page - 1) * size).take(size).cloned().collect();
    let link = |page: usize, relation: &str| {
        let mut query = asked.query.clone();
        query.insert("page".to_owned(), page.to_string());
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = asked.path.replace("/repos/acme/shop/", "/repositories/1296269/");
        format!("<{base}{path}?{}>; rel=\"{relation}\"", query.join("&"))
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(page - 1, "prev"));
    }
    if page < pages {
        links.extend([link(page + 1, "next"), link(pages, "last")]);
    }
    (shown, links.join(", "))
}
