use aws_sdk_dynamodb::{
    Client,
    types::{ReturnConsumedCapacity, TransactWriteItem},
};
use hongyan_shared::{
    Error, Result,
    model::{ClientId, Group, Member, Moved, Promised, ReadMarker, RemindType, Role, Seq, UserId},
};

use super::{
    allowance,
    call::{NotMade, not_made},
    messages::{Fence, GROUP_BYTES, change_of_members, creation},
    my_groups::MyRows,
    rosters::MemberRows,
};
use crate::config::{Config, Configured};

/// The way to change who is in a group and what they are: the rows of the members in two tables, and that of the group, which
/// counts them, in one transaction. It is conditional on the version that the change was allowed by.
pub struct GroupChanges {
    client: Client,
    messages: String,
    groups: String,
    conversations: String,
}

/// What becomes of one member.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// They come, have read up to there, and see what is behind `joined`.
    Join {
        /// Who.
        user: UserId,
        /// As what.
        member: Member,
        /// Up to which message nothing is shown to them.
        joined: Seq,
        /// Up to where nothing is unread to them.
        marker: ReadMarker,
    },
    /// They go, being this.
    Leave {
        /// Who.
        user: UserId,
        /// What they are.
        role: Role,
    },
    /// They are this from now on.
    Update {
        /// Who.
        user: UserId,
        /// What.
        member: Member,
        /// Whether it shows in what they have of the group.
        shows: bool,
    },
    /// They want to hear this from now on.
    SetRemind {
        /// Who.
        user: UserId,
        /// What.
        remind: RemindType,
    },
    /// Their application is over.
    Accept {
        /// Who.
        user: UserId,
        /// Which of theirs.
        token: String,
    },
}

/// A change of a group's members.
pub struct MembersChange<'a> {
    /// The group as it was read.
    pub group: &'a Group,
    /// Others may have come or gone meanwhile.
    pub is_free: bool,
    /// Whose the group is then, if that changes.
    pub owner: Option<Option<&'a UserId>>,
    /// How many of those with whom it was made have not come yet then, if that changes.
    pub awaited: Option<u64>,
    /// The tip that is promised with it.
    pub promised: Option<(&'a ClientId, &'a Promised)>,
    /// What becomes of whom.
    pub steps: Vec<Step>,
    /// Who has come or gone by it, if a business server is told of that.
    pub moved: Option<Moved>,
}

/// A transaction prepares each of its writes, and then makes it.
const PER_WRITE: u64 = 2;

impl GroupChanges {
    /// The tables of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            client: config.dynamodb.clone(),
            messages: config.messages_table()?,
            groups: config.groups_table()?,
            conversations: config.conversations_table()?,
        })
    }

    /// Makes a group with its first members. Says whether it took place: not if there is one of its ID, or something else is written at
    /// this moment.
    pub async fn create(&self, group: &Group, steps: &[Step], now_ms: u64) -> Result<bool> {
        let put = creation(&self.messages, group)?;
        let bytes = allowance::size(put.item());
        let group_row = TransactWriteItem::builder().put(put).build();
        self.transact(group, (group_row, bytes), steps, now_ms).await
    }

    /// Makes a change. Says whether it took place: not if the group is another one by now, or something else is written at this moment.
    ///
    /// # Errors
    /// [`Error::ApplicationHandled`] when the application is not there any more that it accepts.
    pub async fn change(&self, change: &MembersChange<'_>, now_ms: u64) -> Result<bool> {
        let count = |is: fn(&Step) -> bool| change.steps.iter().filter(|step| is(step)).count() as u64;
        let come = count(|step| matches!(step, Step::Join { .. }));
        let gone = count(|step| matches!(step, Step::Leave { .. }));
        let fence = if change.is_free { Fence::Open } else { Fence::Closed };
        let update = change_of_members(
            &self.messages,
            change.group,
            fence,
            (come, gone),
            (change.owner, change.awaited),
            (change.promised, change.moved.as_ref()),
        )?;
        let group_row = TransactWriteItem::builder().update(update).build();
        self.transact(change.group, (group_row, GROUP_BYTES), &change.steps, now_ms).await
    }

    async fn transact(
        &self,
        group: &Group,
        (group_row, group_bytes): (TransactWriteItem, u64),
        steps: &[Step],
        now_ms: u64,
    ) -> Result<bool> {
        let roster = MemberRows { table: &self.groups, group: &group.id };
        let mine = MyRows { table: &self.conversations, group: &group.id };
        let (mut writes, item) = (vec![group_row], TransactWriteItem::builder);
        let mut of_application = None;
        for step in steps {
            match step {
                Step::Join { user, member, joined, marker } => {
                    writes.push(item().put(roster.put(user, member)?).build());
                    writes.push(item().put(mine.put(user, member, *joined, marker, now_ms)?).build());
                }
                Step::Leave { user, role } => {
                    writes.push(item().delete(roster.delete(user, *role)?).build());
                    writes.push(item().delete(mine.delete(user)?).build());
                }
                Step::Update { user, member, shows } => {
                    writes.push(item().update(roster.update(user, member)?).build());
                    if *shows {
                        writes.push(item().update(mine.update(user, member)?).build());
                    }
                }
                Step::SetRemind { user, remind } => {
                    writes.push(item().update(roster.set_remind(user, *remind)?).build());
                    writes.push(item().update(mine.set_remind(user, *remind)?).build());
                }
                Step::Accept { user, token } => {
                    of_application = Some(writes.len());
                    writes.push(item().delete(roster.delete_application(user, token)?).build());
                }
            }
        }
        let rows = writes.len() as u64 - 1;
        let units = PER_WRITE.saturating_mul(rows.saturating_add(allowance::write_units_of(group_bytes)));
        let writing = allowance::write(units)?;
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match answer {
            Ok(output) => {
                writing.cost(output.consumed_capacity());
                Ok(true)
            }
            Err(error) => {
                let not_made = not_made(error);
                if !matches!(not_made, NotMade::Failed(_)) {
                    writing.cost_units(PER_WRITE.saturating_mul(rows.saturating_add(1)));
                }
                match not_made {
                    NotMade::Conditions(refused)
                        if of_application.is_some_and(|place| refused.contains(&place)) =>
                    {
                        Err(Error::ApplicationHandled)
                    }
                    NotMade::Conditions(_) | NotMade::Busy => Ok(false),
                    NotMade::Failed(error) => Err(error),
                }
            }
        }
    }
}
