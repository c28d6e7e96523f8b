use crate::{Error, Result};

/// How many connections a user may have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MultiDevice {
    /// One in all.
    One,
    /// One for each platform.
    #[default]
    OnePerPlatform,
    /// As many as he has instances of the client.
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

/// What a client says about the device that it runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// `Web`, `MiniProgram`, `iOS` and so on.
    pub platform: String,
    /// The client's name for this installation, the same after a reconnect.
    pub instance: Option<String>,
}

impl Device {
    /// Takes the description from outside. A client that says nothing is an unknown platform.
    ///
    /// # Errors
    /// [`Error::BadRequest`] when a name is longer than 32 bytes or has other characters than
    /// letters, digits, `-` and `_`.
    pub fn parse(platform: Option<&str>, instance: Option<&str>) -> Result<Self> {
        let name = |field: &str, text: &str| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if text.len() > 32 || !text.bytes().all(legal) {
                return Err(Error::BadRequest(format!(
                    "`{field}` must have at most 32 letters, digits, - or _"
                )));
            }
            Ok(text.to_owned())
        };
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self {
            platform: name("platform", &given(platform).unwrap_or_else(|| "Unknown".to_owned()))?,
            instance: given(instance).map(|instance| name("instance", &instance)).transpose()?,
        })
    }

    /// The place that this device takes under a policy. Whoever takes it next kicks it out.
    pub fn slot(&self, policy: MultiDevice, connection_id: &str) -> String {
        match policy {
            MultiDevice::One => "*".to_owned(),
            MultiDevice::OnePerPlatform => self.platform.clone(),
            // No platform can hold a `#`, so no two devices share a slot by accident.
            MultiDevice::Many => {
                format!("{}#{}", self.platform, self.instance.as_deref().unwrap_or(connection_id))
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
    fn a_device_name_is_short_and_plain() {
        assert_eq!(
            Device::parse(None, Some("")).unwrap(),
            Device { platform: "Unknown".to_owned(), instance: None }
        );
        assert!(Device::parse(Some("a#b"), None).is_err());
        assert!(Device::parse(Some("Web"), Some(&"x".repeat(33))).is_err());
    }
}
