//! Requests, built without I/O.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use hyper::body::Bytes;
use incident_core::config::ConfigError;
use url::{Position, Url};

/// One request, relative to a backend's base URL.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self { method: Method::GET, path: path.to_owned(), headers, body: Bytes::new() }
    }

    pub(crate) fn write(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// With a JSON body, unless a header already names another type.
    pub(crate) fn with_json(mut self, body: impl Into<Bytes>) -> Self {
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        self.body = body.into();
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

/// Where a backend is.
pub(crate) struct Base {
    /// The base URL without a slash at its end.
    url: String,
    /// What is connected to.
    pub(crate) origin: Uri,
    /// The host, as requests name it.
    pub(crate) host: HeaderValue,
    /// How the URL may be shown: host and path.
    pub(crate) shown: String,
}

impl Base {
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub(crate) fn new(field: &str, text: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| ConfigError::new(field, problem);
        let expected = || wrong("expected a URL such as https://checkout.internal");
        let url = Url::parse(text).map_err(|_| expected())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("expected a URL that begins with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("expected no user or password; use headers with a reference to a secret"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("expected no query and no fragment"));
        }
        let origin = url[..Position::AfterPort].parse().map_err(|_| expected())?;
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let shown = format!("{host}{}", url.path()).trim_end_matches('/').to_owned();
        let host = HeaderValue::from_str(host).map_err(|_| expected())?;
        Ok(Self { url: url.as_str().trim_end_matches('/').to_owned(), origin, host, shown })
    }

    /// `path` below this, as a request names it.
    pub(crate) fn target(&self, path: &str) -> Option<Uri> {
        let url = Url::parse(&format!("{}{path}", self.url)).ok()?;
        url[Position::BeforePath..].parse().ok()
    }
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
