use proptest::prelude::*;

use super::*;

fn check(text: &str, expect: &str) {
    let redacted = redact(text.as_bytes());
    assert_eq!(String::from_utf8_lossy(&redacted.bytes), expect, "of {text:?}");
    assert_eq!(redacted.count, expect.matches("[redacted]").count() - text.matches("[redacted]").count());
    assert_eq!(redact(expect.as_bytes()).count, 0, "{expect:?} has nothing left");
}

#[test]
fn values_of_secret_keys_go_in_every_notation() {
    for (text, expect) in [
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=[redacted]"),
        ("export PGPASSWORD='hun ter2' PGUSER=app", "export PGPASSWORD='[redacted]' PGUSER=app"),
        ("user=bob password=a,b role=ops", "user=bob password=[redacted] role=ops"),
        ("Server=db;Password=hunter2;Encrypt=true", "Server=db;Password=[redacted];Encrypt=true"),
        ("db_pass=x", "db_pass=[redacted]"),
        (r#"{"apiKey":"k-1","port":1}"#, r#"{"apiKey":"[redacted]","port":1}"#),
        (r#"{"password":12345,"port":1}"#, r#"{"password":[redacted],"port":1}"#),
        (r#"{"client_secret": "a\"b", "x": 1}"#, r#"{"client_secret": "[redacted]", "x": 1}"#),
        (r#"msg="{\"token\":\"abc\",\"n\":1}""#, r#"msg="{\"token\":\"[redacted]\",\"n\":1}""#),
        (r#"{"cmd":"x --password=foo\" y"}"#, r#"{"cmd":"x --password=[redacted]\" y"}"#),
        ("password: correct horse\nuser: bob", "password: [redacted]\nuser: bob"),
        ("  - auth-token: 'x'  # ours\r\n", "  - auth-token: '[redacted]'  # ours\r\n"),
        ("aws.secretAccessKey: abc\r\nregion: x", "aws.secretAccessKey: [redacted]\r\nregion: x"),
        ("login token: abc for bob", "login token: [redacted] for bob"),
        ("'secret' => 'x', 'a' => 'b'", "'secret' => '[redacted]', 'a' => 'b'"),
        ("mysql --password hunter2 --host db", "mysql --password [redacted] --host db"),
        ("tool --api-key=abc -v", "tool --api-key=[redacted] -v"),
        ("password = \"hunter2\"", "password = \"[redacted]\""),
        ("password=\"cut off", "password=\"[redacted]"),
    ] {
        check(text, expect);
    }
}

#[test]
fn headers_go_to_their_end_and_keep_the_scheme() {
    for (text, expect) in [
        ("Authorization: Bearer abc.def\nHost: x", "Authorization: Bearer [redacted]\nHost: x"),
        ("> authorization: Basic dTpw", "> authorization: Basic [redacted]"),
        ("Authorization: Digest username=\"a\", response=\"b\"\n", "Authorization: Digest [redacted]\n"),
        (
            "curl -H \"Authorization: token abc\" https://x",
            "curl -H \"Authorization: token [redacted]\" https://x",
        ),
        (r#"{"authorization":"Bearer abc","n":1}"#, r#"{"authorization":"Bearer [redacted]","n":1}"#),
        ("Set-Cookie: sid=1; Path=/", "Set-Cookie: [redacted]"),
        ("X-Api-Key: abc", "X-Api-Key: [redacted]"),
        ("sent bearer 0123456789abcdef0 along", "sent bearer [redacted] along"),
    ] {
        check(text, expect);
    }
}

#[test]
fn urls_lose_accounts_passwords_and_signatures() {
    for (text, expect) in [
        ("postgres://app:hunter2@db:5432/shop", "postgres://app:[redacted]@db:5432/shop"),
        ("redis://:p@ss@cache", "redis://:[redacted]@cache"),
        ("https://x-token:y@git.example/a", "https://[redacted]@git.example/a"),
        ("GET /a?page=2&access_token=abc&b=1 HTTP", "GET /a?page=2&access_token=[redacted]&b=1 HTTP"),
        ("https://s3/x?X-Amz-Signature=abc&n=1", "https://s3/x?X-Amz-Signature=[redacted]&n=1"),
        ("https://maps/x?key=abc#top", "https://maps/x?key=[redacted]"),
        (
            "https://hooks.slack.com/services/T0000/B0000/abcdefghijkl",
            "https://hooks.slack.com/services/[redacted]",
        ),
    ] {
        check(text, expect);
    }
}

#[test]
fn tokens_are_known_by_their_shape() {
    let letters = "A1b2C3d4E5".repeat(4);
    for prefix in ["AKIA", "ghp_", "gho_", "github_pat_11_", "xoxb-1-", "glpat-", "sk_live_"] {
        let token = format!("{prefix}{letters}");
        check(&format!("used {token}, failed"), "used [redacted], failed");
        check(&format!("(job-{token})"), "(job-[redacted])");
    }
    check("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl b", "a [redacted] b");
}

#[test]
fn private_keys_go_whole_escaped_or_cut_off() {
    for (text, expect) in [
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE+/==\n-----END RSA PRIVATE KEY-----\nnext",
            "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nnext",
        ),
        (
            r#"{"k":"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"}"#,
            r#"{"k":"-----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\n"}"#,
        ),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn", "-----BEGIN OPENSSH PRIVATE KEY-----[redacted]"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIE\npassword: 'x'",
            "-----BEGIN PRIVATE KEY-----[redacted]\npassword: '[redacted]'",
        ),
        (r#"["-----BEGIN PRIVATE KEY-----\nMIIE", 1]"#, r#"["-----BEGIN PRIVATE KEY-----[redacted]", 1]"#),
    ] {
        check(text, expect);
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "",
        "invalid password for user bob",
        "token expired; retry",
        "max_tokens=100 token_count: 5 tokenizer: bpe",
        "secretName: shop-tls\nsecretKeyRef: { name: db, key: password }",
        "secret:\n  secretName: shop-tls",
        "password:\nuser: bob",
        "automountServiceAccountToken: false",
        "\"token\": null, \"n\": 1",
        "PASSWORD=${DB_PASSWORD} TOKEN=$(cat /run/x)",
        "password=\"\" secret='' token=***",
        "DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false",
        "TOKEN_FILE=/run/secrets/x",
        "bypass=true compass: north",
        "ssh://git@github.com/a/b and https://example.org/@user?mail=a@b.c",
        "mail bob@example.org at 12:30:45",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "the bearer authentication failed",
        "akia AKIA1234 ghp_short eyJx.y",
        "key=value sig=3 in a log",
        "--token --verbose",
        "password=[redacted] Authorization: Bearer [redacted]",
        "unicode: naïve 日本 🦀",
    ] {
        check(text, text);
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    assert_eq!(redact(b"a\xffb password=x\xfe").bytes, "a\u{fffd}b password=[redacted]".as_bytes());
}

#[test]
fn hostile_text_takes_linear_time() {
    for piece in [
        "a--",
        "://",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "token",
        "password:\\\"",
        "eyJ-.",
        "token=[redacted]",
    ] {
        let text = piece.repeat(300_000 / piece.len());
        let _ = redact(text.as_bytes());
    }
}

proptest! {
    #[test]
    fn any_text_can_be_read(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        prop_assert_eq!(redact(text.as_bytes()).count == 0, redact(text.as_bytes()).bytes == text.as_bytes());
    }

    #[test]
    fn a_secret_value_never_stays(before in pieces_of_prose(), key in key(), after in pieces_of_prose()) {
        let text = format!("{before}\n{key}hunter2\n{after}");
        let redacted = redact(text.as_bytes());
        prop_assert!(!String::from_utf8_lossy(&redacted.bytes).contains("hunter2"), "{}", text);
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        key(),
        "[a-z0-9 \"'\\\\\n:=@/&;,\\[\\]{}-]{0,8}",
        Just("[redacted]".to_owned()),
        Just("https://u:p@h/?sig=".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("AKIAABCDEFGHIJKLMNOP".to_owned()),
        Just("é".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let keys =
        ["password: ", "TOKEN=", "\"secret\":\"", "Authorization: Bearer ", "--api-key ", "  a_token : '"];
    prop::sample::select(keys.to_vec()).prop_map(str::to_owned)
}

fn pieces_of_prose() -> impl Strategy<Value = String> {
    "[a-z \n\"'=:-]{0,20}"
}
