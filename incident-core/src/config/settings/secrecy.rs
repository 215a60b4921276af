//! Wherever a secret is written by mistake, no error and no `Debug` repeats it.

use std::error::Error;
use std::fmt::Write as _;

use super::*;

const SECRETS: [&str; 5] = [
    "xoxb-2416283904-abcdefghijklmnop",
    "ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
    "hunter2 battery",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AKIAIOSFODNN7EXAMPLE",
];

/// Everything that settings can say; each quoted text and each key in turn becomes a secret.
const SETTINGS: &str = r#"
"runbook" = "runbook.toml"
"evidence" = { "type" = "attic", "key" = { "env" = "EVIDENCE_KEY" } }
["live"]
"tracker" = "tickets"
["live"."adapters"."chat"]
"type" = "picky"
"token" = { "env" = "SLACK_TOKEN" }
"mode" = "fast"
"timeout" = "5s"
"zone" = "Europe/Zurich"
"steps" = [{ "retries" = "1" }]
["live"."adapters"."other"]
"type" = "picky"
"token" = { "file" = "secrets/other" }
["live"."adapters"."tickets"]
"type" = "folder"
"path" = "tickets"
["live"."adapters"."screen"]
"type" = "console"
"file" = "missing/notices"
[["live"."routes"]]
"name" = "first"
"adapter" = "chat"
"audiences" = ["responders"]
"fallback" = "second"
"#;

/// The error with all that is beneath it, as people and as logs print it.
fn everything(error: &dyn Error) -> String {
    let mut said = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        write!(said, "{error} {error:?} ").unwrap();
        next = error.source();
    }
    said
}

async fn said(text: &str, base: &Path) -> Option<String> {
    match Settings::from_toml(text) {
        Err(error) => Some(everything(&error)),
        Ok(settings) => settings.build(base).await.err().map(|error| everything(&error)),
    }
}

#[tokio::test]
async fn no_error_repeats_a_secret_wherever_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let parts: Vec<&str> = SETTINGS.split('"').collect();
    let mut errors = 0;
    // Every other part is between quotes.
    for at in (1..parts.len()).step_by(2) {
        for secret in SECRETS {
            let mut parts = parts.clone();
            parts[at] = secret;
            if let Some(said) = said(&parts.join("\""), folder.path()).await {
                assert!(
                    !said.contains(secret),
                    "{secret} in the place of {:?}: {said}",
                    SETTINGS.split('"').nth(at)
                );
                errors += 1;
            }
        }
    }
    assert!(errors > 100, "{errors}");
}

#[tokio::test]
async fn no_error_of_broken_toml_repeats_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    for secret in SECRETS {
        let text = format!(
            "[live.adapters.chat]\ntype = \"picky\"\ntoken = \"{secret}\"\nmode = {secret}\n{secret} = 1"
        );
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            for broken in [
                text[..end].to_owned(),
                text[end..].to_owned(),
                format!("{}\u{0}{}", &text[..end], &text[end..]),
            ] {
                if let Some(said) = said(&broken, folder.path()).await {
                    assert!(!said.contains(secret), "{broken}: {said}");
                }
            }
        }
    }
}

#[test]
fn no_debug_output_repeats_what_stands_in_the_place_of_a_name() {
    for secret in SECRETS {
        for place in ["env", "file"] {
            let text =
                format!("[live.adapters.chat]\ntype = \"picky\"\ntoken = {{ {place} = \"{secret}\" }}");
            let settings = Settings::from_toml(&text).unwrap();
            let debug = format!("{settings:?}");
            assert!(debug.contains("SecretRef") && !debug.contains(secret), "{debug}");
        }
    }
}

#[tokio::test]
async fn a_secret_file_is_meant_from_the_settings_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join("secrets/slack"), "token\n").unwrap();
    let text = "[live.adapters.chat]\ntype = 'picky'\ntoken = { file = 'secrets/slack' }\n\
                [evidence]\ntype = 'attic'\nkey = { file = './secrets/slack' }";
    Settings::from_toml(text).unwrap().build(folder.path()).await.unwrap();
    let error = Settings::from_toml(text).unwrap().build(Path::new("/elsewhere")).await.unwrap_err();
    let why = error.source().unwrap().to_string();
    assert_eq!(
        why,
        "the file ./secrets/slack can't be read: entity not found; put the secret there; a relative path is meant from \
         the settings' folder"
    );
}
