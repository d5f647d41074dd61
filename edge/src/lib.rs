//! The Worker: HTTP API, daily run and queue over D1, R2 and Queues.
