//! What one frame may take from the tables, whatever is in them: 64 read units and 64 write units. A command of a business
//! server may take as much, and one that names many users as much as 64 frames.
//!
//! Every call takes from it, before it is made, what it can cost at the worst, and gives back what it
//! has not cost. So a limit that fits the largest rows is no limit for the usual ones: they leave room
//! for further calls.
//!
//! **Architecture invariant:** no call of a table is made that has not been taken from here.

use std::{cell::Cell, future::Future};

use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity};
use hongyan_shared::{Error, Result};

use super::item::Item;

/// How many read units one frame may take.
pub const READ_UNITS: u64 = 64;

/// How many write units.
pub const WRITE_UNITS: u64 = 64;

/// How many of them are kept for counting the frame, which is done beside handling it.
pub const COUNTING_UNITS: u64 = 2;

/// How much a command about many users may take, of either.
pub const MANY_UNITS: u64 = 64 * 64;

/// What a read unit reads.
const READ_BYTES: u64 = 4096;

/// What a write unit writes.
const WRITE_BYTES: u64 = 1024;

/// What a read may miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// What was written in the last second, for half the price.
    Eventual,
    /// Nothing.
    Strong,
}

tokio::task_local! {
    static ALLOWANCE: Allowance;
}

/// What is left.
struct Allowance {
    /// Half read units, because that is what an eventually consistent read of 4 KB costs.
    halves: Cell<u64>,
    write_units: Cell<u64>,
}

/// Handles a frame, with all that one may take but for counting it.
pub async fn one_frame<T>(handling: impl Future<Output = T>) -> T {
    let allowance =
        Allowance { halves: Cell::new(2 * READ_UNITS), write_units: Cell::new(WRITE_UNITS - COUNTING_UNITS) };
    ALLOWANCE.scope(allowance, handling).await
}

/// Does a command of a business server, with all that it may take.
pub async fn one_command<T>(is_about_many: bool, doing: impl Future<Output = T>) -> T {
    let (reads, writes) = if is_about_many { (MANY_UNITS, MANY_UNITS) } else { (READ_UNITS, WRITE_UNITS) };
    let allowance = Allowance { halves: Cell::new(2 * reads), write_units: Cell::new(writes) };
    ALLOWANCE.scope(allowance, doing).await
}

/// Lets the frame look up besides who of so many members of a group is connected: half a read unit for each, because that is
/// what one message in a group of so many costs.
pub fn also_look_up(users: usize) {
    give_back(|allowance| &allowance.halves, users as u64);
}

/// What has been taken for a read.
#[must_use]
pub(super) struct Reading {
    halves: u64,
}

/// What has been taken for a write.
#[must_use]
pub(super) struct Writing {
    units: u64,
}

/// Takes what reading so many bytes costs.
///
/// # Errors
/// [`Error::Throttled`] when that is more than is left.
pub(super) fn read(bytes: u64, consistency: Consistency) -> Result<Reading> {
    read_each(1, bytes, consistency)
}

/// Takes what reading so many items by their keys costs, each of so many bytes.
///
/// # Errors
/// [`Error::Throttled`] when that is more than is left.
pub(super) fn read_each(items: usize, bytes: u64, consistency: Consistency) -> Result<Reading> {
    let halves = halves_of(bytes, consistency).saturating_mul(items as u64);
    take(|allowance| &allowance.halves, halves)?;
    Ok(Reading { halves })
}

/// Takes so many write units.
///
/// # Errors
/// [`Error::Throttled`] when that is more than is left.
pub(super) fn write(units: u64) -> Result<Writing> {
    take(|allowance| &allowance.write_units, units)?;
    Ok(Writing { units })
}

/// How many read units are left, and a half does not count.
pub fn read_units_left() -> u64 {
    ALLOWANCE.try_with(|allowance| allowance.halves.get() / 2).unwrap_or(READ_UNITS)
}

/// How many read units, halves rounded up, reading so many bytes costs.
pub(super) fn read_units_of(bytes: u64, consistency: Consistency) -> u64 {
    halves_of(bytes, consistency).div_ceil(2)
}

/// How many write units are left.
pub fn write_units_left() -> u64 {
    ALLOWANCE.try_with(|allowance| allowance.write_units.get()).unwrap_or(WRITE_UNITS)
}

/// How many rows of this size can be read by one query, if so many units are to be left for what
/// comes after it.
pub(super) fn rows(row_bytes: u64, consistency: Consistency, units_kept: u64) -> usize {
    let units = read_units_left().saturating_sub(units_kept);
    let bytes = units.saturating_mul(READ_BYTES).saturating_mul(match consistency {
        Consistency::Eventual => 2,
        Consistency::Strong => 1,
    });
    usize::try_from(bytes / row_bytes).unwrap_or(usize::MAX)
}

/// How many reads of so many bytes each can be made, if so many bytes are to be left.
pub(super) fn times(bytes: u64, consistency: Consistency, bytes_kept: u64) -> usize {
    let halves = 2 * read_units_left();
    let halves = halves.saturating_sub(halves_of(bytes_kept, consistency));
    usize::try_from(halves / halves_of(bytes, consistency)).unwrap_or(usize::MAX)
}

/// How many write units an item of so many bytes costs.
pub(super) fn write_units_of(bytes: u64) -> u64 {
    bytes.div_ceil(WRITE_BYTES).max(1)
}

/// How many bytes an item has, at most.
pub(super) fn size(item: &Item) -> u64 {
    item.iter().map(|(name, value)| length(name).saturating_add(size_of(value))).sum()
}

impl Reading {
    /// Gives back what the read has not cost. One that has failed has cost what was taken.
    pub(super) fn cost<'a>(self, consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        let cost = units_of(consumed).map_or(self.halves, |units| ceil(units * 2.0));
        give_back(|allowance| &allowance.halves, self.halves.saturating_sub(cost));
    }

    /// Gives back all of it: the read was not made.
    pub(super) fn cost_nothing(self) {
        give_back(|allowance| &allowance.halves, self.halves);
    }
}

impl Writing {
    /// Gives back what the write has not cost. One that has failed has cost what was taken.
    pub(super) fn cost<'a>(self, consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        let cost = units_of(consumed).map_or(self.units, ceil);
        self.cost_units(cost);
    }

    /// As [`Writing::cost`], where DynamoDB does not say: it does not when it refuses.
    pub(super) fn cost_units(self, cost: u64) {
        give_back(|allowance| &allowance.write_units, self.units.saturating_sub(cost));
    }
}

fn halves_of(bytes: u64, consistency: Consistency) -> u64 {
    let blocks = bytes.div_ceil(READ_BYTES).max(1);
    match consistency {
        Consistency::Eventual => blocks,
        Consistency::Strong => blocks.saturating_mul(2),
    }
}

/// Outside of a frame nothing is counted: a test looks into the tables.
fn take(which: impl Fn(&Allowance) -> &Cell<u64>, amount: u64) -> Result<()> {
    let taken = ALLOWANCE.try_with(|allowance| {
        let cell = which(allowance);
        let left = cell.get().checked_sub(amount);
        left.map(|left| cell.set(left))
    });
    match taken {
        Ok(None) => Err(Error::Throttled),
        Ok(Some(())) | Err(_) => Ok(()),
    }
}

fn give_back(which: impl Fn(&Allowance) -> &Cell<u64>, amount: u64) {
    let _ = ALLOWANCE.try_with(|allowance| {
        let cell = which(allowance);
        cell.set(cell.get().saturating_add(amount));
    });
}

/// A batch and a transaction say it for each table. What does not say it has cost what was taken.
fn units_of<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) -> Option<f64> {
    let tables = consumed.into_iter().map(|consumed| consumed.capacity_units);
    tables.reduce(|sum, units| Some(sum? + units?)).flatten()
}

/// A number that DynamoDB has reported is small and not negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ceil(units: f64) -> u64 {
    units.ceil() as u64
}

fn size_of(value: &AttributeValue) -> u64 {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => length(text).saturating_add(1),
        AttributeValue::Ss(texts) => texts.iter().map(|text| length(text).saturating_add(1)).sum(),
        AttributeValue::M(members) => size(members).saturating_add(3),
        _ => 1,
    }
}

fn length(text: &str) -> u64 {
    text.len() as u64
}
