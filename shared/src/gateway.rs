//! What API Gateway allows a connection, in one place for the functions, the client and the laptop twin.

/// The largest frame of a WebSocket, in bytes. Who sends a larger one is disconnected; a text may be split over
/// several.
pub const MAX_FRAME_BYTES: usize = 32 * 1024;

/// The largest payload, in bytes: what a client sends in one or several frames, a reply, a push.
pub const MAX_PAYLOAD_BYTES: usize = 128 * 1024;

/// How long a connection may be silent, in seconds.
pub const IDLE_S: u64 = 10 * 60;

/// How long a connection lasts at the most, in seconds.
pub const LIFETIME_S: u64 = 2 * 60 * 60;
