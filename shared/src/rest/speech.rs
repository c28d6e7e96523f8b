//! `openconfigsvr`: who may not speak.

use serde::{Deserialize, Serialize};

use super::{Error, Number, Result, Said};
use crate::model::{Mute, MuteChange, UserId};

/// So many seconds are for ever.
const FOREVER: u32 = u32::MAX;

/// `setnospeaking`.
#[derive(Debug, Deserialize)]
pub struct SetNoSpeaking {
    #[serde(rename = "Set_Account")]
    set_account: String,
    #[serde(rename = "C2CmsgNospeakingTime")]
    c2c: Said<Number<u32>>,
    #[serde(rename = "GroupmsgNospeakingTime")]
    group: Said<Number<u32>>,
}

impl SetNoSpeaking {
    /// The change, if it is made in this second.
    ///
    /// # Errors
    /// What can be no user, and nothing to change.
    pub fn parse(self, now_s: u64) -> Result<MuteChange> {
        let until = |Number(seconds): Number<u32>| match seconds {
            0 => 0,
            FOREVER => Mute::FOREVER,
            seconds => now_s.saturating_add(seconds.into()),
        };
        let user = UserId::parse("Set_Account", &self.set_account)?;
        if self.c2c.0.is_none() && self.group.0.is_none() {
            return Err(Error::Parameter(
                "there is nothing to change: give C2CmsgNospeakingTime or GroupmsgNospeakingTime".to_owned(),
            ));
        }
        Ok(MuteChange { user, c2c: self.c2c.0.map(until), group: self.group.0.map(until) })
    }
}

/// `getnospeaking`.
#[derive(Debug, Deserialize)]
pub struct GetNoSpeaking {
    #[serde(rename = "Get_Account")]
    get_account: String,
}

impl GetNoSpeaking {
    /// # Errors
    /// What can be no user.
    pub fn parse(self) -> Result<UserId> {
        Ok(UserId::parse("Get_Account", &self.get_account)?)
    }
}

/// The answer to it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct NoSpeaking {
    #[serde(rename = "C2CmsgNospeakingTime")]
    c2c: u32,
    #[serde(rename = "GroupmsgNospeakingTime")]
    group: u32,
}

impl NoSpeaking {
    /// What is left of it in this second.
    pub fn new(mute: Mute, now_s: u64) -> Self {
        let left = |until: u64| match until {
            Mute::FOREVER => FOREVER,
            until => u32::try_from(until.saturating_sub(now_s)).unwrap_or(FOREVER),
        };
        Self { c2c: left(mute.c2c), group: left(mute.group) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_counted_from_now_and_the_largest_is_for_ever() {
        let change = |c2c: u32| {
            let body = json!({ "Set_Account": "alice", "C2CmsgNospeakingTime": c2c.to_string() });
            serde_json::from_value::<SetNoSpeaking>(body).unwrap().parse(1_000).unwrap()
        };
        for (seconds, until) in
            [(0, 0), (60, 1_060), (u32::MAX - 1, 4_294_968_294), (u32::MAX, Mute::FOREVER)]
        {
            let MuteChange { c2c, group, .. } = change(seconds);
            assert_eq!((c2c, group), (Some(until), None));
            let left = NoSpeaking::new(Mute { c2c: until, group: 0 }, 1_000);
            assert_eq!(left, NoSpeaking { c2c: seconds, group: 0 });
        }
        assert_eq!(NoSpeaking::new(Mute { c2c: 1_060, group: 1 }, 2_000), NoSpeaking { c2c: 0, group: 0 });
        let nothing = serde_json::from_value::<SetNoSpeaking>(json!({ "Set_Account": "alice" })).unwrap();
        assert!(nothing.parse(0).is_err());
    }
}
