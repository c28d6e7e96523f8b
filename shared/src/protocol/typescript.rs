//! The types of the protocol in TypeScript, for the client.

use std::{env, fs};

use ts_rs::{Config, TS};

use super::*;
use crate::model::{AdminForbid, AllowType, ClientId, Gender, Priority, Seq, UserId};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../client/src/wire.ts");

/// On the wire these are what they wrap.
macro_rules! plain {
    ($($wrapper:ty => $inner:ty),+) => {
        $(impl TS for $wrapper {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;

            fn name(config: &Config) -> String {
                <$inner>::name(config)
            }

            fn inline(config: &Config) -> String {
                <$inner>::inline(config)
            }
        })+
    };
}

plain! { UserId => String, ClientId => String, Seq => u64 }

macro_rules! declare {
    ($config:expr; $($type:ty),+ $(,)?) => { [$(declaration::<$type>($config)),+] };
}

/// Every action, what it takes, and what it answers.
macro_rules! actions {
    ($config:expr; $($action:ident: $data:ty => $($reply:ty)|+),+ $(,)?) => {
        [$(format!(
            "  {}: {{ data: {}; reply: {} }};\n",
            stringify!($action),
            <$data>::name($config),
            [$(<$reply>::name($config)),+].join(" | "),
        )),+]
    };
}

fn declaration<T: TS>(config: &Config) -> String {
    let mut body = T::decl(config);
    if body.contains('\n') {
        body = body.replace('\n', "\n  ").replace(", };", ",\n};");
    }
    let text = format!("{}export {body}\n\n", T::docs().unwrap_or_default());
    // Comments of one line on one line, and no line that ends with a space.
    ["\n * ", "\n   * "]
        .iter()
        .fold(text, |text, star| text.replace(&format!("/**{star}"), "/** "))
        .replace("\n */", " */")
        .replace("\n   */", " */")
        .replace(" \n", "\n")
}

fn wire() -> String {
    let config = &Config::new().with_large_int("number").with_array_tuple_limit(0);
    let types = declare!(config;
        Reply, NoData, LoginReply,
        Priority, MessageControlInfo, MessageOptions, WireMessage, SendMessage, MessageReply, GetMessageList, MessagePage, MessageRange,
        RevokeMessage, DeleteMessage,
        WireConversation, GetConversationList, ConversationPage, SetMessageRead, ReadReply,
        DeleteConversation, ClearedReply, PinConversation, PinnedReply,
        UserIdList, Gender, AllowType, AdminForbid, CustomField, ProfileFields, WireProfile,
        ProfileList, ProfileReply, BlacklistReply, UserStatus, FailedUser, StatusReply, SubscriptionReply,
        Push, ReadByPeer, DeletedMessages, ConversationUpdate, KickedOut,
    );
    let actions = actions!(config;
        login: NoData => LoginReply,
        logout: NoData => NoData,
        sendMessage: SendMessage => MessageReply,
        getMessageList: GetMessageList => MessagePage | MessageRange,
        revokeMessage: RevokeMessage => MessageReply,
        deleteMessage: DeleteMessage => DeletedMessages,
        setMessageRead: SetMessageRead => ReadReply,
        getConversationList: GetConversationList => ConversationPage,
        deleteConversation: DeleteConversation => ClearedReply,
        pinConversation: PinConversation => PinnedReply,
        getUserProfile: UserIdList => ProfileList,
        updateMyProfile: ProfileFields => ProfileReply,
        getBlacklist: NoData => BlacklistReply,
        addToBlacklist: UserIdList => BlacklistReply,
        removeFromBlacklist: UserIdList => BlacklistReply,
        getUserStatus: UserIdList => StatusReply,
        subscribeUserStatus: UserIdList => SubscriptionReply,
        unsubscribeUserStatus: UserIdList => SubscriptionReply,
    );
    format!(
        "// The frames on the socket: docs/protocol.md. Generated from shared/src/protocol by `make wire`\n\
         // (UPDATE=1 cargo test -p hongyan-shared the_client_has_these_types); a test compares the two.\n\n\
         {}/** Every action, what it takes, and what it answers. */\n\
         export interface Actions {{\n{}}}\n",
        types.concat(),
        actions.concat(),
    )
}

#[test]
fn the_client_has_these_types() {
    if env::var_os("UPDATE").is_some() {
        fs::write(FILE, wire()).unwrap();
    }
    let committed = fs::read_to_string(FILE).unwrap_or_default();
    assert_eq!(committed, wire(), "client/src/wire.ts is another one: run `make wire`");
}
