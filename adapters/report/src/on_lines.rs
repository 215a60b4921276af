//! Markup that can be compared line by line.

/// `markup` with what stands for itself on a line of its own, so that two versions of it can be compared line by line.
pub(crate) fn on_lines(markup: &str) -> String {
    const ON_A_LINE: [&str; 22] = [
        "<a class=\"mark",
        "<a id=",
        "<body",
        "<dl",
        "<div",
        "<footer",
        "<g",
        "<h2",
        "<h3",
        "<head",
        "<li",
        "<main",
        "<meta",
        "<nav",
        "<ol",
        "<p",
        "<section",
        "<style",
        "<svg",
        "<table",
        "<tr",
        "<ul",
    ];
    let mut lines = String::with_capacity(markup.len() + markup.len() / 50);
    let mut rest = markup;
    while let Some(at) = rest.get(1..).and_then(|tail| tail.find('<')) {
        let (before, after) = rest.split_at(at + 1);
        lines.push_str(before);
        if ON_A_LINE.iter().any(|start| after.starts_with(start)) {
            lines.push('\n');
        }
        rest = after;
    }
    lines.push_str(rest);
    lines.push('\n');
    lines
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
