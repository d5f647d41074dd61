//! The reading routes, over a book that lived some days.

use crate::client::Client;

#[test]
fn an_empty_book_can_be_read() {
    let client = Client::new();
    for path in ["/v1/credits", "/v1/debits", "/v1/runs", "/v1/exceptions"] {
        let page = client.read(path);
        assert_eq!(page, serde_json::json!({ "data": [], "next_cursor": null }), "{path}");
    }
}
