//! All commands, in one list.

/// Makes [`Command`] and [`Service`] of the list of all commands, by services:
///
/// ```text
/// Service "its name in the path" {
///     Command "its name" | "an older name", "another service" / "a name there": one;
/// }
/// ```
///
/// `one`: it is about one user or conversation, and takes no more from the tables than a frame may. `many`: it names up to some
/// hundred users, and may take as much as 64 frames.
macro_rules! commands {
    ($($service:ident $path:literal { $(
        $command:ident $name:literal $(| $older:literal)* $(, $elsewhere:literal / $there:literal)?: $size:ident;
    )+ })+) => {
        /// What belongs together, as the first part of the path has it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Service {
            $(#[doc = concat!("`", $path, "`.")] $service,)+
        }

        /// What a business server can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Command {
            $($(#[doc = concat!("`", $path, "/", $name, "`.")] $command,)+)+
        }

        impl Command {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$command),+),+];

            /// The command of this name, if there is one.
            pub fn parse(service: &str, command: &str) -> Option<Self> {
                match (service, command) {
                    $($(($path, $name $(| $older)*) $(| ($elsewhere, $there))? => Some(Self::$command),)+)+
                    _ => None,
                }
            }

            /// Which service it belongs to.
            pub fn service(self) -> Service {
                match self {
                    $($(Self::$command => Service::$service,)+)+
                }
            }

            /// Service and name, as the path has them.
            pub fn path(self) -> &'static str {
                match self {
                    $($(Self::$command => concat!($path, "/", $name),)+)+
                }
            }

            /// Whether it names many users.
            pub fn is_about_many(self) -> bool {
                match self {
                    $($(Self::$command => is_many!($size),)+)+
                }
            }
        }
    };
}

macro_rules! is_many {
    (one) => {
        false
    };
    (many) => {
        true
    };
}

commands! {
    Accounts "im_open_login_svc" {
        AccountImport "account_import": one;
        MultiaccountImport "multiaccount_import": many;
        AccountCheck "account_check": many;
        AccountDelete "account_delete": many;
        Kick "kick": one;
    }
    Messages "openim" {
        QueryOnlineStatus "query_online_status" | "querystate": many;
        SendMsg "sendmsg": one;
        // Each of its messages may take as much as a frame: `actions/send_message` sees to that.
        BatchSendMsg "batchsendmsg": many;
        ImportMsg "importmsg": one;
        AdminMsgWithdraw "admin_msgwithdraw": one;
        AdminGetRoamMsg "admin_getroammsg": one;
        AdminSetMsgRead "admin_set_msg_read": one;
        GetUnreadMsgNum "get_c2c_unread_msg_num": many;
    }
    Profiles "profile" {
        PortraitGet "portrait_get": many;
        PortraitSet "portrait_set": one;
    }
    Friends "sns" {
        BlackListAdd "black_list_add": many;
        BlackListDelete "black_list_delete": many;
        BlackListGet "black_list_get": one;
        BlackListCheck "black_list_check": many;
        // There are none, and each of these is told so.
        Friends "friend_add" | "friend_import" | "friend_update" | "friend_delete" | "friend_delete_all" | "friend_check"
            | "friend_get" | "friend_get_all" | "friend_get_list" | "group_add" | "group_delete" | "group_get": one;
    }
    Contacts "recentcontact" {
        ContactsGetList "get_list": many;
        ContactsDelete "delete": one;
    }
    Groups "group_open_http_svc" {
        CreateGroup "create_group": many;
        GetGroupInfo "get_group_info": many;
        GetGroupMemberInfo "get_group_member_info": one;
        GetRoleInGroup "get_role_in_group": one;
        GetJoinedGroupList "get_joined_group_list": many;
        GetAppidGroupList "get_appid_group_list": many;
        ModifyGroupBaseInfo "modify_group_base_info": one;
        AddGroupMember "add_group_member": many;
        DeleteGroupMember "delete_group_member": many;
        ModifyGroupMemberInfo "modify_group_member_info": many;
        ForbidSendMsg "forbid_send_msg": many;
        GetGroupMutedAccount "get_group_muted_account" | "get_group_shutted_uin": one;
        ChangeGroupOwner "change_group_owner": one;
        DestroyGroup "destroy_group": one;
        SendGroupMsg "send_group_msg": one;
        SendGroupSystemNotification "send_group_system_notification": one;
        GroupMsgGetSimple "group_msg_get_simple": many;
        GroupMsgRecall "group_msg_recall": many;
        GetOnlineMemberNum "get_online_member_num": one;
        // A group's log begins here, and has no fields and counters of others. Each of these is told so.
        NotOfGroups "import_group" | "import_group_msg" | "import_group_member" | "set_unread_msg_num"
            | "delete_group_msg_by_sender" | "modify_group_msg" | "modify_group_user_info"
            | "modify_group_attr" | "clear_group_attr" | "delete_group_attr" | "update_group_counter"
            | "get_group_counter" | "delete_group_counter" | "get_group_msg_receipt"
            | "get_group_msg_receipt_detail", "group_open_attr_http_svc" / "get_group_attr": one;
    }
    Speech "openconfigsvr" {
        SetNoSpeaking "setnospeaking": one;
        GetNoSpeaking "getnospeaking": one;
    }
}
