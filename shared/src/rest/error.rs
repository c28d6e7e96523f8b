//! What a business server is refused, each with Tencent's code and a text that says the next step.

use thiserror::Error as ThisError;

use super::{Command, Service};
use crate::sig::UserSigError;

/// The result of a command.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a command was not done. Its `Display` is what the business server is told.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// It is no request of this API.
    #[error("this is no command: send it with POST to /v4/{{service}}/{{command}}, as docs/rest.md shows")]
    Url,
    /// The body is not JSON.
    #[error("the body is not a JSON object in UTF-8: {0}")]
    Json(String),
    /// There is no app.
    #[error("the URL names no app: add sdkappid={{your SDKAppID}} to the query")]
    NoSdkAppId,
    /// The app is another one.
    #[error("this endpoint serves another SDKAppID: compare `sdkappid` with the parameter of the deployment")]
    OtherSdkAppId,
    /// Nobody asks.
    #[error("the URL does not say who asks: add identifier={{an administrator}} to the query")]
    NoIdentifier,
    /// Who asks is a user like any other.
    #[error(
        "`identifier` is no administrator: the parameter Administrators of the deployment names those who are"
    )]
    NotAdministrator,
    /// The signature of who asks.
    #[error(transparent)]
    UserSig(#[from] UserSigError),
    /// There is no such command.
    #[error("there is no such command: docs/rest.md lists them")]
    UnknownCommand,
    /// A member of the body is missing, of the wrong type or out of range.
    #[error("{0}")]
    Parameter(String),
    /// The same, where it has a code of its own.
    #[error("{1}")]
    Member(i32, String),
    /// Nobody has ever been called so here.
    #[error("there is no account `{0}`: import it with account_import, or let the user log in once")]
    NoSuchUser(String),
    /// A tag that no profile has.
    #[error(
        "there is no `{0}` in a profile: docs/rest.md lists the tags, and your own begin with Tag_Profile_Custom_"
    )]
    NoSuchTag(String),
    /// Friends, which there are none of.
    #[error(
        "there are no friends here: everybody may write to everybody who has not blocked them, and black_list_add blocks"
    )]
    NoFriends,
    /// What groups have elsewhere, and not here.
    #[error(
        "groups have nothing of the kind here: their messages begin with their creation, and they have no attributes, counters or receipts"
    )]
    NotOfGroups,
    /// It has begun, and takes longer than anybody waits.
    #[error("this is not all done yet: send the same again, until it is")]
    Unfinished,
    /// What the action says.
    #[error("{0}")]
    Action(crate::Error),
}

impl From<crate::Error> for Error {
    fn from(refused: crate::Error) -> Self {
        match refused {
            crate::Error::UserSig(refused) => Self::UserSig(refused),
            crate::Error::BadRequest(text) => Self::Parameter(text),
            refused @ crate::Error::InvalidUserId { .. } => Self::Parameter(refused.to_string()),
            refused => Self::Action(refused),
        }
    }
}

/// How a service calls what may go wrong with any of its commands.
pub(super) struct Codes {
    pub parameter: i32,
    pub no_such_user: i32,
    pub internal: i32,
}

impl Service {
    /// Whether its answers have `ErrorDisplay`.
    pub(super) fn has_error_display(self) -> bool {
        matches!(self, Self::Profiles | Self::Friends | Self::Contacts)
    }

    pub(super) fn codes(self) -> Codes {
        let (parameter, no_such_user, internal) = match self {
            Self::Accounts | Self::Speech => (70402, 70107, 70500),
            Self::Messages => (90001, 90048, 91000),
            Self::Profiles => (40001, 40003, 40006),
            Self::Friends => (30001, 30003, 30006),
            Self::Groups => (10004, 10019, 10002),
            Self::Contacts => (50002, 50001, 50004),
        };
        Codes { parameter, no_such_user, internal }
    }
}

impl Error {
    /// The code on the wire, Tencent's for this service. Without a command it is the one of the API as a whole.
    pub fn code(&self, command: Option<Command>) -> i32 {
        let service = command.map(|command| command.service().codes());
        match self {
            Self::Url => 60002,
            Self::Json(_) => 60003,
            Self::NoIdentifier => 60004,
            Self::OtherSdkAppId => 60006,
            Self::UnknownCommand => 60009,
            Self::NotAdministrator => 60010,
            Self::NoSdkAppId => 60012,
            Self::UserSig(refused) => refused.code(),
            Self::NoSuchTag(_) => 40009,
            Self::NoFriends | Self::NotOfGroups => 60009,
            Self::Unfinished => 70169,
            Self::Parameter(_) => service.map_or(60003, |codes| codes.parameter),
            Self::NoSuchUser(_) => service.map_or(60004, |codes| codes.no_such_user),
            Self::Member(code, _) => *code,
            Self::Action(crate::Error::InvalidMessage(_)) => 90010,
            Self::Action(crate::Error::InvalidRecipient(_)) => 90012,
            Self::Action(crate::Error::Internal(_)) => service.map_or(60008, |codes| codes.internal),
            Self::Action(refused) => refused.code(),
        }
    }

    /// The status of the answer. Libraries repeat a request whose status is not 200, so that is for what may be repeated.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unfinished
            | Self::Action(
                crate::Error::Throttled
                | crate::Error::Busy
                | crate::Error::GroupBusy
                | crate::Error::GroupTooFast { .. },
            ) => 429,
            Self::Action(crate::Error::Internal(_)) => 500,
            _ => 200,
        }
    }

    /// Whether someone has to look at it.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Action(refused) if refused.is_ours())
    }
}
