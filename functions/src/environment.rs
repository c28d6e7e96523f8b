//! The environment of a function, and what is wrong with it.

/// Reads a variable of an environment.
pub type Variables = Box<dyn Fn(&'static str) -> Option<String> + Send + Sync>;

/// The function was deployed without something that it needs.
#[derive(Debug, thiserror::Error)]
pub enum Misconfigured {
    /// An environment variable is missing.
    #[error(
        "the environment variable {0} is not set: template.yaml sets it for every function that needs it"
    )]
    Missing(&'static str),
    /// An environment variable holds nonsense.
    #[error("the environment variable {name} is wrong: {why}")]
    Wrong {
        /// Which.
        name: &'static str,
        /// Why.
        why: String,
    },
    /// `sam local invoke` runs it, with the credentials of an account and nothing that says where else to go.
    #[error(
        "on a laptop this would use your AWS account: say where a twin is, with `--env-vars local/env-vars.json`"
    )]
    WouldUseAnAccount,
}

/// What is built from a configuration, unless something in it is missing or wrong.
pub type Configured<T> = Result<T, Misconfigured>;

/// A variable of the process.
pub(crate) fn variable(name: &'static str) -> Configured<String> {
    text(name, |name| std::env::var(name).ok())
}

/// A variable of an environment. An empty one is none.
pub(crate) fn text(
    name: &'static str,
    variables: impl Fn(&'static str) -> Option<String>,
) -> Configured<String> {
    variables(name).filter(|value| !value.is_empty()).ok_or(Misconfigured::Missing(name))
}
