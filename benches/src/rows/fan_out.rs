//! P6: many notices at once over few connections.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::model::severity::Audience;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::{EffectContext, Notifier};
use tokio::runtime::Runtime;

use crate::row::{Line, Row, Scale, seconds, spread};
use crate::runtime;
use crate::sample::{Slice, alternate, timed};
use crate::storm::endpoint::notifier;
use crate::storm::sink::Sink;

const NOTICES: usize = 1_000;
const CONNECTIONS: usize = 32;

pub(super) fn fan_out(scale: Scale) -> Row {
    let runtime = runtime();
    let notices = scale.of(NOTICES);
    let (sink, bare_sink) = runtime.block_on(async { (Sink::start().await, Sink::start().await) });
    let ours = runtime.block_on(async { notifier(&sink.address().to_string()) });
    let ours = ours.notifier.expect("it was configured");
    let bare = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let url = format!("http://{}/notices", bare_sink.address());
    let body = vec![b'x'; 700];
    let slice = |took: Duration| Slice { figure: took.as_secs_f64(), operations: notices as u64 };
    let pair = alternate(
        scale.rounds(15),
        || slice(timed(|| deliver(&runtime, &ours, notices)).0),
        || slice(timed(|| runtime.block_on(post(&bare, &url, &body, notices))).0),
    );
    let cpu = |shown: String, cpu: f64| format!("{shown}, CPU {cpu:.1} µs a notice");
    let line = Line::new("wall", cpu(spread(pair.ours, seconds), pair.cpu), "≤ 1.25×", false);
    let line = line.beside(cpu(spread(pair.beside, seconds), pair.cpu_beside), pair.ratio, |it| it <= 1.25);
    let open = sink.connections();
    let limit = Line::new("connections at most", open.to_string(), "≤ 32", open <= CONNECTIONS);
    let points = [10, 100, 1_000].map(|count| {
        deliver(&runtime, &ours, count);
        (count as f64, timed(|| deliver(&runtime, &ours, count)).0.as_secs_f64() / count as f64)
    });
    Row::default().line(line).line(limit).growing("P6 notice", points.to_vec())
}

/// All at once, as an engine hands them over: it is the adapter that bounds its connections.
fn deliver(runtime: &Runtime, notifier: &Arc<dyn Notifier>, count: usize) {
    let incident = IncidentId::new(Time::UNIX_EPOCH, [7; 16]);
    let notice = Notice::new(
        incident,
        Seq(1),
        NoticeKind::Update,
        vec![Audience::new(Audience::TEAM)],
        "error rate above 5 %",
    );
    runtime.block_on(async {
        let all = (0..count as u64).map(|n| {
            let (notifier, notice) = (Arc::clone(notifier), notice.clone());
            tokio::spawn(async move {
                let effect = EffectId { incident, seq: Seq(n + 1) };
                let cx = EffectContext::new(effect, Time::UNIX_EPOCH)
                    .with_deadline(Duration::from_secs(10))
                    .with_side(Side::Live);
                notifier.deliver(&cx, &notice).await.expect("the sink takes it");
            })
        });
        futures_util::future::join_all(all.collect::<Vec<_>>()).await;
    });
}

async fn post(client: &reqwest::Client, url: &str, body: &[u8], count: usize) {
    let all = (0..count).map(|_| {
        let (client, url, body) = (client.clone(), url.to_owned(), body.to_vec());
        tokio::spawn(async move {
            let answer = client.post(url).body(body).send().await.expect("the sink answers");
            answer.bytes().await.expect("the sink answers");
        })
    });
    stream::iter(all).buffer_unordered(CONNECTIONS).collect::<Vec<_>>().await;
}
