//! A page that needs nothing besides itself: its head, its policy, its landmarks.

use incident_core::model::id::Digest;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::on_lines::on_lines;
use crate::svg;

const STYLE: &str = include_str!("style.css");
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A whole page with `more` style than every page has: a header, the way through its `contents` by id and name, the parts
/// of its main part, a footer.
pub(crate) fn page(
    title: &str,
    more: &str,
    header: &Markup,
    contents: &[(String, String)],
    main: &[Markup],
    footer: &Markup,
) -> String {
    let style = [STYLE, svg::STYLE, more].concat();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        base64(&Digest::sha256(style.as_bytes()).0)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(&style)) }
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header class="top" { (header) }
                div class="columns" {
                    nav aria-label="Contents" {
                        ol { @for (id, name) in contents { li { a href={ "#" (id) } { (name) } } } }
                    }
                    main id="main" { @for part in main { (part) } }
                }
                footer { (footer) }
            }
        }
    };
    on_lines(&page.into_string())
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= group.len() { char::from(BASE64[six]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_in_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
