//! `openim`: what two users say to each other.

use futures_util::future::join_all;
use hongyan_shared::{
    model::{Pair, UserId},
    protocol::Sending,
    rest::{
        BatchSendMsg, Done, Error, GetRoamMsg, GetUnreadMsgNum, Import, ImportMsg, MsgKey, NotCounted,
        NotSent, Result, RoamMsg, RoamMsgs, SendMsg, SentMsg, SentMsgs, SetMsgRead, UnreadMsgNum, UnreadOf,
        WithdrawMsg,
    },
};

use super::{Event, Reply, World};
use crate::actions::{
    count_unread, get_history, import_message,
    manage_conversation::{self, Withdrawal},
    send_message, set_message_read,
};

/// How many bytes the messages of a history may have together, as Tencent has it.
const MAX_ROAM_BYTES: usize = 13 * 1024;

pub async fn sendmsg(world: &World, event: &Event) -> Result<Reply> {
    let request: SendMsg = event.data()?;
    let (pair, draft, sending) = request.parse(event.administrator.account(), world.clock.now())?;
    let actor = event.administrator.acting_for(pair.me());
    let sent = send_message::send_message(&world.send, actor, &pair, &draft, sending).await?;
    Ok(event.reply(&SentMsg::of(&sent)))
}

pub async fn batchsendmsg(world: &World, event: &Event) -> Result<Reply> {
    let request: BatchSendMsg = event.data()?;
    let (messages, sending) = request.parse_batch(event.administrator.account(), world.clock.now())?;
    let mut error_list = Vec::new();
    let mut not_sent = |to_account: &str, error: &Error| {
        let error_code = error.code(Some(event.command));
        error_list.push(NotSent { to_account: to_account.to_owned(), error_code });
    };
    let mut drafts = Vec::new();
    for (to, message) in messages {
        match message {
            Ok(draft) => drafts.push(draft),
            Err(refused) => not_sent(&to, &refused),
        }
    }
    let mut msg_key = None;
    if let Some((pair, _)) = drafts.first() {
        let actor = event.administrator.acting_for(pair.me());
        let sent = send_message::send_to_many(&world.send, actor, &drafts, sending).await;
        for ((pair, _), sent) in drafts.iter().zip(sent) {
            match sent {
                Ok(sent) => msg_key = msg_key.or_else(|| Some(MsgKey::of(&sent))),
                Err(refused) => not_sent(pair.peer().as_str(), &refused.into()),
            }
        }
    }
    Ok(event.reply(&SentMsgs { msg_key, error_list }))
}

pub async fn importmsg(world: &World, event: &Event) -> Result<Reply> {
    let request: ImportMsg = event.data()?;
    match request.parse_import(event.administrator.account(), world.clock.now())? {
        Import::History(pair, place, elem) => {
            import_message::import_message(&world.import, &pair, place, elem).await?;
        }
        Import::Live(pair, draft) => {
            let actor = event.administrator.acting_for(pair.me());
            let sending = Sending::Stored { base: None };
            send_message::send_message(&world.send, actor, &pair, &draft, sending).await?;
        }
    }
    Ok(event.reply(&Done {}))
}

pub async fn admin_msgwithdraw(world: &World, event: &Event) -> Result<Reply> {
    let request: WithdrawMsg = event.data()?;
    let (pair, key) = request.parse()?;
    let actor = event.administrator.acting_for(pair.me());
    let wrong = |code, text: &str| Err(Error::Member(code, text.to_owned()));
    match manage_conversation::withdraw_message(&world.conversations, actor, &pair, &key).await? {
        Withdrawal::Done => Ok(event.reply(&Done {})),
        Withdrawal::Before => wrong(20023, "this message was withdrawn before: there is nothing left to do"),
        Withdrawal::Absent => wrong(
            20022,
            "`From_Account` has sent `To_Account` no message of this MsgKey: take the one of the answer to sendmsg, or of admin_getroammsg",
        ),
    }
}

pub async fn admin_getroammsg(world: &World, event: &Event) -> Result<Reply> {
    let request: GetRoamMsg = event.data()?;
    let (pair, wanted) = request.parse()?;
    let Some(part) = get_history::get_history(&world.history, &pair, &wanted).await? else {
        return Err(Error::Member(
            90054,
            "`LastMsgKey` is of no message of these two: take the one of the answer before, and its LastMsgTime as MaxTime".to_owned(),
        ));
    };
    let (mut last, mut msg_list, mut room) = (None, Vec::new(), MAX_ROAM_BYTES);
    let mut is_complete = part.is_complete;
    for message in &part.messages {
        if part.shows(message) {
            let shown = RoamMsg::of(&pair, message, part.is_read(message));
            room = match room.checked_sub(shown.size()) {
                Some(left) => left,
                None if msg_list.is_empty() => 0,
                None => {
                    is_complete = false;
                    break;
                }
            };
            msg_list.push(shown);
        }
        // What the user does not see counts as well, or nobody could go on behind it.
        last = Some(MsgKey::of(message));
    }
    // The pages go back in time, and each of them forward, as Tencent has it.
    msg_list.reverse();
    Ok(event.reply(&RoamMsgs {
        complete: u8::from(is_complete),
        msg_cnt: msg_list.len(),
        last_msg_time: last.map_or(0, |key| key.second),
        last_msg_key: last.map(|key| key.to_string()).unwrap_or_default(),
        msg_list,
    }))
}

pub async fn admin_set_msg_read(world: &World, event: &Event) -> Result<Reply> {
    let request: SetMsgRead = event.data()?;
    let (pair, until) = request.parse()?;
    let actor = event.administrator.acting_for(pair.me());
    match until {
        None => set_message_read::set_message_read(&world.reading, actor, &pair, None).await?,
        Some(second) => {
            set_message_read::set_message_read_until(&world.reading, actor, &pair, second).await?
        }
    };
    Ok(event.reply(&Done {}))
}

pub async fn get_c2c_unread_msg_num(world: &World, event: &Event) -> Result<Reply> {
    let request: GetUnreadMsgNum = event.data()?;
    let (me, peers) = request.parse()?;
    let Some(peers) = peers else {
        let all = count_unread::count_all_unread(&world.unread, &me).await?;
        return Ok(event.reply(&UnreadMsgNum { all: Some(all), ..UnreadMsgNum::default() }));
    };
    let counted = peers.into_iter().map(async |peer_account| {
        let counted = count_of(world, &me, &peer_account).await;
        (peer_account, counted)
    });
    let mut answer = UnreadMsgNum::default();
    for (peer_account, counted) in join_all(counted).await {
        match counted {
            Ok(unread) => answer.list.push(UnreadOf { peer_account, unread }),
            Err(refused) => {
                let error_code = refused.code(Some(event.command));
                answer.error_list.push(NotCounted { peer_account, error_code });
            }
        }
    }
    Ok(event.reply(&answer))
}

async fn count_of(world: &World, me: &UserId, peer: &str) -> Result<u64> {
    let pair = Pair::of(me, &UserId::parse("Peer_Account", peer)?)?;
    Ok(count_unread::count_unread(&world.unread, &pair).await?)
}
