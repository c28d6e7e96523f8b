use hongyan_shared::rest::{Command, Result};

use super::{Event, Reply, World, accounts};

/// Does what a command says.
///
/// # Errors
/// A bad request, and those of the action.
pub async fn handle(world: &World, event: &Event) -> Result<Reply> {
    match event.command {
        Command::AccountImport => accounts::account_import(world, event).await,
        Command::MultiaccountImport => accounts::multiaccount_import(world, event).await,
        Command::AccountCheck => accounts::account_check(world, event).await,
    }
}
