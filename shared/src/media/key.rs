use std::fmt;

use sha2::{Digest, Sha256};

use super::kind::{Format, PREVIEW, is_extension};
use crate::model::UserId;

/// How many characters of a user's hash are the name of what is theirs.
const OWNER_CHARS: usize = 16;

/// How many random characters a folder has: 130 bits, which nobody guesses.
const RANDOM_CHARS: usize = 26;

/// A random character is one of these.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Who has uploaded something, in a form that says nothing of them to who does not know them: all media of a user are
/// under one prefix, so that they can be looked at, counted and deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(String);

impl Owner {
    /// The user of an app. No user ID has a `·`, so no two of them have one text.
    pub fn of(sdk_app_id: u64, user: &UserId) -> Self {
        let hash = Sha256::digest(format!("{sdk_app_id}·{user}"));
        Self(hash.iter().take(OWNER_CHARS / 2).map(|byte| format!("{byte:02x}")).collect())
    }

    /// What all keys of theirs begin with.
    pub fn prefix(&self) -> String {
        format!("m/{}/", self.0)
    }
}

/// Where the objects of one upload lie: what was chosen, and its previews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    /// A new one. `random` says a number below another one; who can guess them can see what was uploaded.
    pub fn new(owner: &Owner, random: impl Fn(u64) -> u64) -> Self {
        let character = || {
            let index = usize::try_from(random(ALPHABET.len() as u64)).unwrap_or_default();
            char::from(ALPHABET.get(index).copied().unwrap_or(b'a'))
        };
        let name: String = std::iter::repeat_with(character).take(RANDOM_CHARS).collect();
        Self(format!("{}{name}/", owner.prefix()))
    }

    /// The key of what was chosen.
    pub fn original(&self, format: &Format) -> MediaKey {
        MediaKey(format!("{}o{}", self.0, format.ending()))
    }

    /// The key of a preview: the first one is 1.
    pub fn preview(&self, number: usize) -> MediaKey {
        MediaKey(format!("{}p{number}{}", self.0, PREVIEW.ending()))
    }
}

/// The key of an object: `m/{owner}/{random}/o.png`, or `p1.jpg` for a preview of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaKey(String);

impl MediaKey {
    /// Takes a key from outside. `None` for what no form was ever made for.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (top, owner, random, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_key = top == "m"
            && owner.len() == OWNER_CHARS
            && owner.bytes().all(is_hex)
            && random.len() == RANDOM_CHARS
            && random.bytes().all(|byte| ALPHABET.contains(&byte))
            && is_name(name)
            && parts.next().is_none();
        is_key.then(|| Self(text.to_owned()))
    }

    /// Whether somebody has uploaded it.
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.0.starts_with(&owner.prefix())
    }

    /// The folder that it is in, with all that was uploaded together with it.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(name: &str) -> bool {
    let is_original = name == "o" || name.strip_prefix("o.").is_some_and(is_extension);
    is_original || matches!(name, "p1.jpg" | "p2.jpg")
}

impl fmt::Display for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use crate::media::Kind;

    fn user(name: &str) -> UserId {
        UserId::parse("userID", name).unwrap()
    }

    /// 0, 1, 2 … 31, 0, 1 …
    fn counting() -> impl Fn(u64) -> u64 {
        let next = Cell::new(0);
        move |below| next.replace(next.get() + 1) % below
    }

    #[test]
    fn a_key_says_whose_an_object_is_and_what() {
        let owner = Owner::of(1_400_000_000, &user("alice"));
        // printf '1400000000·alice' | sha256sum
        assert_eq!(owner.prefix(), "m/088ca38d2d475531/");
        let folder = Folder::new(&owner, counting());
        let key = folder.original(&Kind::Image.format("png").unwrap());
        assert_eq!(key.as_str(), format!("{}abcdefghijklmnopqrstuvwxyz/o.png", owner.prefix()));
        assert_eq!(
            folder.preview(1).as_str(),
            format!("{}abcdefghijklmnopqrstuvwxyz/p1.jpg", owner.prefix())
        );
        assert!(folder.original(&Kind::File.format("").unwrap()).as_str().ends_with("/o"));
        // Each of the 32 is taken.
        let random = Cell::new(26);
        let last = Folder::new(&owner, |below| random.replace(random.get() + 1) % below);
        assert!(last.preview(2).as_str().ends_with("/234567abcdefghijklmnopqrst/p2.jpg"), "{last:?}");
    }

    proptest! {
        #[test]
        fn what_was_made_is_read_again_and_is_of_its_owner_alone(
            one in "[ -~]{1,32}", two in "[ -~]{1,32}", apps in (1_u64..3, 1_u64..3), name in "[a-z0-9]{0,9}",
        ) {
            let (one, two) = (Owner::of(apps.0, &user(&one)), Owner::of(apps.1, &user(&two)));
            let folder = Folder::new(&one, counting());
            for key in [folder.original(&Kind::File.format(&name).unwrap()), folder.preview(1), folder.preview(2)] {
                prop_assert_eq!(MediaKey::parse(key.as_str()), Some(key.clone()));
                prop_assert!(key.is_of(&one));
                prop_assert_eq!(key.is_of(&two), one == two);
            }
        }

        #[test]
        fn two_users_never_share_a_prefix(a in ("[ -~]{1,32}", 1_u64..20), b in ("[ -~]{1,32}", 1_u64..20)) {
            let [one, two] = [&a, &b].map(|(name, app)| Owner::of(*app, &user(name)));
            prop_assert_eq!(one == two, a == b);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}|m/[0-9a-f]{16}/[a-z2-7]{26}/.{0,6}") {
            if let Some(key) = MediaKey::parse(&text) {
                prop_assert_eq!(key.as_str(), text);
                prop_assert!(!key.as_str().contains("..") && key.as_str().matches('/').count() == 3);
            }
        }
    }

    #[test]
    fn what_no_form_was_made_for_is_no_key() {
        let good = format!("m/{}/{}/o.png", "0".repeat(16), "a".repeat(26));
        assert!(MediaKey::parse(&good).is_some());
        for (from, to) in [
            ("m/", "n/"),
            ("m/", "/m/"),
            ("m/0", "m/"),
            ("m/0", "m/00"),
            ("m/0", "m/g"),
            ("m/0", "m/A"),
            ("/a", "/"),
            ("/a", "/aa"),
            ("/a", "/1"),
            ("/a", "/A"),
            ("/o.png", ""),
            ("/o.png", "/"),
            ("/o.png", "/o."),
            ("/o.png", "/o.PNG"),
            ("/o.png", "/o.p/g"),
            ("/o.png", "/o..png"),
            ("/o.png", "/o.png/"),
            ("/o.png", "/x.png"),
            ("/o.png", "/p1.png"),
            ("/o.png", "/p3.jpg"),
            ("/o.png", "/.."),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert_eq!(MediaKey::parse(&bad), None, "{bad}");
        }
    }
}
