//! Why a database can't be used: what is only unavailable may be tried again, and for everything else a person is told what
//! to do.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use incident_core::port::store::StoreTrouble;
use incident_postgres::{Options, PostgresStore};
use incident_postgres_testing::{Relay, Server};
use rcgen::{CertificateParams, CertifiedKey, KeyPair};

/// A certificate for `name` that signs itself; PEM of it and of its key.
fn certificate(name: &str, is_over: bool) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if is_over {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    }
    let CertifiedKey { cert, signing_key } =
        CertifiedKey { cert: params.self_signed(&key).unwrap(), signing_key: key };
    (cert.pem(), signing_key.serialize_pem())
}

/// What opening says: its kind, and all of its words.
async fn said(options: Options) -> (StoreTrouble, String) {
    let error = PostgresStore::open(options.deadline(Duration::from_secs(5))).await.unwrap_err();
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    (error.kind, format!("{error}: {why}"))
}

#[tokio::test]
async fn what_stays_as_it_is_is_not_called_busy() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (plain, guarded, nobody) = (Server::start(), Server::guarded(), Relay::to(1));
    nobody.set_down(true);
    let (sound, over) = (certificate("127.0.0.1", false), certificate("127.0.0.1", true));
    let elsewhere = certificate("db.example.com", false);
    let encrypted = |(certificate, key): &(String, String)| Server::encrypted(certificate, key);
    let (sound_server, over_server, else_server) =
        (encrypted(&sound), encrypted(&over), encrypted(&elsewhere));
    let (sound, over, elsewhere) =
        (file("sound.pem", &sound.0), file("over.pem", &over.0), file("else.pem", &elsewhere.0));
    let (garbage, missing) = (file("garbage.pem", "no certificate"), folder.path().join("missing.pem"));

    let plainly = |address: &str| Options::new(address).unwrap();
    let over_tls = |server: &Server, roots: &Path| {
        let address = format!("{} sslmode=require", server.address("postgres"));
        Options::new(&address).unwrap().root_certificates(roots)
    };
    let reader = plain.database();
    plain.run(&reader, "CREATE ROLE reader LOGIN");
    let remedy = |kind: StoreTrouble| kind.to_string();
    for (what, options, kind, word) in [
        (
            "nobody listens",
            plainly(&format!("host=127.0.0.1 port={} user=u dbname=d", nobody.port())),
            StoreTrouble::Unavailable,
            "",
        ),
        ("no such database", plainly(&plain.address("missing")), StoreTrouble::Missing, "does not exist"),
        ("no password", plainly(&guarded.address("postgres")), StoreTrouble::Denied, "password missing"),
        (
            "a wrong password",
            plainly(&guarded.address("postgres")).password("sesame"),
            StoreTrouble::Denied,
            "password authentication failed",
        ),
        (
            "an unknown role",
            plainly(&plain.address("postgres").replace("user=postgres", "user=nobody")),
            StoreTrouble::Denied,
            "does not exist",
        ),
        (
            "a role that may create nothing",
            plainly(&plain.address(&reader).replace("user=postgres", "user=reader")),
            StoreTrouble::Denied,
            "permission denied",
        ),
        ("a certificate that is over", over_tls(&over_server, &over), StoreTrouble::Untrusted, "expired"),
        (
            "a certificate of nobody we know",
            over_tls(&sound_server, &over),
            StoreTrouble::Untrusted,
            "certificate",
        ),
        (
            "a certificate of another host",
            over_tls(&else_server, &elsewhere),
            StoreTrouble::Untrusted,
            "not valid for name",
        ),
        (
            "a server without encryption",
            over_tls(&plain, &sound),
            StoreTrouble::Untrusted,
            "does not support TLS",
        ),
        ("a missing file of roots", over_tls(&sound_server, &missing), StoreTrouble::Missing, "No such file"),
        (
            "a file of roots that is none",
            over_tls(&sound_server, &garbage),
            StoreTrouble::Untrusted,
            "root_certificates",
        ),
    ] {
        let (found, said) = said(options).await;
        assert_eq!(found, kind, "{what}: {said}");
        assert_eq!(found.is_transient(), what == "nobody listens", "{what}: {said}");
        assert!(said.contains(word) && said.contains(&remedy(kind)), "{what}: {said}");
        assert!(!said.contains("sesame"), "{what}: {said}");
    }
    PostgresStore::open(over_tls(&sound_server, &sound)).await.unwrap();
}
