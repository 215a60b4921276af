//! How Slack is reached: TLS on ring, plain HTTP on loopback only.

use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use incident_core::config::ConfigError;
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

pub(crate) type Connector = HttpsConnector<HttpConnector>;

/// Where Slack itself lives, its files, its webhooks and its governmental twin.
const SLACK: [&str; 2] = ["slack.com", "slack-gov.com"];

/// The address of the API, checked.
///
/// # Errors
/// [`ConfigError`]; the address itself isn't repeated.
pub(crate) fn api_url(text: &str) -> Result<Url, ConfigError> {
    let wrong = |problem| ConfigError::new("api_url", problem);
    let url: Url = text.parse().map_err(|_| wrong("expected an address such as https://slack.com/api"))?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !bare || url.password().is_some() {
        return Err(wrong("expected neither user nor query"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(wrong("expected https, or http on loopback: the token goes over it")),
    }
}

/// `url` if it is one that Slack may have named: its own, or one on loopback if the API is there.
pub(crate) fn slack_url(url: &str, api: &Url) -> Option<Url> {
    let url: Url = url.parse().ok()?;
    let host = url.host_str()?;
    let within = |domain: &&str| {
        host.strip_suffix(*domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let slacks = url.scheme() == "https" && url.port().is_none() && SLACK.iter().any(within);
    let beside = is_loopback(api) && is_loopback(&url);
    (slacks || beside).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// # Errors
/// [`ConfigError`] if this machine has no certificates to trust.
pub(crate) fn connector(api: &Url, connect_timeout: Duration) -> Result<Connector, ConfigError> {
    if connect_timeout.is_zero() {
        return Err(ConfigError::new("connect_timeout", "expected more than nothing"));
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp.set_nodelay(true);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = HttpsConnectorBuilder::new();
    let unusable = |problem: &str, error: Box<dyn std::error::Error + Send + Sync>| {
        let mut wrong = ConfigError::new("api_url", problem);
        wrong.source = Some(error);
        wrong
    };
    if api.scheme() == "https" {
        let tls = builder.with_provider_and_native_roots(provider).map_err(|error| {
            unusable("this machine has no certificates to trust; install ca-certificates", error.into())
        })?;
        return Ok(tls.https_only().enable_all_versions().wrap_connector(tcp));
    }
    // Without this, a container that has no certificates couldn't even speak plain HTTP.
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("no TLS can be set up", error.into()))?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(builder.with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp))
}

/// The library of websockets takes the process's TLS provider; one that is there is never overridden.
#[cfg(feature = "socket-mode")]
pub(crate) fn install_ring_if_none() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing this race means that somebody else has installed one, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_over_tls_or_stays_on_the_machine() {
        for (text, good) in [
            ("https://slack.com/api", true),
            ("https://slack-gov.com/api/", true),
            ("http://127.0.0.1:4711/api", true),
            ("http://[::1]:4711/api", true),
            ("http://localhost:4711/api", true),
            ("http://slack.com/api", false),
            ("http://10.0.0.1/api", false),
            ("https://user:hunter2@slack.com/api", false),
            ("https://slack.com/api?x=1", false),
            ("slack.com", false),
            ("", false),
        ] {
            let checked = api_url(text);
            assert_eq!(checked.is_ok(), good, "{text}");
            let shown = checked.err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn only_addresses_of_slack_are_sent_to() {
        let slack = api_url("https://slack.com/api").unwrap();
        let local = api_url("http://127.0.0.1:4711/api").unwrap();
        for (url, api, good) in [
            ("https://hooks.slack.com/actions/T1/2/x", &slack, true),
            ("https://files.slack.com/upload/v1/x", &slack, true),
            ("https://slack.com/x", &slack, true),
            ("https://hooks.slack-gov.com/x", &slack, true),
            ("http://hooks.slack.com/x", &slack, false),
            ("https://evilslack.com/x", &slack, false),
            ("https://slack.com.evil.example/x", &slack, false),
            ("https://slack.com:8443/x", &slack, false),
            ("http://127.0.0.1:4711/upload", &slack, false),
            ("http://127.0.0.1:4711/upload", &local, true),
            ("http://127.0.0.1:4712/upload", &local, true),
            ("http://10.0.0.1:4711/upload", &local, false),
            ("not an address", &slack, false),
        ] {
            assert_eq!(slack_url(url, api).is_some(), good, "{url}");
        }
    }
}
