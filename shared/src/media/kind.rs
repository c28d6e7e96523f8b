use std::borrow::Cow;

use serde::Deserialize;

const MB: u64 = 1024 * 1024;

/// How many bytes a preview may have.
pub const MAX_PREVIEW_BYTES: u64 = 2 * MB;

/// What a preview is.
pub const PREVIEW: Format = Format { extension: Cow::Borrowed("jpg"), content_type: "image/jpeg" };

/// The longest extension of a file that its object keeps.
const MAX_EXTENSION: usize = 8;

/// What a message of media carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "MediaKind"))]
pub enum Kind {
    /// A picture.
    Image,
    /// A voice message.
    Audio,
    /// A video.
    Video,
    /// Anything else.
    File,
}

/// What an object is: how its key ends, and what a browser is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    extension: Cow<'static, str>,
    content_type: &'static str,
}

/// What is shown or played: the names under which it comes, of which the first is kept, and its content type. Nothing
/// that can hold a script is among them, or a picture could be a page.
const FORMATS: [(Kind, &[&str], &str); 14] = [
    (Kind::Image, &["jpg", "jpeg"], "image/jpeg"),
    (Kind::Image, &["png"], "image/png"),
    (Kind::Image, &["gif"], "image/gif"),
    (Kind::Image, &["bmp"], "image/bmp"),
    (Kind::Image, &["webp"], "image/webp"),
    (Kind::Audio, &["mp3"], "audio/mpeg"),
    (Kind::Audio, &["aac"], "audio/aac"),
    (Kind::Audio, &["m4a"], "audio/mp4"),
    (Kind::Audio, &["wav"], "audio/wav"),
    (Kind::Audio, &["amr"], "audio/amr"),
    (Kind::Audio, &["ogg"], "audio/ogg"),
    (Kind::Audio, &["webm"], "audio/webm"),
    (Kind::Video, &["mp4"], "video/mp4"),
    (Kind::Video, &["mov", "quicktime"], "video/quicktime"),
];

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Image, Self::Audio, Self::Video, Self::File];

    /// How many bytes one may have.
    pub fn max_bytes(self) -> u64 {
        match self {
            Self::Image | Self::Audio => 20 * MB,
            Self::Video | Self::File => 100 * MB,
        }
    }

    /// How many previews may be uploaded beside one: two sizes of a picture, one frame of a video.
    pub fn max_previews(self) -> usize {
        match self {
            Self::Image => 2,
            Self::Video => 1,
            Self::Audio | Self::File => 0,
        }
    }

    /// The format of a name, an extension or the second half of a MIME type, in any case. A file may be anything, and is
    /// never shown: of its name only an extension is kept, if it is short and plain. `None` for what is not on the list.
    pub fn format(self, name: &str) -> Option<Format> {
        let name = name.to_ascii_lowercase();
        if self == Self::File {
            let extension = if is_extension(&name) { name } else { String::new() };
            return Some(Format { extension: extension.into(), content_type: "application/octet-stream" });
        }
        FORMATS.iter().find(|(kind, names, _)| *kind == self && names.contains(&name.as_str())).and_then(
            |(_, names, content_type)| {
                Some(Format { extension: Cow::Borrowed(names.first()?), content_type })
            },
        )
    }
}

impl Format {
    /// How a key ends, with its dot. Nothing for a file that has no extension.
    pub(super) fn ending(&self) -> String {
        if self.extension.is_empty() { String::new() } else { format!(".{}", self.extension) }
    }

    /// What a browser is told.
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }
}

/// Whether this is an extension that a key may have.
pub(super) fn is_extension(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=MAX_EXTENSION).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_type_is_an_extension_or_half_of_a_mime_type_in_any_case() {
        for (kind, name, ending, content_type) in [
            (Kind::Image, "jpeg", ".jpg", "image/jpeg"),
            (Kind::Image, "PNG", ".png", "image/png"),
            (Kind::Audio, "Mp3", ".mp3", "audio/mpeg"),
            (Kind::Audio, "webm", ".webm", "audio/webm"),
            (Kind::Video, "quicktime", ".mov", "video/quicktime"),
            (Kind::File, "PDF", ".pdf", "application/octet-stream"),
            (Kind::File, "html", ".html", "application/octet-stream"),
            (Kind::File, "", "", "application/octet-stream"),
            (Kind::File, "../x", "", "application/octet-stream"),
            (Kind::File, "markdown", ".markdown", "application/octet-stream"),
            (Kind::File, "markdown2", "", "application/octet-stream"),
            (Kind::File, "例", "", "application/octet-stream"),
        ] {
            let format = kind.format(name).unwrap();
            assert_eq!((format.ending().as_str(), format.content_type()), (ending, content_type), "{name}");
        }
        for (kind, name) in [
            (Kind::Image, "svg"),
            (Kind::Image, "svg+xml"),
            (Kind::Image, "html"),
            (Kind::Image, "mp4"),
            (Kind::Image, ""),
            (Kind::Image, "png "),
            (Kind::Audio, "mp4"),
            (Kind::Video, "webm"),
        ] {
            assert_eq!(kind.format(name), None, "{kind:?} {name}");
        }
    }

    proptest! {
        /// Nothing that a browser would run, whatever somebody calls it.
        #[test]
        fn no_format_is_a_page(name in "\\PC{0,12}|[a-z+]{0,8}|svg\\+?(xml)?|x?html?", kind in 0_usize..4) {
            if let Some(format) = Kind::ALL[kind].format(&name) {
                let content_type = format.content_type();
                for page in ["html", "xml", "svg", "script", "text"] {
                    prop_assert!(!content_type.contains(page), "{}", content_type);
                }
                let is_shown = ["image/", "audio/", "video/"].iter().any(|top| content_type.starts_with(top));
                prop_assert_eq!(is_shown, Kind::ALL[kind] != Kind::File);
                let ending = format.ending();
                prop_assert!(ending.is_empty() || is_extension(&ending[1..]));
            }
        }
    }

    #[test]
    fn each_kind_has_its_limits() {
        let limits = Kind::ALL.map(|kind| (kind.max_bytes(), kind.max_previews()));
        assert_eq!(limits, [(20_971_520, 2), (20_971_520, 0), (104_857_600, 1), (104_857_600, 0)]);
    }
}
