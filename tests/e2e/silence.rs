//! A processor that takes a request and falls silent: before its answer, in the middle of one whose length it announced,
//! or in the middle of one that comes in pieces.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use serde_json::Value;

use crate::live::Live;

/// What the processor says before it falls silent, by what a request holds.
const SAID: [(&str, &str); 3] = [
    ("acct_nothing", ""),
    (
        "acct_half",
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 40\r\n\r\n{\"transaction_id\":",
    ),
    (
        "acct_piece",
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
         12\r\n{\"transaction_id\":\r\n",
    ),
];

#[test]
fn who_falls_silent_is_let_go_of_and_nothing_is_guessed() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("it has an address").port();
    std::thread::spawn(move || {
        listener
            .incoming()
            .flatten()
            .for_each(|connection| drop(std::thread::spawn(|| fall_silent(connection))));
    });
    let live = Live::against("silence", &[], port);

    std::thread::scope(|scope| {
        for (account, _) in SAID {
            let live = &live;
            scope.spawn(move || assert_not_known(live, account));
        }
    });
}

/// The advance is on record without a transaction, and why is, too.
fn assert_not_known(live: &Live, account: &str) {
    let answer = live.advance(account, account, 1);
    assert_eq!(answer.status, 202, "{account}: {}", answer.text);
    let credit = answer.json();
    assert_eq!(credit["transaction_id"], Value::Null, "{account}");
    let id = credit["id"].as_str().expect("an id");
    let facts = live.get(&format!("/v1/credits/{id}")).json();
    let timeline = facts["timeline"].as_array().expect("a timeline");
    let said: Vec<&Value> = timeline
        .iter()
        .filter(|entry| entry["kind"] == "unknown_answer")
        .map(|entry| &entry["detail"])
        .collect();
    assert_eq!(said, ["no answer in 10 s"], "{account}: {facts}");
}

/// Reads a request, says what is to be said, and keeps the connection until whoever asked lets go of it.
fn fall_silent(mut connection: TcpStream) {
    let mut asked = Vec::new();
    let mut buffer = [0; 4096];
    let said = loop {
        match connection.read(&mut buffer) {
            Ok(read @ 1..) => asked.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            Ok(0) | Err(_) => return,
        }
        let text = String::from_utf8_lossy(&asked);
        if let Some((_, said)) = SAID.iter().find(|(mark, _)| text.contains(mark)) {
            break said;
        }
    };
    let _ = connection.write_all(said.as_bytes());
    while connection.read(&mut buffer).is_ok_and(|read| read > 0) {}
}
