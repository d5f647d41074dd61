//! End to end over HTTP against the live runtime: workerd with D1, R2 and the queue, the cron handler, and the bank
//! simulator. `cargo xtask test` builds what this needs and says where `xtask` is by `PAYDOWN_XTASK`.

mod clients;
mod days;
mod description;
mod large;
mod live;
mod processor;
mod requests;
mod silence;
mod webhooks;
