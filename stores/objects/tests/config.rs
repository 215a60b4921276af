//! What is written down builds a store, or says what is wrong without repeating it.

#![cfg(all(feature = "s3", feature = "gcs", feature = "azure"))]
#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

use std::path::Path;

use incident_core::config::{BuiltEvidence, ConfigError, Settings};
use incident_object_store::ObjectEvidence;

use incident_object_store as _;

async fn built(fields: &str) -> Result<Option<BuiltEvidence>, ConfigError> {
    let settings = Settings::from_toml(&format!("[evidence]\n{fields}")).unwrap();
    settings.build(Path::new(".")).await.map(|built| built.evidence)
}

#[tokio::test]
async fn each_kind_is_built_from_settings() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, words: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, words).unwrap();
        format!("{{ file = {:?} }}", path.display().to_string())
    };
    let (id, key) = (file("id", "AKID"), file("key", "a2V5"));
    for fields in [
        "type = \"s3\"\nbucket = \"b\"".to_owned(),
        format!(
            "type = \"s3\"\nbucket = \"b\"\nprefix = \"a/b/\"\nregion = \"eu-central-1\"\nlargest = 1000\n\
             timeout = \"20s\"\nendpoint = \"https://minio:9000\"\naccess_key_id = {id}\nsecret_access_key = {key}\n\
             session_token = {key}"
        ),
        "type = \"gcs\"\nbucket = \"b\"".to_owned(),
        format!("type = \"azure\"\naccount = \"a\"\ncontainer = \"c\"\naccess_key = {key}"),
    ] {
        let evidence = built(&fields).await;
        assert!(matches!(evidence, Ok(Some(BuiltEvidence::Store(_)))), "{fields}: {evidence:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "s3cret").unwrap();
    let key = format!("{{ file = {:?} }}", folder.path().join("key").display().to_string());
    let s3 = |fields: &str| format!("type = \"s3\"\nbucket = \"b\"\n{fields}");
    for (fields, field) in [
        ("type = \"s3\"\nbucket = \"s3cret/b\"".to_owned(), "evidence.bucket"),
        (s3("prefix = \"s3cret//x\""), "evidence.prefix"),
        (s3("prefix = \"s3cret/../x\""), "evidence.prefix"),
        (s3("timeout = \"1ms\""), "evidence.timeout"),
        (s3("endpoint = \"ftp://s3cret\""), "evidence.endpoint"),
        (s3("endpoint = \"http://s3cret\""), "evidence.endpoint"),
        (s3("endpoint = \"https://user:s3cret@host\""), "evidence.endpoint"),
        (s3("endpoint = \"https://host/s3cret\""), "evidence.endpoint"),
        (s3("access_key_id = { file = \"missing\" }"), "evidence.access_key_id"),
        (s3(&format!("access_key_id = {key}")), "evidence.secret_access_key"),
        (s3(&format!("secret_access_key = {key}")), "evidence.access_key_id"),
        (format!("type = \"gcs\"\nbucket = \"b\"\nservice_account = {key}"), "evidence"),
        ("type = \"gcs\"\nbucket = \"\"".to_owned(), "evidence.bucket"),
        (
            format!(
                "type = \"azure\"\naccount = \"a\"\ncontainer = \"c\"\naccess_key = {key}\nendpoint = \"http://x\""
            ),
            "evidence.endpoint",
        ),
        ("type = \"azure\"\naccount = \"https://s3cret\"\ncontainer = \"c\"".to_owned(), "evidence.account"),
    ] {
        let error = built(&fields).await.unwrap_err();
        assert_eq!(error.field, field, "{fields}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn a_prefix_is_a_path() {
    let objects = || std::sync::Arc::new(object_store::memory::InMemory::new());
    for (prefix, fits) in
        [("", true), ("a", true), ("a/b/", true), ("a//b", false), ("..", false), ("/", true)]
    {
        assert_eq!(ObjectEvidence::new(objects(), prefix).is_ok(), fits, "{prefix}");
    }
}
