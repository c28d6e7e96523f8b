//! `addToBlacklist` and `removeFromBlacklist`.

use serde_json::json;

use super::{Caller, Exchange};
use crate::model::{
    action::User,
    reference::{Answer, Model},
};

impl Model {
    pub fn block(&mut self, caller: &Caller, users: &[User]) -> Exchange {
        for user in users {
            self.blocks.insert((caller.user(), *user));
        }
        self.changed(caller, "add-to-blacklist", users)
    }

    pub fn unblock(&mut self, caller: &Caller, users: &[User]) -> Exchange {
        for user in users {
            self.blocks.remove(&(caller.user(), *user));
        }
        self.changed(caller, "remove-from-blacklist", users)
    }

    fn changed(&mut self, caller: &Caller, event: &'static str, users: &[User]) -> Exchange {
        let names: Vec<_> = users.iter().map(|user| user.name()).collect();
        let list = json!(self.blacklist(caller.user()));
        self.push(caller, &[caller.user()], &json!({ "event": "blacklistUpdated", "data": list }));
        Exchange::new(event, json!({ "userIDList": names }), Answer::Data(json!({ "blacklist": list })))
    }
}
