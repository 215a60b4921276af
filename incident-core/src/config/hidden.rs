//! What an error may repeat of a configuration: names that are plainly names. All else may be a secret in the wrong place.

/// Whether it is plainly the name of an environment variable. A token has small letters, signs, or no words.
pub(super) fn is_variable(name: &str) -> bool {
    let is_upper =
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let is_worded = name.contains('_') || name.len() <= 12;
    is_upper && is_worded && name.starts_with(|first: char| !first.is_ascii_digit()) && is_short(name)
}

/// Whether it is plainly a path. A key in base64 has slashes, too, but also capitals, digits and plus signs.
pub(super) fn is_path(path: &str) -> bool {
    let is_rooted = ["/", "./", "../", "~/"].iter().any(|root| path.starts_with(root));
    let is_named = path.contains('/') || ENDS.iter().any(|end| path.ends_with(end));
    let has_capitals = path.bytes().any(|byte| byte.is_ascii_uppercase());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~@".contains(&byte);
    path.bytes().all(plain) && (is_rooted || is_named && !has_capitals) && is_short(path)
}

/// What the name of a file with a secret ends in.
const ENDS: [&str; 6] = [".txt", ".pem", ".key", ".json", ".token", ".secret"];

/// Whether it is plainly the name of a field.
#[cfg(feature = "toml")]
pub(super) fn is_field(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) && is_short(name)
}

/// Whether it has neither the length nor the letters of a key or a token.
fn is_short(name: &str) -> bool {
    const RANDOM: usize = 8;
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let capitals = name.bytes().filter(u8::is_ascii_uppercase).count();
    let is_worded = name.contains('_') && !name.bytes().any(|byte| byte.is_ascii_lowercase());
    name.len() <= 200 && digits < RANDOM && (capitals < RANDOM || is_worded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_repeated_and_tokens_are_not() {
        let variables = ["SLACK_TOKEN", "TOKEN", "S3_KEY", "_X", "PAGERDUTY_ROUTING_KEY_2"];
        let paths = [
            "/run/secrets/slack",
            "secrets/slack-token",
            "slack.token",
            "./TOKEN",
            "../keys/github.pem",
            "/var/run/secrets/kubernetes.io/serviceaccount/token",
        ];
        let tokens = [
            "xoxb-2416283904-abcdefghijklmnop",
            "ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
            "hunter2",
            "correct horse battery staple",
            "correct_horse",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "/JalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AKIAIOSFODNN7EXAMPLE",
            "JBSWY3DPEHPK3PXPJBSWY3DP",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
            "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
            "https://user:hunter2@example.com/",
            "p\u{e4}ssword",
            "",
        ];
        for name in variables {
            assert!(is_variable(name), "{name}");
        }
        for path in paths {
            assert!(is_path(path), "{path}");
        }
        for token in tokens {
            assert!(!is_variable(token) && !is_path(token), "{token}");
        }
    }
}
