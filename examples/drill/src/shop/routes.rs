//! From requests to answers.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shop;
use super::flags::{Change, Outcome};

/// The header in which the HTTP adapter sends an effect's id.
const EFFECT: &str = "x-incident-effect";
/// Bytes of a request that are read.
const MOST: usize = 4096;

pub(super) async fn answer(
    shop: Arc<Shop>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let path: Vec<_> = parts.uri.path().trim_start_matches('/').split('/').collect();
    Ok(match (&parts.method, &path[..]) {
        (&Method::GET, ["checkout"]) => checkout(&shop).await,
        (&Method::GET, ["health"]) => health(&shop),
        (&Method::GET, ["flags", name]) => match shop.flags().get(name) {
            Some(flag) => show(name, flag),
            None => problem(StatusCode::NOT_FOUND, "there is no such flag"),
        },
        (&Method::PUT, ["flags", name]) => match Limited::new(body, MOST).collect().await {
            Ok(body) => set(&shop, name, &parts.headers, &body.to_bytes()),
            Err(_) => problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or broke off"),
        },
        (&Method::GET, ["flags", name, "changes"]) => match shop.flags().changes(name) {
            Some(changes) => json(StatusCode::OK, &json!({ "changes": changes })),
            None => problem(StatusCode::NOT_FOUND, "there is no such flag"),
        },
        _ => problem(StatusCode::NOT_FOUND, "there is nothing here"),
    })
}

async fn checkout(shop: &Shop) -> Response<Full<Bytes>> {
    match shop.checkout().await {
        Some(cents) => json(StatusCode::OK, &json!({ "cents": cents })),
        None => problem(StatusCode::INTERNAL_SERVER_ERROR, "the price can't be told"),
    }
}

fn health(shop: &Shop) -> Response<Full<Bytes>> {
    let health = shop.health();
    let (code, status) = match health.error_rate {
        None => (StatusCode::OK, "idle"),
        Some(rate) if rate > shop.options.max_error_rate => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
        Some(_) => (StatusCode::OK, "ok"),
    };
    let mut body = json!(health);
    body["status"] = json!(status);
    json(code, &body)
}

fn set(shop: &Shop, name: &str, headers: &HeaderMap, body: &[u8]) -> Response<Full<Bytes>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        value: bool,
    }
    let Ok(Wanted { value }) = serde_json::from_slice(body) else {
        return problem(StatusCode::BAD_REQUEST, "expected {\"value\": true} or {\"value\": false}");
    };
    let text = |header: &str| headers.get(header).and_then(|it| it.to_str().ok());
    let seen = match text(IF_MATCH.as_str()) {
        Some(etag) => match etag.trim_matches('"').parse() {
            Ok(version) => Some(version),
            Err(_) => return problem(StatusCode::PRECONDITION_FAILED, "this is no ETag of a flag"),
        },
        None => None,
    };
    match shop.flags().set(name, value, text(EFFECT), seen) {
        Outcome::Set(flag) => show(name, &flag),
        Outcome::Stale => problem(StatusCode::PRECONDITION_FAILED, "the flag was changed meanwhile"),
        Outcome::Unknown => problem(StatusCode::NOT_FOUND, "there is no such flag"),
    }
}

fn show(name: &str, flag: &Change) -> Response<Full<Bytes>> {
    let Change { version, value, effect } = flag;
    let body = json!({ "name": name, "value": value, "version": version, "effect": effect });
    let mut response = json(StatusCode::OK, &body);
    if let Ok(etag) = format!("\"{version}\"").parse() {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

fn problem(status: StatusCode, problem: &str) -> Response<Full<Bytes>> {
    json(status, &json!({ "problem": problem }))
}

fn json(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}
