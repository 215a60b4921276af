//! Requests, built without I/O.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;
use http::{Method, Uri};
use hyper::body::Bytes;
use incident_core::config::ConfigError;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

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
#[derive(Debug)]
pub(crate) struct Base {
    /// What is connected to.
    pub(crate) origin: Uri,
    /// The host, as requests name it.
    pub(crate) host: HeaderValue,
    /// The path that all paths begin with, without a slash at its end.
    path: String,
    /// How the URL may be shown: host and path.
    pub(crate) shown: String,
}

impl Base {
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub(crate) fn new(field: &str, text: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| ConfigError::new(field, problem);
        let expected = || wrong("expected a URL such as https://checkout.internal");
        let url: Uri = text.trim().parse().map_err(|_| expected())?;
        let (Some(scheme), Some(authority)) = (url.scheme(), url.authority()) else { return Err(expected()) };
        if ![&Scheme::HTTP, &Scheme::HTTPS].contains(&scheme) {
            return Err(wrong("expected a URL that begins with http:// or https://"));
        }
        if authority.as_str().contains('@') {
            return Err(wrong("expected no user or password; use headers with a reference to a secret"));
        }
        if text.contains(['?', '#']) {
            return Err(wrong("expected no query and no fragment"));
        }
        // A port that is none would only be noticed when somebody connects.
        let port = authority.as_str().strip_prefix(url.host().unwrap_or_default());
        if url.host().is_none_or(str::is_empty) || !(port == Some("") || authority.port_u16().is_some()) {
            return Err(expected());
        }
        let host = authority.as_str().to_lowercase();
        let path = url.path().trim_end_matches('/').to_owned();
        let shown = format!("{host}{path}");
        let origin = format!("{scheme}://{host}").parse().map_err(|_| expected())?;
        let host = HeaderValue::from_str(&host).map_err(|_| expected())?;
        Ok(Self { origin, host, path, shown })
    }

    /// `path` below this, as a request names it.
    pub(crate) fn target(&self, path: &str) -> Option<Uri> {
        format!("{}{path}", self.path).parse().ok()
    }
}

/// What isn't allowed in a URL as it is, and that people write all the same, as in `up{job="shop"}`.
const LITERAL: &AsciiSet =
    &CONTROLS.add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// `path`, encoded where it has to be, if it can be appended to a base URL; it is never repeated in the error, because it may
/// be secret.
pub(crate) fn path(field: &str, path: &str) -> Result<String, ConfigError> {
    let is_graphic = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    let encoded = utf8_percent_encode(path, LITERAL).to_string();
    if path.starts_with('/') && path.bytes().all(is_graphic) && encoded.parse::<Uri>().is_ok() {
        Ok(encoded)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_taken_apart() {
        for (url, origin, host, target) in [
            ("http://h", "http://h/", "h", "/x?y=1"),
            ("https://Shop.Internal:8443/", "https://shop.internal:8443/", "shop.internal:8443", "/x?y=1"),
            ("HTTP://h", "http://h/", "h", "/x?y=1"),
            ("http://[::1]:80/api//", "http://[::1]:80/", "[::1]:80", "/api/x?y=1"),
            ("http://[::1]/a%20b", "http://[::1]/", "[::1]", "/a%20b/x?y=1"),
        ] {
            let base = Base::new("base_url", url).unwrap();
            assert_eq!(
                (base.origin.to_string().as_str(), base.host.to_str().unwrap()),
                (origin, host),
                "{url}"
            );
            assert_eq!(base.target("/x?y=1").unwrap(), target, "{url}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for (url, problem) in [
            ("", "expected a URL such as"),
            ("h:80", "expected a URL such as"),
            ("/path", "expected a URL such as"),
            ("http://", "expected a URL such as"),
            ("http://:80", "expected a URL such as"),
            ("http://h:", "expected a URL such as"),
            ("http://h:99999", "expected a URL such as"),
            ("http://h:8o", "expected a URL such as"),
            ("http://h h", "expected a URL such as"),
            ("http://bücher", "expected a URL such as"),
            ("ws://h", "expected a URL that begins with"),
            ("http://me@h", "expected no user"),
            ("http://h/#a", "expected no query and no fragment"),
            ("http://h/?", "expected no query and no fragment"),
        ] {
            let error = Base::new("base_url", url).unwrap_err().to_string();
            assert!(error.contains(problem), "{url}: {error}");
        }
        for path in ["x", "/ä", "/a b", "/a#b", "/a\u{7f}"] {
            assert!(fit(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_is_encoded_where_it_has_to_be() {
        for (path, encoded) in
            [("//", "//"), (r#"/q?query=up{job="shop"}&a=%7B"#, "/q?query=up%7Bjob=%22shop%22%7D&a=%7B")]
        {
            assert_eq!(fit(path).unwrap(), encoded);
        }
    }

    fn fit(path: &str) -> Result<String, ConfigError> {
        super::path("path", path)
    }
}
