//! JSON as a type, and what a program is told that has sent something else.

use serde::Deserialize;

/// Reads a JSON object as a type.
///
/// # Errors
/// Which member is wrong, and why: `whole` is what the object itself is called, and `what` what it is to be. At most 200
/// characters, without a place in a text that nobody can look at any more.
pub(crate) fn decode<'a, T: Deserialize<'a>>(json: &'a str, whole: &str, what: &str) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let place = match error.path().to_string() {
            path if path == "." => whole.to_owned(),
            path => format!("`{path}`"),
        };
        let why = error.inner().to_string();
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
        let mut text = format!("{place} does not fit {what}: {why}");
        if let Some((end, _)) = text.char_indices().nth(200) {
            text.truncate(end);
        }
        text
    })
}
