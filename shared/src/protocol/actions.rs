//! All actions, in one list. Whatever has to know each of them is made from it: [`Action`], the enum of
//! what a function serves, the functions themselves, the client's types, and the tests that look for what
//! is missing.

/// Hands the list of all actions to a macro, by the functions that serve them:
///
/// ```text
/// function "its binary" {
///     Action "its name on the wire": request => reply | another reply;
/// }
/// ```
///
/// `one_way: true` says that the route has no route response in the template. API Gateway sends an empty
/// frame for an empty response, so a route that is often silent is better off without; its replies go through
/// `@connections`.
///
/// `connect` serves `$connect` besides. The functions of `$disconnect` and `$default` serve no action.
#[macro_export]
macro_rules! actions {
    ($then:ident) => {
        $then! {
            connect "connect" {
                Login "login": Login => LoginReply;
            }
            logout "logout" {
                Logout "logout": NoData => NoData;
            }
            send_message "send-message" {
                SendMessage "sendMessage": SendMessage => MessageReply;
            }
            get_message_list "get-message-list" {
                GetMessageList "getMessageList": GetMessageList => MessagePage | MessageRange | MessageRanges;
            }
            set_message_read "set-message-read" {
                SetMessageRead "setMessageRead": SetMessageRead => ReadReply, one_way: true;
            }
            get_conversation_list "get-conversation-list" {
                GetConversationList "getConversationList": GetConversationList => ConversationPage;
            }
            get_upload_form "get-upload-form" {
                GetUploadForm "getUploadForm": GetUploadForm => UploadFormReply;
            }
            manage_conversation "manage-conversation" {
                RevokeMessage "revokeMessage": RevokeMessage => MessageReply;
                DeleteMessage "deleteMessage": DeleteMessage => DeletedMessages;
                DeleteConversation "deleteConversation": DeleteConversation => ClearedReply;
                PinConversation "pinConversation": PinConversation => PinnedReply;
            }
            manage_group "manage-group" {
                CreateGroup "createGroup": CreateGroup => GroupReply;
                JoinGroup "joinGroup": JoinGroup => JoinReply;
                QuitGroup "quitGroup": QuitGroup => NoData;
                DismissGroup "dismissGroup": DismissGroup => NoData;
                AddGroupMember "addGroupMember": ChangeGroupMembers => AddedMembers;
                DeleteGroupMember "deleteGroupMember": ChangeGroupMembers => RemovedMembers;
                GetGroupProfile "getGroupProfile": GetGroupProfile => GroupList;
                UpdateGroupProfile "updateGroupProfile": UpdateGroupProfile => GroupReply;
                GetGroupMemberList "getGroupMemberList": GetGroupMemberList => MemberList;
                GetGroupMemberProfile "getGroupMemberProfile": GetGroupMemberProfile => MemberProfiles;
                SetGroupMember "setGroupMember": SetGroupMember => MemberReply;
                ChangeGroupOwner "changeGroupOwner": ChangeGroupOwner => GroupReply;
                HandleGroupApplication "handleGroupApplication": HandleGroupApplication => GroupReply;
                GetGroupApplicationList "getGroupApplicationList": GetGroupApplicationList => ApplicationList;
            }
            manage_user "manage-user" {
                GetUserProfile "getUserProfile": UserIdList => ProfileList;
                UpdateMyProfile "updateMyProfile": ProfileFields => ProfileReply;
                GetBlacklist "getBlacklist": NoData => BlacklistReply;
                AddToBlacklist "addToBlacklist": UserIdList => BlacklistReply;
                RemoveFromBlacklist "removeFromBlacklist": UserIdList => BlacklistReply;
                GetUserStatus "getUserStatus": UserIdList => StatusReply;
                SubscribeUserStatus "subscribeUserStatus": UserIdList => SubscriptionReply;
                UnsubscribeUserStatus "unsubscribeUserStatus": UserIdList => SubscriptionReply;
            }
        }
    };
}

macro_rules! or_false {
    () => {
        false
    };
    ($value:literal) => {
        $value
    };
}

macro_rules! define {
    ($($function:ident $binary:literal { $(
        $action:ident $name:literal: $request:ty => $($reply:ty)|+ $(, one_way: $one_way:literal)?;
    )+ })+) => {
        /// What a client can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {
            $($(
                #[doc = concat!("`", $name, "`, which `", $binary, "` serves.")]
                $action,
            )+)+
        }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$action),+),+];

            /// The name on the wire, which is the route key as well.
            pub fn name(self) -> &'static str {
                match self {
                    $($(Self::$action => $name,)+)+
                }
            }

            /// The action of this name, if there is one.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.name() == name)
            }

            /// The function that serves it, by the name of its binary.
            pub fn function(self) -> &'static str {
                match self {
                    $($(Self::$action => $binary,)+)+
                }
            }

            /// Whether its route has no route response: see [`actions!`](crate::actions).
            pub fn is_one_way(self) -> bool {
                match self {
                    $($(Self::$action => or_false!($($one_way)?),)+)+
                }
            }
        }

        $(
            #[doc = concat!("What the function `", $binary, "` serves.")]
            pub mod $function {
                #[doc = concat!("An action of `", $binary, "`.")]
                #[derive(Debug, Clone, Copy, PartialEq, Eq)]
                pub enum Served {
                    $(
                        #[doc = concat!("`", $name, "`.")]
                        $action,
                    )+
                }

                impl Served {
                    /// The one behind a route key, if the function serves it.
                    pub fn behind(route_key: &str) -> Option<Self> {
                        match route_key {
                            $($name => Some(Self::$action),)+
                            _ => None,
                        }
                    }
                }
            }
        )+
    };
}

actions!(define);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_found_by_its_name_and_by_no_other() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.name()), Some(*action));
        }
        for other in ["", "sendmessage", "$connect", "ping"] {
            assert_eq!(Action::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_function_serves_its_actions_and_no_other() {
        use manage_conversation::Served;

        let served = |key: &str| Served::behind(key).is_some();
        for action in Action::ALL {
            assert_eq!(served(action.name()), action.function() == "manage-conversation", "{action:?}");
        }
        assert_eq!(Served::behind("pinConversation"), Some(Served::PinConversation));
    }

    #[test]
    fn one_action_has_no_route_response() {
        let one_way: Vec<_> = Action::ALL.iter().filter(|action| action.is_one_way()).collect();
        assert_eq!(one_way, [&Action::SetMessageRead]);
    }
}
