//! Markup that can be compared line by line.

/// `markup` with what stands for itself on a line of its own, so that two versions of it can be compared line by line.
pub(crate) fn on_lines(markup: &str) -> String {
    let mut lines = String::with_capacity(markup.len() + markup.len() / 50);
    let mut from = 0;
    for (at, _) in markup.match_indices('<') {
        if at > 0 && begins_a_line(&markup[at + 1..]) {
            lines.push_str(&markup[from..at]);
            lines.push('\n');
            from = at;
        }
    }
    lines.push_str(&markup[from..]);
    lines.push('\n');
    lines
}

/// Whether the tag that `tag` begins with stands for itself.
fn begins_a_line(tag: &str) -> bool {
    let end = tag.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(tag.len());
    match &tag[..end] {
        "a" => tag.starts_with("a id=") || tag.starts_with("a class=\"mark"),
        "body" | "footer" | "head" | "header" | "link" | "main" | "meta" | "nav" | "section" | "style" => {
            true
        }
        "div" | "dl" | "h2" | "h3" | "li" | "ol" | "p" | "table" | "tr" | "ul" => true,
        "g" | "path" | "pattern" | "svg" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_take_nothing_away() {
        let page = "<!DOCTYPE html><body><p>a < b</p><ul><li>one</li></ul></body>";
        assert_eq!(on_lines(page).replace('\n', ""), page);
        assert_eq!(on_lines(page).lines().count(), 5);
    }
}
