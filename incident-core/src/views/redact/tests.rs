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
fn values_go_from_lists_entries_short_flags_and_quotes() {
    for (text, expect) in [
        (r#"["tool","--password","hunter2","-v"]"#, r#"["tool","--password","[redacted]","-v"]"#),
        (r#"args: ["--api-key", "k-1"]"#, r#"args: ["--api-key", "[redacted]"]"#),
        ("args:\n- --password\n- hunter2\n- -v", "args:\n- --password\n- [redacted]\n- -v"),
        ("tool -password hunter2", "tool -password [redacted]"),
        (r#"{"name":"DB_PASSWORD","value":"hunter2"}"#, r#"{"name":"DB_PASSWORD","value":"[redacted]"}"#),
        ("- name: APP_KEY\n  value: hunter2\n- name: A", "- name: APP_KEY\n  value: [redacted]\n- name: A"),
        (
            r#"\"name\":\"MYSQL_PWD\",\"value\":\"hunter2\""#,
            r#"\"name\":\"MYSQL_PWD\",\"value\":\"[redacted]\""#,
        ),
        ("curl -u bob:hunter2 https://x", "curl -u bob:[redacted] https://x"),
        (r#"["-u","root:hunter2"]"#, r#"["-u","root:[redacted]"]"#),
        ("curl --user bob:hunter2", "curl --user bob:[redacted]"),
        ("mysqldump -h db -phunter2 shop", "mysqldump -h db -p[redacted] shop"),
        (r#"args=["mysql", "-uroot", "-phunter2"]"#, r#"args=["mysql", "-uroot", "-p[redacted]"]"#),
        (r#"["-phunter2"]"#, r#"["-p[redacted]"]"#),
        ("redis-cli -a hunter2 ping", "redis-cli -a [redacted] ping"),
        ("ALTER USER shop WITH PASSWORD 'hunter2';", "ALTER USER shop WITH PASSWORD '[redacted]';"),
        ("got kJ8s9Qw2Zx7Lp4Vb1Nm6Rt3Yc5Hd0FgAaB back", "got [redacted] back"),
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
        "docker run -u 1000:1000 -p 8080:80 x",
        "docker run -p8080:80 --user 1000:1000 x",
        "mysql -P3306 -h db -p shop",
        "name: DB_PASSWORD\nvalueFrom: { secretKeyRef: x }",
        "name: LOG_LEVEL\nvalue: debug",
        "PWD=/srv/app OLDPWD=/",
        "smtp_auth=plain token_bucket_rate=500 password_min_length=12",
        "image: shop/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "uid 09ad9c40-361d-4631-979e-1fbdc26c3733 of my-app-7bb8f56b4d-x2x9k",
        "at com.example.shop.checkout.PaymentServiceImplFactoryBean2.run(PaymentServiceImpl.java:42)",
        "unexpected token '}' at 3:7",
        "GET /api/v1/namespaces/shop/pods/web-7d9f5c8b4d-abcde/log HTTP/1.1",
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

/// A small generator of numbers, so that the set is the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.next(list.len())]
    }

    fn text(&mut self, letters: &str, length: usize) -> String {
        let letters: Vec<char> = letters.chars().collect();
        (0..length).map(|_| letters[self.next(letters.len())]).collect()
    }
}

/// The values that are put where people put secrets: words, numbers, hexadecimal, base64 and what generators make.
fn secret(dice: &mut Dice) -> String {
    let small = "abcdefghijkmnpqrstuvwxyz";
    match dice.next(6) {
        0 => format!("{}{}", dice.text(small, 6), dice.next(99)),
        1 => dice.text("0123456789abcdef", 32),
        2 => dice.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 40),
        3 => format!("{}-{}", dice.text(small, 5), dice.text(small, 7)),
        4 => dice.text("ABCDEFGHabcdefgh0123456789!#%+.", 14),
        _ => format!("pk{}", dice.text("0123456789", 9)),
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the rate is reported")]
fn of_three_hundred_secrets_in_what_people_log_none_stays() {
    const NAMES: [&str; 44] = [
        "MYSQL_PWD",
        "REDISCLI_AUTH",
        "SECRET_KEY_BASE",
        "RAILS_MASTER_KEY",
        "APP_KEY",
        "ENCRYPTION_KEY",
        "STRIPE_KEY",
        "SENDGRID_KEY",
        "SMTP_PW",
        "API_SECRET_V2",
        "DOCKER_AUTH_CONFIG",
        "BASIC_AUTH",
        "PASSWORD_1",
        "TOKEN_A",
        "LICENSE_KEY",
        "DB_PASSWORD",
        "PGPASSWORD",
        "POSTGRES_PASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "SLACK_BOT_TOKEN",
        "JWT_SECRET",
        "DJANGO_SECRET_KEY",
        "SESSION_SECRET",
        "COOKIE_SECRET",
        "NPM_TOKEN",
        "VAULT_TOKEN",
        "SENTRY_AUTH_TOKEN",
        "DATADOG_API_KEY",
        "NEW_RELIC_LICENSE_KEY",
        "TWILIO_AUTH_TOKEN",
        "MAILGUN_API_KEY",
        "OAUTH_CLIENT_SECRET",
        "HMAC_KEY",
        "SIGNING_KEY",
        "WEBHOOK_SECRET",
        "ADMIN_PASS",
        "LDAP_BIND_PW",
        "ROOT_PASSWORD_OLD",
        "ACCESS_TOKEN_2",
        "PRIVATE_KEY_PASSPHRASE",
        "db_password",
        "clientSecret",
        "apiKey",
    ];
    let mut dice = Dice(20_261_130);
    let (mut kept, all) = (Vec::new(), 300);
    for _ in 0..all {
        let (name, value) = (dice.of(&NAMES), secret(&mut dice));
        let flag = name.to_ascii_lowercase().replace('_', "-");
        let text = match dice.next(18) {
            0 => format!("{name}={value}"),
            1 => format!("export {name}=\"{value}\" # ours"),
            2 => format!("{name}: {value}\nother: 1"),
            3 => format!("{{\"{name}\":\"{value}\",\"n\":1}}"),
            4 => format!("{{\"name\": \"{name}\", \"value\": \"{value}\"}}"),
            5 => format!("  - name: {name}\n    value: {value}\n"),
            6 => format!("2026-11-30T12:00:00Z INFO starting {name}='{value}' port=80"),
            7 => format!("msg=\"{{\\\"{name}\\\":\\\"{value}\\\"}}\""),
            8 => format!("docker run -e {name}={value} shop/web"),
            9 => format!("tool --{flag} {value} --verbose"),
            10 => format!("tool --{flag}={value}"),
            11 => format!("\"args\":[\"--{flag}\",\"{value}\"]"),
            12 => format!("args:\n  - --{flag}\n  - {value}\n"),
            13 => format!("{{'{name}': '{value}'}}"),
            14 => format!("{name} = {value}"),
            15 => format!("curl -u shop:{value} https://example.org/{}", dice.next(9)),
            16 => format!("GET /x?a=1&{name}={value}&b=2 HTTP/1.1"),
            _ => format!("exec mysql -h db -uroot -p{value} shop"),
        };
        if String::from_utf8_lossy(&redact(text.as_bytes()).bytes).contains(&value) {
            kept.push(text);
        }
    }
    println!("{} of {all} secrets are taken out", all - kept.len());
    assert!(kept.is_empty(), "{kept:#?}");
}
