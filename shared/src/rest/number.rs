use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

/// A whole number, which some programs write as text, and flags as what they are: `1`, `"1"`, `1.0` or `true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number<T>(pub T);

impl Number<i64> {
    /// Its lowest 32 bits. Some languages draw their random numbers with a sign or with 64 bits, and write milliseconds where
    /// any number will do.
    pub fn low_bits(self) -> u32 {
        u32::try_from(self.0 & i64::from(u32::MAX)).unwrap_or_default()
    }
}

impl<'de, T: TryFrom<i64>> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl Visitor<'_> for Whole {
            type Value = i64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
                Ok(number)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
                i64::try_from(number).map_err(|_| E::custom("the number is too large"))
            }

            // A language whose numbers are all fractions writes them so. Up to 2^53 none is rounded.
            #[allow(clippy::cast_possible_truncation)]
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
                match number {
                    whole if whole.fract() == 0.0 && whole.abs() <= 9_007_199_254_740_992.0 => {
                        Ok(whole as i64)
                    }
                    _ => Err(E::custom("the number is not whole")),
                }
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<i64, E> {
                Ok(flag.into())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
                text.trim().parse().map_err(|_| E::custom("the text is no whole number"))
            }
        }
        let number = deserializer.deserialize_any(Whole)?;
        T::try_from(number).map(Self).map_err(|_| de::Error::custom(format!("{number} is out of range")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_the_same_as_text(number: u32) {
            for json in [format!("{number}"), format!("\"{number}\""), format!("{number}.0"), format!("\" {number} \"")] {
                prop_assert_eq!(serde_json::from_str::<Number<u32>>(&json).unwrap(), Number(number));
            }
        }
    }

    #[test]
    fn of_a_number_that_only_has_to_be_one_32_bits_count() {
        for (number, bits) in [
            (0, 0),
            (4_294_967_295, u32::MAX),
            (4_294_967_296, 0),
            (-1, u32::MAX),
            (i64::MIN, 0),
            (i64::MAX, u32::MAX),
        ] {
            assert_eq!(Number(number).low_bits(), bits, "{number}");
        }
    }

    #[test]
    fn what_is_no_number_or_out_of_range_is_refused() {
        for json in
            ["-1", "4294967296", "\"\"", "\"a\"", "1.5", "1e300", "null", "[]", "{}", "18446744073709551615"]
        {
            assert!(serde_json::from_str::<Number<u32>>(json).is_err(), "{json}");
        }
        for (flag, number) in [("true", 1), ("false", 0)] {
            assert_eq!(serde_json::from_str::<Number<u32>>(flag).unwrap(), Number(number));
        }
        assert_eq!(serde_json::from_str::<Number<i64>>("-7").unwrap(), Number(-7));
    }
}
