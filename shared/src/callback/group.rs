//! What is asked and told of groups.

use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{Call, Command, REST_API, UNKNOWN, after::platform_of, to_text};
use crate::{
    model::{Group, GroupId, GroupInfo, GroupType, Message, Moved, Movement, Platform, Roster, Seq, UserId},
    protocol::NewGroup,
    rest::MsgElement,
};

/// What both callbacks about a send say of the message.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Said<'a> {
    callback_command: &'static str,
    group_id: &'a GroupId,
    #[serde(rename = "Type")]
    kind: GroupType,
    #[serde(rename = "From_Account")]
    from: &'a UserId,
    #[serde(rename = "Operator_Account")]
    operator: &'a UserId,
    random: u32,
    online_only_flag: u8,
    msg_body: [MsgElement; 1],
    cloud_custom_data: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sent<'a> {
    #[serde(flatten)]
    said: Said<'a>,
    msg_seq: Seq,
    msg_time: u64,
    event_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    offline_push_info: Option<Box<RawValue>>,
}

fn said<'a>(command: Command, group: &'a Group, message: &'a Message) -> Said<'a> {
    Said {
        callback_command: command.name(),
        group_id: &group.id,
        kind: group.kind,
        from: &message.from,
        operator: &message.from,
        random: message.client_id.random(),
        online_only_flag: u8::from(message.is_online_only()),
        msg_body: MsgElement::of(&message.elem),
        cloud_custom_data: message.elem.custom_data(),
    }
}

/// The question whether this message may be sent.
pub fn before_send_in_group(group: &Group, message: &Message) -> Call {
    let command = Command::BeforeSendInGroup;
    Call { command, platform: platform_of(message), body: to_text(&said(command, group, message)) }
}

/// This message was sent.
pub fn after_send_in_group(group: &Group, message: &Message) -> Call {
    let command = Command::AfterSendInGroup;
    let push_info = message.callbacks.push_info.as_ref();
    let body = to_text(&Sent {
        said: said(command, group, message),
        msg_seq: message.seq,
        msg_time: message.time / 1000,
        event_time: message.time,
        offline_push_info: push_info.and_then(|info| RawValue::from_string(info.as_str().to_owned()).ok()),
    });
    Call { command, platform: platform_of(message), body }
}

/// This message was recalled.
pub fn after_recall_in_group(group: &Group, message: &Message) -> Call {
    let operator = message.revoked_by.as_ref().unwrap_or(&message.from);
    let mut body = Body::of(Command::AfterRecallInGroup, group);
    body.say("Operator_Account", operator);
    body.say("MsgSeqList", &json!([{ "MsgSeq": message.seq }]));
    body.call(UNKNOWN)
}

/// The question whether a user may make this group, on a device of that kind; a business server has none.
pub fn before_create(by: &UserId, new: &NewGroup, platform: Option<Platform>) -> Call {
    let mut body = Body::new(Command::BeforeCreate);
    body.say("Operator_Account", by);
    body.say("Owner_Account", &new.owner.as_ref().map_or("", UserId::as_str));
    body.say("Type", &new.kind);
    body.say("Name", &new.info.name);
    body.say("MemberList", &accounts(new.owner.iter().chain(new.members.iter().map(|(user, _)| user))));
    body.call(asking(platform))
}

/// The question whether a user may come into a group of their own accord, or apply.
pub fn before_apply(by: &UserId, group: &Group, platform: Option<Platform>) -> Call {
    let mut body = Body::of(Command::BeforeApply, group);
    body.say("Requestor_Account", by);
    body.call(asking(platform))
}

/// The question whether a user may bring these into a group.
pub fn before_invite(by: &UserId, group: &Group, users: &[UserId], platform: Option<Platform>) -> Call {
    let mut body = Body::of(Command::BeforeInvite, group);
    body.say("Operator_Account", by);
    body.say("DestinationMembers", &accounts(users));
    body.call(asking(platform))
}

/// This group was made, and these are in it by now.
pub fn after_create(group: &Group, roster: &Roster) -> Call {
    let mut body = Body::of(Command::AfterCreate, group);
    body.say("Operator_Account", &group.creator);
    body.say_whose(group);
    body.say("MemberList", &accounts(roster.members.keys()));
    body.call(UNKNOWN)
}

/// This group was dismissed, and these were in it.
pub fn after_dismiss(group: &Group, roster: &Roster) -> Call {
    let mut body = Body::of(Command::AfterDismiss, group);
    body.say_whose(group);
    body.say("MemberList", &accounts(roster.members.keys()));
    body.call(UNKNOWN)
}

/// Members have come or gone.
pub fn after_move(group: &Group, moved: &Moved) -> Call {
    let (command, how, which, list) = match moved.how {
        Movement::Applied => (Command::AfterJoin, "JoinType", "Apply", "NewMemberList"),
        Movement::Invited => (Command::AfterJoin, "JoinType", "Invited", "NewMemberList"),
        Movement::Kicked => (Command::AfterExit, "ExitType", "Kicked", "ExitMemberList"),
        Movement::Quit => (Command::AfterExit, "ExitType", "Quit", "ExitMemberList"),
    };
    let mut body = Body::of(command, group);
    body.say(how, &which);
    body.say("Operator_Account", &moved.by);
    body.say(list, &accounts(&moved.users));
    body.call(UNKNOWN)
}

/// The group has as many members as it may have.
pub fn after_full(group: &Group) -> Call {
    let mut body = Body::new(Command::AfterFull);
    body.say("GroupId", &group.id);
    body.call(UNKNOWN)
}

/// A user has let the group say something else about itself than it did.
pub fn after_describe(by: &UserId, group: &Group, before: &GroupInfo) -> Call {
    let on = |mutes_all| if mutes_all { "On" } else { "Off" };
    let mut body = Body::of(Command::AfterDescribe, group);
    body.say("Operator_Account", by);
    let GroupInfo { name, avatar, introduction, notification, join, invite, limit, mutes_all } = &group.info;
    body.say_if_new("Name", name, &before.name);
    body.say_if_new("FaceUrl", avatar, &before.avatar);
    body.say_if_new("Introduction", introduction, &before.introduction);
    body.say_if_new("Notification", notification, &before.notification);
    body.say_if_new("ApplyJoinOption", join, &before.join);
    body.say_if_new("InviteJoinOption", invite, &before.invite);
    body.say_if_new("MaxMemberNum", limit, &before.limit);
    body.say_if_new("ShutUpAllMember", on(*mutes_all), on(before.mutes_all));
    body.call(UNKNOWN)
}

/// What a call says that is no message.
struct Body {
    command: Command,
    members: Map<String, Value>,
}

impl Body {
    fn new(command: Command) -> Self {
        let mut body = Self { command, members: Map::new() };
        body.say("CallbackCommand", command.name());
        body
    }

    /// Of a group that there is.
    fn of(command: Command, group: &Group) -> Self {
        let mut body = Self::new(command);
        body.say("GroupId", &group.id);
        body.say("Type", &group.kind);
        body
    }

    fn say(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.members.insert(name.to_owned(), json!(value));
    }

    fn say_if_new<T: Serialize + PartialEq + ?Sized>(&mut self, name: &str, value: &T, before: &T) {
        if value != before {
            self.say(name, value);
        }
    }

    fn say_whose(&mut self, group: &Group) {
        self.say("Owner_Account", group.owner.as_ref().map_or("", UserId::as_str));
        self.say("Name", &group.info.name);
    }

    fn call(self, platform: &'static str) -> Call {
        Call { command: self.command, platform, body: to_text(&self.members) }
    }
}

fn accounts<'a>(users: impl IntoIterator<Item = &'a UserId>) -> Vec<Value> {
    users.into_iter().map(|user| json!({ "Member_Account": user })).collect()
}

/// What asks. A business server has no device.
fn asking(platform: Option<Platform>) -> &'static str {
    platform.map_or(REST_API, |platform| platform.as_str())
}
