//! All commands, in one list.

/// Makes [`Command`] and [`Service`] of the list of all commands, by services:
///
/// ```text
/// Service "its name in the path" {
///     Command "its name" | "an older name": one;
/// }
/// ```
///
/// `one`: it is about one user or conversation, and takes no more from the tables than a frame may. `many`: it names up to some
/// hundred users, and may take as much as 64 frames.
macro_rules! commands {
    ($($service:ident $path:literal { $($command:ident $name:literal $(| $older:literal)*: $size:ident;)+ })+) => {
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
                    $($(($path, $name $(| $older)*) => Some(Self::$command),)+)+
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
            | "friend_get" | "friend_get_list" | "group_add" | "group_delete" | "group_get": one;
    }
    Contacts "recentcontact" {
        ContactsGetList "get_list": many;
        ContactsDelete "delete": one;
    }
    Speech "openconfigsvr" {
        SetNoSpeaking "setnospeaking": one;
        GetNoSpeaking "getnospeaking": one;
    }
}
