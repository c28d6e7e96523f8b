//! Numbers that nobody can guess.

use std::sync::Arc;

/// A number below another one. Tests bring their own.
#[derive(Clone)]
pub struct Random(Arc<dyn Fn(u64) -> u64 + Send + Sync>);

impl Random {
    /// Numbers that are drawn like this.
    pub fn new(draw: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(draw))
    }

    /// This machine's, which begin with what the system has gathered, and which keys may be made of.
    pub fn system() -> Self {
        Self::new(|below| rand::random_range(0..below))
    }

    /// A number below this one, which is not 0.
    pub fn below(&self, number: u64) -> u64 {
        (self.0)(number)
    }
}
