//! Everything that can be refused or go wrong, each with its code and a text that says the next
//! step.

use serde::Serialize;
use thiserror::Error;

use crate::{seq::Seq, sig::UserSigError};

/// The result of everything that a caller can ask for.
pub type Result<T> = std::result::Result<T, Error>;

/// What a client is told besides code and text, to take the next step.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ErrorData {
    /// The newest number of the conversation, when `base` does not fit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sequence: Option<Seq>,
    /// When there is room for the request, in seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// One error type for all functions. Its `Display` is what the *client* is told, so it never holds
/// a detail of the cloud account; [`Error::Internal`] carries that one for the log alone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The signature of this connection is not good, or no longer.
    #[error(transparent)]
    UserSig(#[from] UserSigError),

    /// The SDKAppID in the URL is not the one of this deployment.
    #[error("this endpoint serves another SDKAppID: compare `SDKAppID` with the parameter of the deployment")]
    UnknownSdkAppId,

    /// A user ID that cannot be one.
    #[error("{field} is not a user ID: it has 1 to 32 printable ASCII characters")]
    InvalidUserId {
        /// The field that held it.
        field: &'static str,
    },

    /// The event carries no identity. The authorizer writes it, so the route is misconfigured.
    #[error("this connection has no identity: connect again through the WebSocket URL")]
    NoIdentity,

    /// Another connection has taken this device's place.
    #[error("this device is connected elsewhere: connect again if it should be here")]
    Replaced,

    /// The frame is not a JSON object, or too large to look at.
    #[error(
        "the frame is not a request: send {{\"action\":\"sendMessage\",\"requestID\":\"1\",\"data\":{{…}}}} as text ({0})"
    )]
    MalformedRequest(String),

    /// The action is none of ours.
    #[error("there is no such action: docs/protocol.md lists them")]
    UnknownAction,

    /// A field is missing, of the wrong type, or out of range.
    #[error("{0}")]
    BadRequest(String),

    /// The recipient cannot receive.
    #[error("`to` cannot receive this message: {0}")]
    InvalidRecipient(&'static str),

    /// The message itself is not one.
    #[error("the message is not valid: {0}")]
    InvalidMessage(String),

    /// The sender has sent something else under this name.
    #[error(
        "`clientID` is that of a message with another content: it must be new for every message, and the same only for a retry of it"
    )]
    ClientIdTaken,

    /// The message is too large.
    #[error("the message has {size} bytes and may have {at_most}: shorten it, or send a link to a file")]
    MessageTooLarge {
        /// The size of payload and custom data together, in bytes.
        size: usize,
        /// What it may be.
        at_most: usize,
    },

    /// The deployment keeps no media.
    #[error(
        "this deployment takes no pictures, voice, video or files: deploy it with the parameter Media=true, or send a link"
    )]
    NoMedia,

    /// There is nothing in the file.
    #[error("the file is empty: choose one that has at least one byte")]
    EmptyMedia,

    /// A picture that not every phone shows.
    #[error("a picture of this type is not taken: send jpg, png, gif, bmp or webp, or send it as a file")]
    ImageType,

    /// A picture that is too large.
    #[error("a picture may have 20 MB (20971520 bytes): make it smaller, or send it as a file")]
    ImageTooLarge,

    /// A voice message that not every phone plays.
    #[error(
        "audio of this type is not taken: send mp3, aac, m4a, wav, amr, ogg or webm, or send it as a file"
    )]
    AudioType,

    /// A voice message that is too large.
    #[error("audio may have 20 MB (20971520 bytes): make it shorter, or send it as a file")]
    AudioTooLarge,

    /// A video that is too large.
    #[error("a video may have 100 MB (104857600 bytes): make it shorter, or send a link")]
    VideoTooLarge,

    /// A video that not every phone plays.
    #[error("a video of this type is not taken: send mp4 or mov, or send it as a file")]
    VideoType,

    /// A file that is too large.
    #[error("a file may have 100 MB (104857600 bytes): make it smaller, or send a link")]
    FileTooLarge,

    /// The business server does not let the message be sent.
    #[error("the business server does not let this message be sent")]
    Refused,

    /// The business server does not let it be done in a group.
    #[error("the business server does not let this be done in this group")]
    RefusedInGroup,

    /// The same, with a code and a text of its own.
    #[error("{text}")]
    RefusedWith {
        /// 120001 to 130000; in groups, 10100 to 10200 as well.
        code: i32,
        /// What the sender is told.
        text: String,
    },

    /// The business server was called, and nothing can be made of what came of it. The text is for the log.
    #[error("the business server cannot be asked whether this may be: send it again with the same clientID")]
    BusinessServer(String),

    /// Somebody else's message is to be recalled.
    #[error("only the sender can recall a message: deleteMessage hides it from yourself")]
    NotSender,

    /// The message is older than the deployment lets it be.
    #[error("the message is too old to be recalled: deleteMessage hides it from yourself")]
    RecallTooLate,

    /// The other user wants nothing of this one.
    #[error(
        "the other user has blocked this one: nothing gets through until they take this user off their blacklist"
    )]
    Blacklisted,

    /// This user wants nothing of the other one.
    #[error(
        "this user has blocked `to`: take them off the blacklist with removeFromBlacklist, then send again"
    )]
    Blacklisting,

    /// A business server has forbidden the user to speak.
    #[error("this user may not send messages for now: their server has muted them")]
    Muted,

    /// What the connection was made with does not hold any more.
    #[error("what this user may do has changed meanwhile: connect again")]
    Outdated,

    /// A field of a profile that the user may not change.
    #[error("`{field}` is not the user's to change: leave it out, and let your server set it")]
    OperatorOnly {
        /// The field.
        field: String,
    },

    /// A user and themselves.
    #[error("`userIDList` holds the user themselves: leave them out")]
    BlacklistSelf,

    /// Nobody has ever written in it.
    #[error("there is no such conversation: it begins with its first message")]
    NoSuchConversation,

    /// So many are on top of the list already.
    #[error("a user may pin {at_most} conversations: unpin one first")]
    TooManyPins {
        /// How many there may be.
        at_most: usize,
    },

    /// A group of a kind that there is none of here.
    #[error(
        "`type` must be Private, Public or ChatRoom: an AVChatRoom or a Community is no log of messages, and is not served"
    )]
    GroupType,

    /// Nobody applies to a Work group.
    #[error("a Private group is joined by invitation: let one of its members add you")]
    WorkGroupIsJoinedByInvitation,

    /// A Work group has no admins.
    #[error("a Private group has no admins: use a Public one")]
    NoAdminsInWorkGroup,

    /// Too many changes of one group at the same time.
    #[error("this group is being changed by many at once: send the same request again")]
    GroupBusy,

    /// The rules of the group do not let them.
    #[error("this may not be done in this group: {0}")]
    NotAllowedInGroup(&'static str),

    /// An owner who wants to go.
    #[error("the owner may not quit: hand the group over with changeGroupOwner first, or dismiss it")]
    OwnerMayNotQuit,

    /// There is none of this ID, or no longer.
    #[error("there is no such group: it was never created, or it was dismissed")]
    NoSuchGroup,

    /// It has as many members as it may have.
    #[error("the group has room for {at_most} members: raise maxMemberNum, or let somebody go first")]
    GroupFull {
        /// How many it may have.
        at_most: u64,
    },

    /// An ID that cannot be one of a group.
    #[error(
        "a group ID has 1 to 48 printable ASCII characters, or is @TGS# and 12 capital letters or digits, or is one of Tencent's that a business server brings"
    )]
    InvalidGroupId,

    /// They may not speak, or nobody may.
    #[error("you may not speak in this group at this moment: you are muted, or all are")]
    MutedInGroup,

    /// Another group has it.
    #[error("this group ID is taken: choose another one")]
    GroupIdTaken,

    /// More messages than a group takes.
    #[error("this group takes 40 messages per second: send this one again in {seconds} s")]
    GroupTooFast {
        /// When there is room for this one.
        seconds: u64,
    },

    /// Somebody else was faster.
    #[error("this application was handled already, or withdrawn: there is nothing left to do")]
    ApplicationHandled,

    /// A message of a group that is not there.
    #[error("`sequence` is of no message in this group: it may have expired")]
    NoSuchGroupMessage,

    /// A message of a group that is too old.
    #[error("the message is too old to be recalled by its sender: the owner or an admin can")]
    GroupRecallTooLate,

    /// A duplicate cannot be ruled out, because `base` says too little.
    #[error(
        "`base` does not fit this conversation: load what is behind it, and if your clientID is not there, \
         send with the same clientID and `base` = lastSequence"
    )]
    BaseUnknown {
        /// The last message of the conversation.
        last: Seq,
    },

    /// Too many writers at the same time.
    #[error("the conversation is busy: send again with the same clientID")]
    Busy,

    /// The user is faster than the deployment lets them be.
    #[error("a user may send {per_second} frames per second: send this one again in {seconds} s")]
    TooManyFrames {
        /// How many they may send.
        per_second: u32,
        /// When there is room for this one.
        seconds: u64,
    },

    /// The user went on all the same, and has no connection any more.
    #[error("this user is suspended for sending far too many frames: connect again in {seconds} s")]
    Suspended {
        /// For how long.
        seconds: u64,
    },

    /// The user has written to too many others for the first time, or had to do with too many groups.
    #[error(
        "a user may open {per_hour} conversations per hour, and groups are such: send this again in {seconds} s"
    )]
    TooManyConversations {
        /// How many they may open.
        per_hour: u32,
        /// When there is room for this one.
        seconds: u64,
    },

    /// The user has uploaded too much of late.
    #[error("a user may upload {megabytes_per_day} MB per day: ask for this form again in {seconds} s")]
    TooMuchMedia {
        /// How much they may upload.
        megabytes_per_day: u32,
        /// When there is room for this one.
        seconds: u64,
    },

    /// DynamoDB or API Gateway throttles.
    #[error("too many requests: wait a second, then send the same again")]
    Throttled,

    /// What only the operator can mend. The text is for the log.
    #[error("something failed on our side: send the same again")]
    Internal(String),
}

codes! { Error or Error::UserSig(refusal) => refusal.code(), or Error::RefusedWith { code, .. } => *code;
    Error::NoMedia => 2040,
        "the deployment keeps no media",
        "deploy it with [`Media=true`](#getuploadform)";
    Error::EmptyMedia => 2108,
        "there is nothing in a file",
        "";
    Error::ImageType => 2252,
        "a picture is of a type that is not taken",
        "the text names those that are";
    Error::ImageTooLarge => 2253,
        "a picture is too large",
        "the text says how large it may be";
    Error::AudioType => 2300,
        "audio is of a type that is not taken",
        "the text names those that are";
    Error::AudioTooLarge => 2301,
        "audio is too large",
        "the text says how large it may be";
    Error::VideoTooLarge => 2351,
        "a video is too large",
        "the text says how large it may be";
    Error::VideoType => 2352,
        "a video is of a type that is not taken",
        "the text names those that are";
    Error::FileTooLarge => 2402,
        "a file is too large",
        "the text says how large it may be";
    Error::NoSuchConversation => 2500,
        "there is no such conversation, also for a status",
        "it begins with its first message";
    Error::GroupType => 2600,
        "a group is to be of a type that is not served",
        "use `Private`, `Public` or `ChatRoom`";
    Error::WorkGroupIsJoinedByInvitation => 2601,
        "somebody wants to join a Private group",
        "let one of its members add them";
    Error::NoAdminsInWorkGroup => 2682,
        "a Private group is to have an admin",
        "";
    Error::BlacklistSelf => 2742,
        "a user is to be on their own blacklist",
        "leave them out";
    Error::Replaced => 3003,
        "this device is connected elsewhere",
        "connect again if it should be here";
    Error::InvalidUserId { .. } => 7003,
        "a user ID cannot be one",
        "";
    Error::GroupBusy => 10006,
        "many change one group at once",
        "send the same request again";
    Error::NotAllowedInGroup(_) => 10007,
        "somebody is not a member of a group, or may not do this in it",
        "the text says who may";
    Error::OwnerMayNotQuit => 10009,
        "the owner wants to leave a group",
        "`changeGroupOwner` first, or `dismissGroup`";
    Error::NoSuchGroup => 10010,
        "there is no such group, or it was dismissed",
        "";
    Error::GroupFull { .. } => 10014,
        "the group is full",
        "";
    Error::InvalidGroupId => 10015,
        "a group ID cannot be one",
        "the text says what one is like";
    Error::RefusedInGroup => 10016,
        "the business server does not let it be done in a group",
        "the text says why, if it does";
    Error::MutedInGroup => 10017,
        "the sender is muted in the group, or all are, or the business server has muted the sender in all groups",
        "";
    Error::GroupIdTaken => 10021,
        "the ID of a new group is taken, perhaps by one that was dismissed",
        "choose another one";
    Error::GroupTooFast { .. } => 10023,
        "a group gets more than 40 messages per second",
        "wait for `retryAfterSeconds`, then send the same again";
    Error::ApplicationHandled => 10024,
        "an application was handled by somebody else",
        "";
    Error::NoSuchGroupMessage => 10030,
        "a message of a group is to be recalled that is not there",
        "";
    Error::GroupRecallTooLate => 10031,
        "a message of a group is too old to be recalled by its sender",
        "";
    Error::NotSender => 20002,
        "somebody else's message is to be recalled",
        "`deleteMessage` hides it from yourself";
    Error::InvalidRecipient(_) => 20003,
        "`to` is the sender",
        "";
    Error::BaseUnknown { .. } | Error::Busy => 20004,
        "`base` does not fit, or the conversation is busy",
        "with a `lastSequence`: look for your `clientID` [first](#sendmessage); without: send again with the same `clientID`";
    Error::Internal(_) => 20005,
        "something failed on the server",
        "try again with the same `clientID`";
    Error::Refused => 20006,
        "the business server does not let the message be sent",
        "";
    Error::Blacklisted | Error::Blacklisting => 20007,
        "one of the two users has the other one on the blacklist, or for a status: the user whose it is",
        "the text says which; `removeFromBlacklist`";
    Error::Muted => 20012,
        "the user's server has muted them",
        "do not send again";
    Error::RecallTooLate => 20016,
        "the message is too old to be recalled",
        "`deleteMessage` hides it from yourself";
    Error::TooManyPins { .. } => 51008,
        "50 conversations are pinned",
        "unpin one";
    Error::MalformedRequest(_) => 60003,
        "the frame is no JSON object, or has something in it that JSON does not allow",
        "";
    Error::NoIdentity => 60004,
        "the connection has no identity",
        "the API was not deployed with template.yaml";
    Error::UnknownSdkAppId => 60006,
        "another SDKAppID (in the authorizer's [metrics](operate.md#metrics); the client sees 403)",
        "";
    Error::TooManyFrames { .. }
        | Error::Suspended { .. }
        | Error::TooManyConversations { .. }
        | Error::TooMuchMedia { .. }
        | Error::Outdated
        | Error::Throttled => 60007,
        "too many requests, of this user or of all, or the connection ends because what the user may do has changed",
        "wait for `retryAfterSeconds` if `data` has them, or for a second, then send the same again";
    Error::UnknownAction => 60009,
        "there is no such action",
        "";
    Error::BadRequest(_) | Error::ClientIdTaken => 70402,
        "a field is missing, of the wrong type, there twice, or out of range; a `clientID` is that of another message",
        "the text names it";
    Error::OperatorOnly { .. } => 70403,
        "a field of the profile is not the user's to change",
        "leave it out; your server sets it";
    Error::MessageTooLarge { .. } => 80002,
        "the message is larger than `maxMessageBytes`",
        "send a link to a file";
    Error::BusinessServer(_) => 80003,
        "the business server cannot be asked whether the message may be sent",
        "send it again with the same `clientID`";
    Error::InvalidMessage(_) => 90002,
        "`type` or `payload` is wrong, has a name twice, or a NUL character",
        "the text names it";
}

impl Error {
    /// What the client needs besides the text to take the next step.
    pub fn data(&self) -> ErrorData {
        match self {
            Self::BaseUnknown { last } => ErrorData { last_sequence: Some(*last), ..ErrorData::default() },
            Self::TooManyFrames { seconds, .. }
            | Self::Suspended { seconds }
            | Self::TooManyConversations { seconds, .. }
            | Self::GroupTooFast { seconds }
            | Self::TooMuchMedia { seconds, .. } => {
                ErrorData { retry_after_seconds: Some(*seconds), ..ErrorData::default() }
            }
            _ => ErrorData::default(),
        }
    }

    /// Whether someone has to look at it: the rest is the daily life of a public endpoint.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Internal(_) | Self::Throttled | Self::NoIdentity)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_is_told_where_to_look_and_how_long_to_wait() {
        assert_eq!(json!(Error::BaseUnknown { last: Seq(7) }.data()), json!({ "lastSequence": 7 }));
        for too_fast in [
            Error::TooManyFrames { per_second: 20, seconds: 3 },
            Error::Suspended { seconds: 3 },
            Error::TooManyConversations { per_hour: 100, seconds: 3 },
            Error::TooMuchMedia { megabytes_per_day: 500, seconds: 3 },
        ] {
            assert_eq!(json!(too_fast.data()), json!({ "retryAfterSeconds": 3 }));
            assert!(too_fast.to_string().contains("in 3 s"), "{too_fast}");
        }
        assert_eq!(json!(Error::Busy.data()), json!({}), "nothing else to know is an object all the same");
    }

    #[test]
    fn what_only_an_operator_can_mend_is_told_apart_from_what_a_stranger_can_send() {
        for ours in [Error::Internal("no such table".to_owned()), Error::Throttled, Error::NoIdentity] {
            assert!(ours.is_ours(), "{ours}");
        }
        for theirs in [
            Error::UserSig(UserSigError::KeyMismatch),
            Error::MalformedRequest("it is not a JSON object".to_owned()),
            Error::TooManyFrames { per_second: 20, seconds: 1 },
            Error::Busy,
        ] {
            assert!(!theirs.is_ours(), "{theirs}");
        }
    }

    #[test]
    fn what_is_for_the_log_is_not_told_to_the_client() {
        assert!(!Error::Internal("arn:aws:dynamodb".to_owned()).to_string().contains("arn:"));
    }
}
