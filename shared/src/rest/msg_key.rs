//! What business servers call a message by, to recall it or to read on behind it.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    Result,
    model::{Imported, Message, Seq},
};

/// `MsgKey`: `{number}_{random}_{second}`. For a message that was imported as history, what it was imported with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MsgKey {
    /// Its number, or the `MsgSeq` of one that was imported.
    pub seq: u64,
    /// Its random number.
    pub random: u32,
    /// When it was sent, in seconds.
    pub second: u64,
}

impl MsgKey {
    /// The key of a message.
    pub fn of(message: &Message) -> Self {
        match message.imported {
            Some(Imported { second, seq, random }) => Self { seq: seq.into(), random, second },
            None => {
                Self { seq: message.seq.0, random: message.client_id.random(), second: message.time / 1000 }
            }
        }
    }

    /// Takes one from outside.
    ///
    /// # Errors
    /// [`crate::Error::BadRequest`] when it has another form.
    pub fn parse(text: &str) -> Result<Self> {
        let read = || {
            let mut parts = text.split('_');
            let mut part = || parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            let (seq, random, second) = (part()?, part()?, part()?);
            let key =
                Self { seq: seq.parse().ok()?, random: random.parse().ok()?, second: second.parse().ok()? };
            parts.next().is_none().then_some(key)
        };
        read().ok_or_else(|| {
            crate::Error::BadRequest(
                "the MsgKey must be one that was answered or told: {number}_{random}_{second}".to_owned(),
            )
        })
    }

    /// The number of the message, if it has one.
    pub fn number(&self) -> Seq {
        Seq(self.seq)
    }

    /// The place of the message, if it was imported.
    pub fn place(&self) -> Option<Imported> {
        let seq = u32::try_from(self.seq).ok()?;
        Some(Imported { second: self.second, seq, random: self.random })
    }
}

impl fmt::Display for MsgKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.seq, self.random, self.second)
    }
}

impl Serialize for MsgKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_read_as_it_is_shown(seq: u64, random: u32, second: u64) {
            let key = MsgKey { seq, random, second };
            prop_assert_eq!(MsgKey::parse(&key.to_string()), Ok(key));
            prop_assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{seq}_{random}_{second}\""));
            let place = u32::try_from(seq).ok().map(|seq| Imported { second, seq, random });
            prop_assert_eq!(key.place(), place);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in [
            "",
            "1",
            "1_2",
            "1_2_",
            "_2_3",
            "1_2_3_4",
            "1_-2_3",
            "1_4294967296_3",
            "+1_2_3",
            "a_b_c",
            "1-2-3",
        ] {
            assert!(MsgKey::parse(bad).is_err(), "{bad}");
        }
    }
}
