//! What goes wrong on the way to a bucket, and what is said and done then.

#![cfg(feature = "s3")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

mod s3;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use incident_core::model::id::Digest;
use incident_core::port::store::{StoreError, StoreTrouble};
use s3::{Fault, KEY, S3, WORDS};

/// An error as a log shows it: with its causes, and as `Debug`.
fn shown(error: &StoreError) -> String {
    let mut line = format!("{error} / {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[tokio::test]
async fn a_piece_is_where_any_tool_looks_for_it() {
    let s3 = S3::start().await;
    s3.config().into_evidence().unwrap().put(b"abc").await.unwrap();
    let name = "/bucket/evidence/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(s3.names(), [name]);
    assert_eq!(s3.methods(), ["PUT"]);
}

#[tokio::test]
async fn a_lost_reply_is_settled_by_looking_at_what_is_there() {
    let s3 = S3::start().await;
    s3.meets(&[Fault::LoseReply]);
    s3.config().into_evidence().unwrap().put(b"abc").await.unwrap();
    assert_eq!(s3.methods(), ["PUT", "PUT", "GET"]);
    assert_eq!(s3.names().len(), 1);
}

#[tokio::test]
async fn a_busy_store_is_asked_again() {
    for fault in [Fault::Status(503), Fault::Status(500), Fault::Status(429)] {
        let s3 = S3::start().await;
        let evidence = s3.config().into_evidence().unwrap();
        s3.meets(&[fault]);
        let digest = evidence.put(b"abc").await.unwrap();
        s3.meets(&[fault]);
        assert_eq!(evidence.get(digest).await.unwrap().as_deref(), Some(&b"abc"[..]), "{fault:?}");
        assert_eq!(s3.methods(), ["PUT", "PUT", "GET", "GET"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_store_that_only_overwrites_is_overwritten_with_the_same() {
    let s3 = S3::start().await;
    s3.without_conditions();
    let evidence = s3.config().into_evidence().unwrap();
    let digest = evidence.put(b"abc").await.unwrap();
    evidence.put(b"abc").await.unwrap();
    assert_eq!(evidence.get(digest).await.unwrap().as_deref(), Some(&b"abc"[..]));
}

#[tokio::test]
async fn what_the_store_says_no_to_is_said_once_and_by_its_kind() {
    for (fault, kind) in [
        (Fault::Status(401), StoreTrouble::Denied),
        (Fault::Status(403), StoreTrouble::Denied),
        (Fault::Status(404), StoreTrouble::Missing),
        (Fault::Status(400), StoreTrouble::Foreign),
        (Fault::Status(413), StoreTrouble::TooLarge),
        (Fault::Status(507), StoreTrouble::Full),
        (Fault::Elsewhere, StoreTrouble::Foreign),
    ] {
        let s3 = S3::start().await;
        s3.meets(&[fault]);
        let error = s3.config().into_evidence().unwrap().put(b"abc").await.unwrap_err();
        assert_eq!(error.kind, kind, "{fault:?}: {error:?}");
        assert_eq!(s3.methods(), ["PUT"], "{fault:?}");
    }
}

#[tokio::test]
async fn what_comes_back_has_its_digest_or_is_an_error() {
    let s3 = S3::start().await;
    let mut config = s3.config();
    config.largest = Some(100);
    let evidence = config.into_evidence().unwrap();
    let digest = evidence.put(b"a longer piece").await.unwrap();
    for (fault, kind) in
        [(Fault::Endless, StoreTrouble::TooLarge), (Fault::Status(400), StoreTrouble::Foreign)]
    {
        s3.meets(&[fault]);
        assert_eq!(evidence.get(digest).await.unwrap_err().kind, kind, "{fault:?}");
    }
    // What was cut off is fetched from where it ended, or fails: it is never half a piece.
    s3.meets(&[Fault::Half]);
    match evidence.get(digest).await {
        Ok(whole) => assert_eq!(whole.as_deref(), Some(&b"a longer piece"[..])),
        Err(error) => assert_eq!(error.kind, StoreTrouble::Unavailable),
    }
    s3.damage(digest, b"forged");
    assert_eq!(evidence.get(digest).await.unwrap_err().kind, StoreTrouble::Corrupt);
}

#[tokio::test]
async fn a_silent_store_is_left_by_the_deadline() {
    let s3 = S3::start().await;
    s3.meets(&[Fault::Silence; 20]);
    let mut config = s3.config();
    config.timeout = Duration::from_secs(1);
    let evidence = config.into_evidence().unwrap();
    let begun = tokio::time::Instant::now();
    for error in
        [evidence.put(b"abc").await.unwrap_err(), evidence.get(Digest::sha256(b"abc")).await.unwrap_err()]
    {
        assert_eq!(error.kind, StoreTrouble::Unavailable);
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let s3 = S3::start().await;
    let mut config = s3.config();
    config.timeout = Duration::from_secs(1);
    drop(s3);
    let evidence = config.into_evidence();
    // The key's file went with the bucket: what can't be read is named, and nothing of it is shown.
    assert_eq!(evidence.unwrap_err().field, "access_key_id");
}

#[tokio::test]
async fn no_key_no_address_and_no_answer_is_shown() {
    for fault in [Fault::Status(403), Fault::Status(400), Fault::Status(404), Fault::Elsewhere] {
        let s3 = S3::start().await;
        let config = s3.config();
        let address = config.endpoint.clone().unwrap();
        assert!(!format!("{config:?}").contains(KEY));
        let evidence = config.into_evidence().unwrap();
        s3.meets(&[fault]);
        let said = format!("{evidence:?} {}", shown(&evidence.put(b"abc").await.unwrap_err()));
        for secret in [KEY, WORDS, "stolen", &address] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

/// A server whose certificate nobody has signed but itself; how many clients began to talk to it.
fn impostor() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, met) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let (config, counted) = (Arc::new(config), Arc::clone(&met));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut line = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            while line.is_handshaking() && line.complete_io(&mut stream).is_ok() {}
        }
    });
    (address, met)
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_not_called_busy_and_not_asked_again() {
    let s3 = S3::start().await;
    let (address, met) = impostor();
    let mut config = s3.config();
    config.endpoint = Some(format!("https://localhost:{}", address.port()));
    let error = config.into_evidence().unwrap().put(b"abc").await.unwrap_err();
    assert_eq!(error.kind, StoreTrouble::Untrusted, "{error:?}");
    assert_eq!(met.load(Ordering::SeqCst), 1);
}
