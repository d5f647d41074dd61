//! The example clients, with curl, in Python and in TypeScript: each pays an advance out over a connection that loses its
//! answer, reads a list page by page, and tells a signed webhook from a forged one.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::live::{KEY, Live};

/// Each client, the program that runs it, and the account that it pays out to.
const CLIENTS: [(&str, &str, &str); 3] = [
    ("paydown.sh", "sh", "acct_shell_ok"),
    ("paydown.py", "python3", "acct_python_ok"),
    ("paydown.mts", "node", "acct_node_ok"),
];

/// The key of a webhook's signature, and the same as a secret.
const HOOK_KEY: &str = "as good as any other key";
const HOOK_SECRET: &str = "whsec_YXMgZ29vZCBhcyBhbnkgb3RoZXIga2V5";

#[test]
fn a_lost_answer_makes_one_credit_and_all_pages_are_read() {
    let live = Live::begin("clients");
    for (file, program, account) in CLIENTS {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let paid = std::thread::scope(|scope| {
            let seen = scope.spawn(|| between(&listener, &live));
            let paid = client(
                file,
                program,
                &format!("http://{address}"),
                &["advance", account, account, "90000"],
                "",
            );
            // Whoever still waits for a connection waits no more.
            (0..3).for_each(|_| drop(TcpStream::connect(address)));
            assert_eq!(seen.join().expect("it ends"), 3, "{file}: lost, refused for now, answered");
            paid
        });
        assert!(paid.status.success(), "{file}: {paid:?}");
        let credits = live.list(&format!("/v1/credits?account_id={account}"));
        assert_eq!((credits.len(), live.transactions(account).len()), (1, 1), "{file}: {credits:?}");
        assert_eq!(lines(&paid), ids(&live, account), "{file}: the credit that there is");

        for number in 0..4 {
            assert_eq!(live.advance(&format!("{account}-{number}"), account, 4).status, 201);
        }
        let listed = client(file, program, &live.worker(""), &["credits", account], "");
        assert_eq!((lines(&listed).len(), lines(&listed)), (5, ids(&live, account)), "{file}: {listed:?}");

        // What is refused for good is not asked again.
        let refused = client(file, program, &live.worker(""), &["advance", account, account, "1"], "");
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && why.contains("invalid_request"), "{file}: {why}");
    }
}

#[test]
fn a_webhook_is_told_from_a_forgery() {
    let body = r#"{"type": "credit.repaid", "amount": "1.000,00 €"}"#;
    let now = seconds();
    let (at, old, future) = (now.to_string(), (now - 400).to_string(), (now + 400).to_string());
    let other = HOOK_SECRET.replace('Y', "Z");
    for (file, program, _) in CLIENTS {
        let is_genuine = |secret: &str, id: &str, at: &str, signature: &str, body: &str| {
            client(file, program, "", &["verify", secret, id, at, signature], body).status.success()
        };
        let signature = sign("msg_1", &at, body);
        assert!(is_genuine(HOOK_SECRET, "msg_1", &at, &signature, body), "{file}");
        let rotated = format!("v1,{} {signature}", "A".repeat(43) + "=");
        assert!(is_genuine(HOOK_SECRET, "msg_1", &at, &rotated, body), "{file}: of two secrets");
        assert!(!is_genuine(&other, "msg_1", &at, &signature, body), "{file}: another secret");
        assert!(!is_genuine(HOOK_SECRET, "msg_2", &at, &signature, body), "{file}: another message");
        assert!(
            !is_genuine(HOOK_SECRET, "msg_1", &at, &signature, &format!("{body}\n")),
            "{file}: another body"
        );
        assert!(!is_genuine(HOOK_SECRET, "msg_1", &at, &signature[3..], body), "{file}: no version");
        for far in [&old, &future] {
            assert!(!is_genuine(HOOK_SECRET, "msg_1", far, &sign("msg_1", far, body), body), "{file}: {far}");
        }
    }
}

/// The TypeScript client against types made from the description of today.
#[test]
fn the_description_gives_the_types_of_the_client() {
    let folder = root().join("target/clients");
    fs::create_dir_all(&folder).expect("a folder");
    fs::copy(here().join("paydown.mts"), folder.join("paydown.mts")).expect("the client");
    let node = |script: &str, arguments: &[&str]| {
        let mut command = Command::new("node");
        command.current_dir(&folder).arg(root().join("node_modules").join(script)).args(arguments);
        let output = command.output().expect("node runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    };
    let description = root().join("edge/openapi.json");
    let description = description.to_str().expect("a path of text");
    let made = [description, "--default-non-nullable", "false", "--output", "openapi.d.ts"];
    node("openapi-typescript/bin/cli.js", &made);
    let strict = "--noEmit --strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --target esnext --module esnext \
        --moduleResolution bundler --allowImportingTsExtensions --erasableSyntaxOnly --verbatimModuleSyntax --types node";
    let strict: Vec<&str> = strict.split_whitespace().chain(["paydown.mts"]).collect();
    node("typescript/bin/tsc", &strict);
}

/// Stands between a client and the Worker: carries the first request out and loses its answer, refuses the second for now, and
/// hands on the third. Gives how many came.
fn between(listener: &TcpListener, live: &Live) -> usize {
    for number in 0..3 {
        let (mut stream, _) = listener.accept().expect("a connection");
        let Some((path, headers, body)) = request(&stream) else { return number };
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let (status, text) = if number == 1 {
            ("503 Service Unavailable\r\nRetry-After: 1".to_owned(), String::new())
        } else {
            let answer = live.send("POST", &live.worker(&path), &headers, Some(&body));
            (format!("{} Answered", answer.status), answer.text)
        };
        if number > 0 {
            let length = text.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
            );
            stream.write_all(answer.as_bytes()).expect("it is answered");
        }
    }
    3
}

/// A request as it is handed on: its path, the headers that count, and its body.
type Request = (String, Vec<(String, String)>, String);

/// What a client asks; none where the connection was closed at once.
fn request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut headers, mut length) = (vec![], 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" | "content-type" | "idempotency-key" => headers.push((name, value.to_owned())),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, headers, String::from_utf8(body).ok()?))
}

fn client(file: &str, program: &str, url: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(program);
    command.arg(here().join(file)).args(arguments).env("PAYDOWN_URL", url).env("PAYDOWN_KEY", KEY);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
    // A client that needs no body, or has seen enough, may close it.
    let _ = process.stdin.take().expect("its input is piped").write_all(input.as_bytes());
    process.wait_with_output().expect("it ends")
}

/// The signature by a program that is none of the clients.
fn sign(id: &str, at: &str, body: &str) -> String {
    let script = r#"printf '%s' "$1" | openssl dgst -sha256 -hmac "$2" -binary | base64"#;
    let signed = format!("{id}.{at}.{body}");
    let output =
        Command::new("sh").args(["-c", script, "sign", &signed, HOOK_KEY]).output().expect("openssl");
    format!("v1,{}", String::from_utf8_lossy(&output.stdout).trim())
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn ids(live: &Live, account: &str) -> Vec<String> {
    let credits = live.list(&format!("/v1/credits?account_id={account}"));
    credits.iter().filter_map(|credit| credit["id"].as_str().map(str::to_owned)).collect()
}

/// What the clients' own clock says: a webhook is of now.
#[expect(clippy::disallowed_methods)]
fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/clients")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the tree").to_owned()
}
