//! Requests whose calls of the tables take place one after the other, when the test says so.

use std::pin::Pin;

use hongyan_local::sdk_config;
use serde_json::Value;

use super::{
    TestApp,
    fault_proxy::{Call, Fault, FaultProxy},
    sandbox::{Sandbox, Setup},
};

/// A sandbox whose calls wait until the test lets them arrive.
pub struct Side {
    pub sandbox: Sandbox,
    proxy: FaultProxy,
}

impl Side {
    pub async fn of(app: &TestApp) -> Self {
        let proxy = FaultProxy::before(&app.twin.dynamodb_url).await;
        let sandbox = Sandbox::new(Setup { sdk: sdk_config(&proxy.url), ..app.setup() });
        proxy.break_calls(|_, _| Fault::Hold);
        Self { sandbox, proxy }
    }

    /// A request in this sandbox, which has not made a call yet.
    pub fn begin<'a>(&'a self, request: impl Future<Output = Value> + 'a) -> Stepped<'a> {
        Stepped { side: self, request: Box::pin(request), waiting: 0, reply: None }
    }
}

/// A request that goes on by one call of the tables at a time.
pub struct Stepped<'a> {
    side: &'a Side,
    request: Pin<Box<dyn Future<Output = Value> + 'a>>,
    waiting: usize,
    reply: Option<Value>,
}

impl Stepped<'_> {
    /// Whether it has another call to make. Otherwise it has its reply.
    async fn goes_on(&mut self) -> bool {
        while self.waiting == 0 && self.reply.is_none() {
            tokio::select! {
                reply = &mut self.request => self.reply = Some(reply),
                () = self.side.proxy.held() => self.waiting += 1,
            }
        }
        self.waiting > 0
    }

    /// Makes the call that waits.
    async fn step(&mut self) -> Call {
        self.side.proxy.release();
        self.waiting -= 1;
        loop {
            tokio::select! {
                biased;
                () = self.side.proxy.answered() => break self.side.proxy.take().pop().unwrap(),
                reply = &mut self.request, if self.reply.is_none() => self.reply = Some(reply),
            }
        }
    }

    /// Makes so many calls, or as many as it has to make.
    pub async fn make(&mut self, calls: usize) -> Vec<Call> {
        let mut made = Vec::new();
        while made.len() < calls && self.goes_on().await {
            made.push(self.step().await);
        }
        made
    }

    pub async fn reply(mut self) -> Value {
        while self.goes_on().await {
            self.step().await;
        }
        self.reply.unwrap()
    }
}
