use thiserror::Error;

/// What a genuine signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// When it was issued, in Unix seconds.
    pub issued_at: u64,
    /// The last second in which it is good.
    pub expires_at: u64,
    /// The signed user data, checked but not interpreted.
    pub userbuf: Option<Vec<u8>>,
}

/// Why a signature is not taken. The codes are Tencent's, and they are tested in this order.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UserSigError {
    /// 70002: there is no text at all.
    #[error("the UserSig is empty: pass the one that your server issued")]
    Empty,
    /// 70003: it cannot be read.
    #[error("the UserSig cannot be read: {0}")]
    Malformed(&'static str),
    /// 70014: it is for another app.
    #[error("the UserSig is for another SDKAppID: issue it with the SDKAppID that you connect with")]
    SdkAppIdMismatch,
    /// 70013: it is for another user.
    #[error("the UserSig is for another user: issue it for the userID that you connect with")]
    IdentifierMismatch,
    /// 70001: its time is over.
    #[error("the UserSig has expired: ask your server for a new one and log in again")]
    Expired {
        /// The claims, when the HMAC is right: such a caller may be told the reason. A forger
        /// learns nothing.
        genuine: Option<Claims>,
    },
    /// 70003: the deployment takes none that reaches as far.
    #[error(
        "the UserSig reaches too far into the future: sign for less time, and see that your server's clock is right"
    )]
    TooFar,
    /// 70052: the user was kicked after it had been issued.
    #[error(
        "the UserSig was issued before this user was kicked: ask your server for a new one and log in again"
    )]
    Revoked,
    /// 70009: the HMAC does not match any of the keys.
    #[error("the UserSig does not match the key: does your server sign with the key of this SDKAppID?")]
    KeyMismatch,
}

codes! { UserSigError;
    UserSigError::Expired { .. } => 70001,
        "the UserSig has expired; the connection ends",
        "get a new one, connect again";
    UserSigError::Empty => 70002,
        "no UserSig (in the metrics; the client sees 403)",
        "";
    UserSigError::Malformed(_) | UserSigError::TooFar => 70003,
        "a UserSig that cannot be read, or that reaches farther than [`UserSigMaxDays`](deploy.md#5-deploy) (in the metrics; the client sees 403)",
        "was it cut off, or encoded twice?";
    UserSigError::KeyMismatch => 70009,
        "a UserSig of another key (in the metrics; the client sees 403)",
        "compare the keys of server and deployment";
    UserSigError::IdentifierMismatch => 70013,
        "a UserSig of another user (in the metrics; the client sees 403)",
        "";
    UserSigError::SdkAppIdMismatch => 70014,
        "a UserSig of another SDKAppID (in the metrics; the client sees 403)",
        "";
    UserSigError::Revoked => 70052,
        "the UserSig was issued before the user was kicked; the connection ends",
        "do not connect again without a new one";
}
