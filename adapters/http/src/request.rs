//! Requests, built without I/O.

use incident_core::config::ConfigError;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

/// One request, relative to a backend's base URL.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self { method: Method::GET, path: path.to_owned(), headers, body: None }
    }

    pub(crate) fn write(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: HeaderMap::new(), body: None }
    }

    /// With a JSON body, unless a header already names another type.
    pub(crate) fn with_json(mut self, body: Vec<u8>) -> Self {
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        self.body = Some(body);
        self
    }

    pub(crate) fn with_headers(mut self, headers: &HeaderMap) -> Self {
        self.headers.extend(headers.clone());
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// The base URL without a slash at its end, and how it may be shown: host and path.
pub(crate) fn base_url(field: &str, text: &str) -> Result<(String, String), ConfigError> {
    let wrong = |problem: &str| ConfigError::new(field, problem);
    let url = Url::parse(text).map_err(|_| wrong("expected a URL such as https://checkout.internal"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("expected a URL that begins with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("expected no user or password; use headers with a reference to a secret"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("expected no query and no fragment"));
    }
    let base = url.as_str().trim_end_matches('/').to_owned();
    let shown = base.split_once("://").map_or(base.as_str(), |(_, rest)| rest).to_owned();
    Ok((base, shown))
}

/// `path` if it can be appended to a base URL; it is never repeated in the error, because it may be secret.
pub(crate) fn path(field: &str, path: &str) -> Result<String, ConfigError> {
    let is_fit = path.starts_with('/')
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
        && Url::parse(&format!("http://host{path}")).is_ok_and(|url| url.host_str() == Some("host"));
    if is_fit {
        Ok(path.to_owned())
    } else {
        Err(ConfigError::new(field, "expected a path that begins with / and is percent-encoded"))
    }
}

/// `pointer` if it is a JSON pointer.
pub(crate) fn pointer(field: &str, pointer: &str) -> Result<String, ConfigError> {
    if pointer.is_empty() || pointer.starts_with('/') {
        Ok(pointer.to_owned())
    } else {
        Err(ConfigError::new(field, "expected a JSON pointer such as /value"))
    }
}

/// `name` if it can be the name of a header.
pub(crate) fn header_name(field: &str, name: &str) -> Result<HeaderName, ConfigError> {
    name.parse().map_err(|_| ConfigError::new(field, "expected the name of a header"))
}
