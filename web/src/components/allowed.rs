//! What the key allows that logged in: what it does not allow is not offered.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{Scope, WhoAmI};

/// Who is logged in, for those who ask what he may do.
#[derive(Clone, Copy)]
struct Session(Signal<Arc<WhoAmI>>);

/// Tells the pages who is logged in.
pub fn provide(session: Signal<Arc<WhoAmI>>) {
    provide_context(Session(session));
}

/// Whether the key has a scope.
pub fn may(scope: Scope) -> impl Fn() -> bool + Copy + Send + Sync + 'static {
    let Session(session) = expect_context();
    move || session.with(|session| session.scopes.contains(&scope))
}

/// Whether its owner may act as an operator.
pub fn may_operate() -> impl Fn() -> bool + Copy + Send + Sync + 'static {
    may(Scope::Operate)
}
