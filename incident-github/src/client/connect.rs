//! A client of our own making: no retry, no redirect, no proxy, whatever features other crates switch on in octocrab.

use std::sync::Arc;

use http::header::USER_AGENT;
use http::{HeaderValue, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use incident_core::config::ConfigError;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};

use crate::config::{AppConfig, GithubConfig};

const API: &str = "https://api.github.com";

/// A client that is signed in.
pub(crate) struct Signed {
    pub(crate) octocrab: Octocrab,
    pub(crate) app: Option<App>,
}

/// The App itself, which can be asked who it is and what its installation may do.
pub(crate) struct App {
    pub(crate) octocrab: Octocrab,
    pub(crate) installation: u64,
}

/// A client that signs in as `config` says. Reads secrets, connects to nothing, and needs a Tokio runtime.
///
/// # Errors
/// [`ConfigError`], naming the field.
pub(crate) fn connect(config: &GithubConfig) -> Result<Signed, ConfigError> {
    let api = address(config.api.as_deref().unwrap_or(API))?;
    match (&config.token, &config.app) {
        (Some(token), None) => {
            let token = token.read(&config.base).map_err(|error| ConfigError::secret("token", error))?;
            if HeaderValue::from_str(token.expose()).is_err() {
                return Err(ConfigError::new(
                    "token",
                    "it can't be sent in a header; expected a token alone",
                ));
            }
            let anonymous = service(config, &api, AuthState::None)?;
            let octocrab = anonymous.user_access_token(token.expose().to_owned());
            let octocrab = octocrab.map_err(|_| ConfigError::new("token", "expected a token"))?;
            Ok(Signed { octocrab, app: None })
        }
        (None, Some(app)) => installation(config, &api, app),
        _ => Err(ConfigError::new("token", "expected either a token or an app")),
    }
}

#[cfg(feature = "app")]
fn installation(config: &GithubConfig, api: &Uri, app: &AppConfig) -> Result<Signed, ConfigError> {
    use octocrab::auth::{AppAuth, EncodingKey};

    let key =
        app.private_key.read(&config.base).map_err(|error| ConfigError::secret("app.private_key", error))?;
    // What the library says of a key that it can't read may quote it.
    let key = EncodingKey::from_rsa_pem(key.expose().as_bytes())
        .map_err(|_| ConfigError::new("app.private_key", "expected an RSA private key in PEM"))?;
    let auth = AppAuth { app_id: app.id.into(), key };
    let app_client = service(config, api, AuthState::App(auth))?;
    let octocrab = app_client
        .installation(app.installation.into())
        .map_err(|_| ConfigError::new("app.installation", "expected the id of an installation"))?;
    Ok(Signed { octocrab, app: Some(App { octocrab: app_client, installation: app.installation }) })
}

#[cfg(not(feature = "app"))]
fn installation(_: &GithubConfig, _: &Uri, _: &AppConfig) -> Result<Signed, ConfigError> {
    Err(ConfigError::new("app", "expected a token instead: this build lacks the feature `app`"))
}

fn service(config: &GithubConfig, api: &Uri, auth: AuthState) -> Result<Octocrab, ConfigError> {
    let mut connector = TimeoutConnector::new(connector(api)?);
    connector.set_connect_timeout(Some(config.connect_timeout));
    connector.set_read_timeout(Some(config.timeout));
    connector.set_write_timeout(Some(config.timeout));
    // Otherwise the time that a connection was idle counts as time to answer.
    connector.set_reset_reader_on_write(true);
    let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
    let agent = HeaderValue::from_static(concat!("incident-github/", env!("CARGO_PKG_VERSION")));
    let built = OctocrabBuilder::new_empty()
        .with_service(http)
        .with_layer(&BaseUriLayer::new(api.clone()))
        .with_layer(&ExtraHeadersLayer::new(Arc::new(vec![(USER_AGENT, agent)])))
        .with_auth(auth)
        .build();
    match built {
        Ok(octocrab) => Ok(octocrab),
        Err(never) => match never {},
    }
}

type Connector = hyper_rustls::HttpsConnector<legacy::connect::HttpConnector>;

fn connector(api: &Uri) -> Result<Connector, ConfigError> {
    let wrong = |problem: &str, source: Box<dyn std::error::Error + Send + Sync>| {
        let mut error = ConfigError::new("api", problem);
        error.source = Some(source);
        error
    };
    let ring = rustls::crypto::ring::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = if api.scheme_str() == Some("http") {
        // Without certificates, for a container may have none; this machine is reached without encryption.
        let versions =
            rustls::ClientConfig::builder_with_provider(Arc::new(ring)).with_safe_default_protocol_versions();
        let config = versions.map_err(|error| wrong("no TLS version can be used", error.into()))?;
        builder.with_tls_config(
            config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
        )
    } else {
        let trusted = builder.with_provider_and_native_roots(ring);
        trusted.map_err(|error| wrong("the system has no certificates to trust", error.into()))?
    };
    Ok(builder.https_or_http().enable_http1().build())
}

/// The address of an API. A token never leaves the machine without encryption.
fn address(text: &str) -> Result<Uri, ConfigError> {
    let wrong = || {
        let expected = "expected https:// with a host and a path, with neither user nor query, or http:// of this machine";
        ConfigError::new("api", expected)
    };
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    let here = ["localhost", "127.0.0.1", "[::1]"].contains(&authority.host());
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => here,
        _ => false,
    };
    if !secure || authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
        return Err(wrong());
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_encrypted_or_to_this_machine() {
        for (text, expect) in [
            ("https://api.github.com", true),
            ("https://github.example.com/api/v3", true),
            ("https://github.example.com/api/v3/", true),
            ("http://127.0.0.1:8080/api/v3", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://github.example.com/api/v3", false),
            ("http://127.0.0.1.example.com", false),
            ("https://user:password@github.example.com", false),
            ("https://github.example.com/?x=1", false),
            ("github.example.com", false),
            ("ftp://github.example.com", false),
            ("", false),
        ] {
            assert_eq!(address(text).is_ok(), expect, "{text}");
        }
    }
}
