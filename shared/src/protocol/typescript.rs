//! The types of the protocol in TypeScript, for the client.

use std::{env, fs};

use ts_rs::{Config, TS};

use super::*;
use crate::{
    error::ErrorData,
    media::Kind,
    model::{
        AdminForbid, AllowType, ClientId, Gender, GroupId, GroupType, InviteOption, JoinOption, Priority,
        RemindType, Role, Seq, UserId,
    },
};

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

plain! { UserId => String, ClientId => String, GroupId => String, Seq => u64 }

macro_rules! declare {
    ($config:expr; $($type:ty),+ $(,)?) => { [$(declaration::<$type>($config)),+] };
}

/// What the actions take and answer, and the members of `Actions`.
macro_rules! of_actions {
    ($($function:ident $binary:literal { $(
        $action:ident $name:literal: $request:ty => $($reply:ty)|+ $(, one_way: $one_way:literal)?;
    )+ })+) => {
        fn of_actions(config: &Config) -> (Vec<String>, Vec<String>) {
            let types = vec![$($(declaration::<$request>(config), $(declaration::<$reply>(config)),+),+),+];
            let members = vec![$($(format!(
                "  {}: {{ data: {}; reply: {} }};\n",
                $name,
                <$request>::name(config),
                [$(<$reply>::name(config)),+].join(" | "),
            )),+),+];
            (types, members)
        }
    };
}

crate::actions!(of_actions);

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
    let mut types = vec![];
    let parts = declare!(config;
        Reply, ErrorData, Priority, MessageControlInfo, MessageOptions, WireMessage, WireConversation,
        Gender, AllowType, AdminForbid, CustomField, ProfileFields, WireProfile, UserStatus, FailedUser,
        GroupType, Role, JoinOption, InviteOption, RemindType, FirstMember, WireGroup, SelfInfo, WireMember,
        FailedGroup, JoinStatus, WireApplication, WireNotice, GroupAtInfo, RangeOf, RangeInConversation, Kind, PreviewForm, Push, ReadByPeer, MessageName, DeletedMessages, ConversationUpdate, KickedOut,
    );
    let (of_actions, members) = of_actions(config);
    for declaration in parts.into_iter().chain(of_actions) {
        if !types.contains(&declaration) {
            types.push(declaration);
        }
    }
    format!(
        "// The frames on the socket: docs/protocol.md. Generated from shared/src/protocol by `make wire`\n\
         // (UPDATE=1 cargo test -p hongyan-shared); a test compares the two.\n\n\
         /** The largest frame that API Gateway takes, in bytes. */\n\
         export const MAX_FRAME_BYTES = {};\n\n\
         {}/** Every action, what it takes, and what it answers. */\n\
         export interface Actions {{\n{}}}\n",
        gateway::MAX_FRAME_BYTES,
        types.concat(),
        members.concat(),
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
