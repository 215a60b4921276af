//! Names of secrets: of variables, keys and flags.

/// Words that mark a secret anywhere in a name.
const SECRETS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "secrets",
    "token",
    "credential",
    "credentials",
    "creds",
    "apikey",
    "passwort",
];
/// Endings of secret names that aren't split into words.
const ENDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accountkey",
    "secretkey",
    "privatekey",
    "signingkey",
    "credential",
    "credentials",
];
/// Last words of names that describe a secret or say where it is.
const ABOUT: [&str; 62] = [
    "file",
    "files",
    "path",
    "dir",
    "name",
    "names",
    "ref",
    "refs",
    "url",
    "uri",
    "host",
    "port",
    "id",
    "ids",
    "count",
    "counts",
    "length",
    "len",
    "ttl",
    "expiry",
    "expires",
    "expired",
    "expiration",
    "type",
    "kind",
    "enabled",
    "disabled",
    "policy",
    "age",
    "rotation",
    "limit",
    "size",
    "min",
    "max",
    "endpoint",
    "status",
    "error",
    "errors",
    "required",
    "valid",
    "invalid",
    "missing",
    "sock",
    "method",
    "mode",
    "provider",
    "user",
    "username",
    "interval",
    "timeout",
    "retries",
    "usage",
    "class",
    "store",
    "at",
    "date",
    "time",
    "seconds",
    "days",
    "hours",
    "bucket",
    "reviewer",
];
/// Last words that tell secrets apart or name their format.
const WHICH: [&str; 25] = [
    "base",
    "base64",
    "b64",
    "hex",
    "pem",
    "json",
    "value",
    "data",
    "string",
    "live",
    "test",
    "prod",
    "production",
    "staging",
    "dev",
    "old",
    "new",
    "current",
    "previous",
    "primary",
    "secondary",
    "backup",
    "default",
    "rw",
    "ro",
];
/// Words before "key" in names of keys that aren't secret.
const PLAIN_KEYS: [&str; 38] = [
    "public",
    "pub",
    "primary",
    "foreign",
    "partition",
    "sort",
    "cache",
    "routing",
    "idempotency",
    "dedup",
    "group",
    "index",
    "row",
    "map",
    "hash",
    "lookup",
    "object",
    "path",
    "message",
    "label",
    "annotation",
    "tag",
    "metric",
    "hot",
    "unique",
    "composite",
    "range",
    "join",
    "order",
    "known",
    "issue",
    "project",
    "feature",
    "flag",
    "locale",
    "shard",
    "bucket",
    "file",
];
/// Words before "key" in names of secret keys, also in lower case.
const SECRET_KEYS: [&str; 38] = [
    "api",
    "access",
    "account",
    "secret",
    "private",
    "priv",
    "signing",
    "sign",
    "master",
    "encryption",
    "encrypt",
    "crypto",
    "cipher",
    "decryption",
    "app",
    "application",
    "license",
    "licence",
    "service",
    "auth",
    "client",
    "admin",
    "shared",
    "stripe",
    "sendgrid",
    "mailgun",
    "twilio",
    "ssh",
    "gpg",
    "pgp",
    "hmac",
    "jwt",
    "session",
    "cookie",
    "webhook",
    "ingest",
    "deploy",
    "root",
];

/// How certain it is that a name is one of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// The name ends with a secret word.
    Sure,
    /// The word is in the middle, as in `token_review_rate`; a plain number isn't a secret then.
    Likely,
}

/// Whether `name` is one of a secret.
pub(super) fn of_secret(name: &[u8]) -> Option<Certainty> {
    let all = words(name);
    let mut words = &all[..];
    let mut is_config = false;
    // A number, a letter or a format at the end doesn't change the meaning.
    while let [before @ .., last] = words {
        let counts =
            last.len() == 1 || last.bytes().skip(1).all(|it| it.is_ascii_digit()) && last.starts_with('v');
        let number = last.bytes().all(|it| it.is_ascii_digit());
        let which = WHICH.contains(&last.as_str());
        let config = last == "config";
        if before.is_empty() || !(counts || number || which || config) {
            break;
        }
        is_config |= config;
        words = before;
    }
    let [before @ .., last] = words else { return None };
    let last = last.as_str();
    let joined: String = words.concat();
    if ABOUT.contains(&last) {
        return None;
    }
    let is_upper = !name.iter().any(u8::is_ascii_lowercase);
    let kind_of_key = before.last().map(String::as_str).filter(|_| last == "key");
    let secret_key = kind_of_key
        .is_some_and(|kind| SECRET_KEYS.contains(&kind) || is_upper && !PLAIN_KEYS.contains(&kind));
    let sure = !is_config
        && (SECRETS.contains(&last)
            || ENDS.iter().any(|end| joined.ends_with(end))
            || matches!(last, "pass" | "pw"));
    if sure || secret_key || last == "auth" && !before.is_empty() {
        return Some(Certainty::Sure);
    }
    all.iter().any(|word| SECRETS.contains(&word.as_str())).then_some(Certainty::Likely)
}

/// The words of a name in lower case: `dbPassword`, `DB_PASSWORD` and `db-password` have the same words.
fn words(name: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = b'_';
    for (at, byte) in name.iter().enumerate() {
        let next_is_small = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let humps = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || before.is_ascii_uppercase() && next_is_small);
        let separates = !byte.is_ascii_alphanumeric();
        if (humps || separates) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !separates {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
        before = *byte;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_by_its_words() {
        for name in [
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
            "dbPassword",
            "db-pass",
            "PGPASSWORD",
            "clientSecret",
            "apiKey",
            "aws.secretAccessKey",
            "STRIPE_KEY_LIVE",
            "TOKEN_OLD",
            "OAuthToken",
            "license_key",
            "HTTPPassword",
            "signing-key-base64",
        ] {
            assert_eq!(of_secret(name.as_bytes()), Some(Certainty::Sure), "{name}");
        }
        for name in [
            "TOKEN_FILE",
            "secretName",
            "secretKeyRef",
            "max_tokens",
            "token_count",
            "tokenizer",
            "password_min_length",
            "key",
            "primary_key",
            "PUBLIC_KEY",
            "SSH_AUTH_SOCK",
            "bypass",
            "compass",
            "author",
            "monkey",
            "passage",
            "token_ttl",
            "cache_key",
            "user",
            "PARTITION_KEY",
            "auth",
            "",
            "A",
            "1",
            "config",
            "v2",
        ] {
            assert_eq!(of_secret(name.as_bytes()), None, "{name}");
        }
        assert_eq!(of_secret(b"token_review_rate"), Some(Certainty::Likely));
    }
}
