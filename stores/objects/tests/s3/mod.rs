//! A bucket on loopback that answers as S3's documentation says: conditional writes, signatures present, errors as XML.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use incident_core::model::id::Digest;
use incident_object_store::S3Config;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What meets the next request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// The request is carried out, and the connection closes instead of an answer.
    LoseReply,
    /// The request is read and neither carried out nor answered.
    Silence,
    /// This status, with S3's XML.
    Status(u16),
    /// The status 301 to another host.
    Elsewhere,
    /// A body without end.
    Endless,
    /// Half of the body, then the connection closes.
    Half,
}

/// The key in the configuration, which must show nowhere.
pub(crate) const KEY: &str = "sesame-open-4711";
/// What an answer's body says, which must show nowhere either.
pub(crate) const WORDS: &str = "words-of-the-answer";

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    faults: VecDeque<Fault>,
    asked: Vec<(String, String)>,
    conditional: bool,
}

pub(crate) struct S3 {
    address: SocketAddr,
    bucket: Arc<Mutex<Bucket>>,
    task: JoinHandle<()>,
    secrets: tempfile::TempDir,
}

type Answer = Result<Response<BoxBody<Bytes, io::Error>>, io::Error>;

impl S3 {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bucket = Arc::new(Mutex::new(Bucket { conditional: true, ..Bucket::default() }));
        let all = Arc::clone(&bucket);
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let bucket = Arc::clone(&all);
                let service = service_fn(move |request| answer(Arc::clone(&bucket), request));
                tokio::spawn(async move {
                    let serving = hyper::server::conn::http1::Builder::new();
                    let _ = serving.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        let secrets = tempfile::tempdir().unwrap();
        std::fs::write(secrets.path().join("id"), "AKID").unwrap();
        std::fs::write(secrets.path().join("key"), KEY).unwrap();
        Self { address, bucket, task, secrets }
    }

    pub(crate) fn config(&self) -> S3Config {
        let mut config = S3Config::new("bucket");
        config.prefix = "evidence".to_owned();
        config.endpoint = Some(format!("http://{}", self.address));
        config.allow_http = true;
        config.access_key_id = Some(incident_core::config::SecretRef::File(self.secrets.path().join("id")));
        config.secret_access_key =
            Some(incident_core::config::SecretRef::File(self.secrets.path().join("key")));
        config
    }

    /// These faults meet the next requests, one each.
    pub(crate) fn meets(&self, faults: &[Fault]) {
        self.bucket.lock().unwrap().faults.extend(faults);
    }

    /// A store that doesn't know conditional writes, and says so.
    pub(crate) fn without_conditions(&self) {
        self.bucket.lock().unwrap().conditional = false;
    }

    /// The methods that were asked for, in order.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.bucket.lock().unwrap().asked.iter().map(|(method, _)| method.clone()).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.bucket.lock().unwrap().objects.keys().cloned().collect()
    }

    pub(crate) fn damage(&self, digest: Digest, bytes: &[u8]) {
        let name = digest.to_string();
        let path = format!("/bucket/evidence/{}/{}", &name[..2], &name[2..]);
        self.bucket.lock().unwrap().objects.insert(path, bytes.to_vec());
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(bucket: Arc<Mutex<Bucket>>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = parts.uri.path().to_owned();
    let fault = {
        let mut bucket = bucket.lock().unwrap();
        bucket.asked.push((parts.method.to_string(), path.clone()));
        bucket.faults.pop_front()
    };
    let signed =
        parts.headers.get("authorization").is_some_and(|it| it.as_bytes().starts_with(b"AWS4-HMAC-SHA256"));
    if !signed {
        return status(403);
    }
    match fault {
        None => carry_out(&bucket, &parts.method, &path, parts.headers.contains_key("if-none-match"), &body),
        Some(Fault::LoseReply) => {
            let _ =
                carry_out(&bucket, &parts.method, &path, parts.headers.contains_key("if-none-match"), &body);
            Err(io::Error::other("cut"))
        }
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::Status(code)) => status(code),
        Some(Fault::Elsewhere) => {
            let answer = Response::builder().status(301).header("location", "http://127.0.0.1:1/stolen");
            Ok(answer.body(full(Vec::new())).unwrap())
        }
        Some(Fault::Endless) => {
            let frames =
                futures_util::stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[7; 8192]))));
            Ok(object(Some(1 << 40)).body(StreamBody::new(frames).boxed()).unwrap())
        }
        Some(Fault::Half) => {
            let kept = bucket.lock().unwrap().objects[&path].clone();
            let half = Bytes::from(kept[..kept.len() / 2].to_vec());
            let frames = [Ok(Frame::data(half)), Err(io::Error::other("cut"))];
            let frames = futures_util::stream::iter(frames);
            Ok(object(Some(kept.len())).body(StreamBody::new(frames).boxed()).unwrap())
        }
    }
}

fn carry_out(bucket: &Mutex<Bucket>, method: &Method, path: &str, if_none: bool, body: &[u8]) -> Answer {
    let mut bucket = bucket.lock().unwrap();
    match *method {
        Method::PUT if if_none && !bucket.conditional => status(501),
        Method::PUT if if_none && bucket.objects.contains_key(path) => status(412),
        Method::PUT => {
            bucket.objects.insert(path.to_owned(), body.to_vec());
            Ok(Response::builder().header("etag", "\"e\"").body(full(Vec::new())).unwrap())
        }
        Method::GET => match bucket.objects.get(path) {
            Some(kept) => Ok(object(None).body(full(kept.clone())).unwrap()),
            None => status(404),
        },
        _ => status(405),
    }
}

fn object(length: Option<usize>) -> hyper::http::response::Builder {
    let answer =
        Response::builder().header("etag", "\"e\"").header("last-modified", "Thu, 26 Nov 2026 03:00:00 GMT");
    match length {
        Some(length) => answer.header("content-length", length),
        None => answer,
    }
}

fn status(code: u16) -> Answer {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>X</Code><Message>{WORDS}</Message></Error>");
    Ok(Response::builder().status(code).body(full(body.into_bytes())).unwrap())
}

fn full(bytes: Vec<u8>) -> BoxBody<Bytes, io::Error> {
    Full::new(Bytes::from(bytes)).map_err(|never: Infallible| match never {}).boxed()
}
