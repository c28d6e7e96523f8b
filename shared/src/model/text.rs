//! What a text may hold that others are shown.

/// Whether a text is one line that looks like what it says.
pub(crate) fn is_plain_line(text: &str) -> bool {
    !text.contains(is_invisible_order)
}

/// The same of a text that may have several lines.
pub(crate) fn is_plain_text(text: &str) -> bool {
    !text.contains(|c: char| c != '\n' && is_invisible_order(c))
}

/// Whether a program can show what is under a link without running it: pages and pictures from the web,
/// and files of WeChat's cloud, which `<image>` shows in a mini-program. Nothing is a link to nothing.
pub(crate) fn is_link(text: &str) -> bool {
    const SCHEMES: [&str; 3] = ["https://", "http://", "cloud://"];

    let begins_with =
        |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let is_place =
        SCHEMES.iter().find(|scheme| begins_with(scheme)).is_some_and(|scheme| text.len() > scheme.len());
    text.is_empty() || is_place && !text.contains(|c: char| c == ' ' || is_invisible_order(c))
}

/// Whether a character makes a text look like another one: it cuts the text, ends its line, or changes the
/// direction in which the rest of the line is written. Single marks between words of two directions, U+200E,
/// U+200F and U+061C, change nothing but their neighbours, and Hebrew and Arabic need them.
fn is_invisible_order(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_page_a_picture_or_a_file_and_runs_nothing() {
        for good in ["", "https://x/y.png", "HTTP://x", "cloud://env.123/a.png", "https://例子/图.png?a=b#c"]
        {
            assert!(is_link(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            " https://x",
            "https://",
            "data:image/svg+xml,<svg/>",
            "a.png",
            "//x/y.png",
            "blob:https://x",
            "wxfile://tmp/1.png",
            "file:///etc/passwd",
            "vbscript:x",
            "https:x",
            "http:/x",
            "java\nscript:x",
            "https://x\n",
            "https://x\0",
            "https://x/\u{202e}gnp.exe",
            "https://x y",
            "例",
        ] {
            assert!(!is_link(bad), "{bad}");
        }
    }

    #[test]
    fn what_turns_a_line_around_is_found_and_what_a_script_needs_is_not() {
        for bad in
            ["\0", "\n", "\u{7f}", "\u{85}", "\u{2028}", "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}"]
        {
            assert!(bad.chars().all(is_invisible_order), "{bad:?}");
        }
        for good in [
            "\u{200e}",
            "\u{200f}",
            "\u{61c}",
            "\u{200d}",
            "\u{200c}",
            "é",
            "你",
            "👩‍👩‍👧",
            "א",
            "ب",
            " ",
            "\u{3000}",
        ] {
            assert!(!good.chars().any(is_invisible_order), "{good:?}");
        }
    }

    #[test]
    fn a_line_is_one_and_a_text_may_have_several() {
        assert!(is_plain_line("one") && is_plain_text("one"));
        assert!(!is_plain_line("one\ntwo") && is_plain_text("one\ntwo"));
        for bad in ["a\tb", "a\0b", "\n\u{202e}b"] {
            assert!(!is_plain_line(bad) && !is_plain_text(bad), "{bad:?}");
        }
    }
}
