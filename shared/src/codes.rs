//! Codes and what docs/protocol.md says of them, from one table for each enum of errors.

/// Makes `code` of an enum from a table, in which each variant has a code, and a code when it is given and
/// what to do about it. What has its codes from elsewhere comes before it, behind `or`.
macro_rules! codes {
    ($error:ident $(or $of_another:pat => $code_of_another:expr),*; $(
        $($variant:pat_param)|+ => $code:literal, $when:literal, $next:literal;
    )+) => {
        impl $error {
            /// The code on the wire, Tencent's wherever there is one for the case.
            pub fn code(&self) -> i32 {
                match self {
                    $($of_another => $code_of_another,)*
                    $($($variant)|+ => $code,)+
                }
            }

            /// Each code, when it is given, and what to do about it.
            #[cfg(test)]
            pub(crate) const EXPLAINED: &[(i32, &'static str, &'static str)] = &[$(($code, $when, $next)),+];
        }
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{collections::BTreeMap, env, fs};

    use crate::{Error, sig::UserSigError};

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
    const HEADING: &str = "## Codes\n\n";

    fn table() -> String {
        let rows: BTreeMap<_, _> =
            Error::EXPLAINED.iter().chain(UserSigError::EXPLAINED).map(|row| (row.0, row)).collect();
        assert_eq!(rows.len(), Error::EXPLAINED.len() + UserSigError::EXPLAINED.len(), "a code has one row");
        let mut table = "| code | when | what to do |\n|---|---|---|\n| 0 | it is done | |\n".to_owned();
        for (code, when, next) in rows.into_values() {
            table += &format!("| {code} | {when} | {next} |\n").replace("|  |", "| |");
        }
        table
    }

    #[test]
    fn the_protocol_explains_these_codes() {
        let text = fs::read_to_string(FILE).unwrap();
        let (before, codes) = text.split_once(HEADING).unwrap();
        if env::var_os("UPDATE").is_some() {
            let after = codes.split_once("\n\n").map(|(_, after)| format!("\n{after}")).unwrap_or_default();
            fs::write(FILE, format!("{before}{HEADING}{}{after}", table())).unwrap();
        }
        let text = fs::read_to_string(FILE).unwrap();
        let (_, codes) = text.split_once(HEADING).unwrap();
        let codes: String = codes.split_inclusive('\n').take_while(|line| line.starts_with('|')).collect();
        assert_eq!(codes, table(), "docs/protocol.md has other codes: run `make wire`");
    }
}
