//! Lambda: several sandboxes, each with a clock of its own, that may be killed.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use hongyan_functions::functions::Functions;
use hongyan_local::Lambda;
use lambda_http::{Body, Request, Response};
use serde_json::Value;
use tokio::sync::{Notify, RwLock};

use crate::weather::{Course, Fate};

/// After which Lambda gives up, as in template.yaml.
const TIMEOUT: Duration = Duration::from_secs(10);

tokio::task_local! {
    pub static INVOCATION: Arc<Death>;
}

/// How a call ends, if not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    None,
    Killed { is_made: bool },
    CutOff { is_made: bool },
}

/// How an invocation ends before its time.
pub struct Death {
    calls: AtomicU32,
    course: Course,
    come: Notify,
}

impl Death {
    /// What becomes of the call that begins now.
    pub fn next_call(&self) -> Ending {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        match self.course {
            Course::Killed(at, is_made) if call == at => Ending::Killed { is_made },
            Course::CutOff(at, is_made) if call >= at => Ending::CutOff { is_made },
            _ => Ending::None,
        }
    }

    pub async fn die<T>(&self) -> T {
        self.come.notify_one();
        std::future::pending().await
    }
}

/// The sandboxes of a deployment: there are none until the tables are known.
#[derive(Clone)]
pub struct Sandboxes {
    pub apps: Arc<OnceLock<Vec<Arc<Functions>>>>,
    /// Who writes to it has no invocation under way.
    pub under_way: Arc<RwLock<()>>,
    fate: Arc<Fate>,
}

impl Sandboxes {
    pub fn new(fate: Arc<Fate>) -> Self {
        Self { apps: Arc::default(), under_way: Arc::default(), fate }
    }

    pub fn lambda(self) -> Lambda {
        let on_streams = self.clone();
        Lambda {
            routes: Arc::new(move |name, event| {
                let sandboxes = self.clone();
                Box::pin(async move { sandboxes.invoke(name, event).await })
            }),
            streams: Arc::new(move |name, event| {
                let sandboxes = on_streams.clone();
                Box::pin(async move { sandboxes.consume(name, event).await })
            }),
        }
    }

    async fn invoke(&self, name: &'static str, event: Request) -> Option<Response<Body>> {
        let _under_way = self.under_way.read().await;
        match self.fate.course() {
            // The answer waits for both, so that nothing goes on behind it.
            Course::Twice => {
                let (event, copy) = copy(event);
                let answers = tokio::join!(
                    self.run(Course::Once, async |functions| functions.respond(name, event).await),
                    self.run(Course::Once, async |functions| functions.respond(name, copy).await)
                );
                if self.fate.below(2) == 0 { answers.0 } else { answers.1 }
            }
            course => self.run(course, async |functions| functions.respond(name, event).await).await,
        }
    }

    /// A stream tells again of what has failed, so nothing has to come twice here.
    async fn consume(&self, name: &'static str, event: Value) -> Option<Value> {
        let _under_way = self.under_way.read().await;
        self.run(self.fate.course(), async |functions| functions.consume(name, event).await).await
    }

    async fn run<T>(&self, course: Course, work: impl AsyncFnOnce(Arc<Functions>) -> Option<T>) -> Option<T> {
        let apps = self.apps.get()?;
        let functions = Arc::clone(&apps[self.fate.below(apps.len())]);
        let death = Arc::new(Death { calls: AtomicU32::new(0), course, come: Notify::new() });
        INVOCATION
            .scope(Arc::clone(&death), async {
                tokio::select! {
                    answer = work(functions) => answer,
                    () = death.come.notified() => None,
                    () = tokio::time::sleep(TIMEOUT) => None,
                }
            })
            .await
    }
}

fn copy(event: Request) -> (Request, Request) {
    let (parts, body) = event.into_parts();
    let same = match &body {
        Body::Text(text) => Body::Text(text.clone()),
        Body::Binary(bytes) => Body::Binary(bytes.clone()),
        _ => Body::Empty,
    };
    (Request::from_parts(parts.clone(), body), Request::from_parts(parts, same))
}
