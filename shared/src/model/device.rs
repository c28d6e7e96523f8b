use crate::{Error, Result};

/// How many connections a user may have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MultiDevice {
    /// One in all.
    One,
    /// One for each platform.
    #[default]
    OnePerPlatform,
    /// As many as they have instances of the client.
    Many,
}

impl std::str::FromStr for MultiDevice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "one" => Ok(Self::One),
            "one-per-platform" => Ok(Self::OnePerPlatform),
            "many" => Ok(Self::Many),
            _ => Err(format!("`{text}` is no multi-device policy: use one, one-per-platform or many")),
        }
    }
}

/// The kinds of device, under the names that Tencent's REST API and callbacks give them. They are
/// a fixed list, because each may be a connection of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A mini-program.
    MiniProgram,
    /// A browser.
    Web,
    /// An iPhone.
    Ios,
    /// An Android device.
    Android,
    /// An iPad.
    Ipad,
    /// A Windows PC.
    Windows,
    /// A Mac.
    Mac,
    /// A PC with Linux.
    Linux,
    /// Anything else, and whatever says nothing.
    Unknown,
}

impl Platform {
    const ALL: [Self; 9] = [
        Self::MiniProgram,
        Self::Web,
        Self::Ios,
        Self::Android,
        Self::Ipad,
        Self::Windows,
        Self::Mac,
        Self::Linux,
        Self::Unknown,
    ];

    /// The platform of a name, in any case. All that are not known are one.
    pub fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|platform| platform.as_str().eq_ignore_ascii_case(name));
        found.unwrap_or(Self::Unknown)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MiniProgram => "MiniProgram",
            Self::Web => "Web",
            Self::Ios => "iOS",
            Self::Android => "Android",
            Self::Ipad => "iPad",
            Self::Windows => "Windows",
            Self::Mac => "Mac",
            Self::Linux => "Linux",
            Self::Unknown => "Unknown",
        }
    }
}

/// What a client says about the device that it runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub platform: Platform,
    /// The client's name for this installation, the same after a reconnect.
    pub instance: Option<String>,
}

impl Device {
    /// Takes the description from outside.
    ///
    /// # Errors
    /// [`Error::BadRequest`] when the instance is longer than 32 bytes or has other characters than
    /// letters, digits, `-` and `_`.
    pub fn parse(platform: Option<&str>, instance: Option<&str>) -> Result<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let instance = instance.filter(|instance| !instance.is_empty());
        if instance.is_some_and(|instance| instance.len() > 32 || !instance.bytes().all(legal)) {
            return Err(Error::BadRequest(
                "`instance` must have at most 32 letters, digits, - or _".to_owned(),
            ));
        }
        Ok(Self {
            platform: platform.map_or(Platform::Unknown, Platform::named),
            instance: instance.map(str::to_owned),
        })
    }

    /// The place that this device takes under a policy. Who takes it next kicks it out.
    pub fn slot(&self, policy: MultiDevice, connection_id: &str) -> String {
        match policy {
            MultiDevice::One => "*".to_owned(),
            MultiDevice::OnePerPlatform => self.platform.as_str().to_owned(),
            // No platform has a `#`, so no two devices share a slot by accident.
            MultiDevice::Many => {
                format!("{}#{}", self.platform.as_str(), self.instance.as_deref().unwrap_or(connection_id))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_policy_decides_who_shares_a_slot() {
        let phone = Device::parse(Some("MiniProgram"), Some("a")).unwrap();
        let tablet = Device::parse(Some("MiniProgram"), Some("b")).unwrap();
        let web = Device::parse(Some("Web"), None).unwrap();
        let slots = |policy| [&phone, &tablet, &web].map(|device| device.slot(policy, "id"));

        assert_eq!(slots(MultiDevice::One), ["*", "*", "*"]);
        assert_eq!(slots(MultiDevice::OnePerPlatform), ["MiniProgram", "MiniProgram", "Web"]);
        assert_eq!(slots(MultiDevice::Many), ["MiniProgram#a", "MiniProgram#b", "Web#id"]);
    }

    #[test]
    fn a_platform_that_is_not_known_is_no_slot_of_its_own() {
        let platform = |name: Option<&str>| Device::parse(name, None).unwrap().platform;
        for known in Platform::ALL {
            assert_eq!(platform(Some(known.as_str())), known);
            assert_eq!(platform(Some(&known.as_str().to_uppercase())), known);
        }
        for unknown in [None, Some(""), Some("Web2"), Some("a#b"), Some("*"), Some("鸿雁")] {
            let device = Device::parse(unknown, None).unwrap();
            assert_eq!(device.slot(MultiDevice::OnePerPlatform, "id"), "Unknown", "{unknown:?}");
        }
    }

    #[test]
    fn an_instance_is_short_and_plain() {
        assert_eq!(Device::parse(None, Some("")).unwrap().instance, None);
        let longest = "Az09-_".repeat(6)[..32].to_owned();
        assert_eq!(Device::parse(None, Some(&longest)).unwrap().instance, Some(longest));
        for bad in ["a#b", "a b", "é", &"x".repeat(33)] {
            assert!(matches!(Device::parse(Some("Web"), Some(bad)), Err(Error::BadRequest(_))), "{bad}");
        }
    }

    #[test]
    fn a_policy_has_one_of_three_names() {
        for (name, policy) in [
            ("one", MultiDevice::One),
            ("one-per-platform", MultiDevice::OnePerPlatform),
            ("many", MultiDevice::Many),
        ] {
            assert_eq!(name.parse(), Ok(policy));
        }
        assert!("two".parse::<MultiDevice>().unwrap_err().contains("use one, one-per-platform or many"));
    }
}
