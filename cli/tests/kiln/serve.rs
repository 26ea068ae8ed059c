//! Who may use the trainer of `kiln serve`, and who may not.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::place::Place;

/// What a browser asks with, but for where it comes from.
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A server, which ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A server, its port, and its token.
fn serve(place: &Place) -> (Server, String, String) {
    place.put("index.html", "<html></html>");
    let mut kiln = place.kiln(&["serve", "--port", "0", "--page", "."]);
    let mut process = kiln.stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(process.stderr.take().unwrap());
    let line = said
        .lines()
        .map_while(Result::ok)
        .find(|line| line.starts_with("Kiln is at "));
    let line = line.unwrap();
    let address = line.trim_start_matches("Kiln is at http://127.0.0.1:");
    let (port, token) = address.split_once("/?trainer=").unwrap();
    (Server(process), port.to_owned(), token.to_owned())
}

/// The status that somebody is answered with.
fn status(port: &str, query: &str, host: &str, origin: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    write!(
        stream,
        "GET /trainer{query} HTTP/1.1\r\nHost: {host}\r\n{origin}{UPGRADE}\r\n"
    )
    .unwrap();
    let mut said = String::new();
    BufReader::new(stream).read_line(&mut said).unwrap();
    said.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn only_the_page_that_has_the_token_may_use_the_trainer() {
    let place = Place::new();
    let (_server, port, token) = serve(&place);
    let token = format!("?{token}");
    let own = format!("127.0.0.1:{port}");
    let from = |origin: &str| format!("Origin: {origin}\r\n");
    let page = from(&format!("http://{own}"));
    let ask = |query: &str, host: &str, origin: &str| status(&port, query, host, origin);
    assert_eq!(ask(&token, &own, &page), "101");
    let local = format!("localhost:{port}");
    assert_eq!(
        ask(&token, &local, &from(&format!("http://{local}"))),
        "101"
    );
    for query in ["", "?", "?0123456789abcdef", &token[..token.len() - 1]] {
        assert_eq!(ask(query, &own, &page), "403", "{query}");
    }
    let elsewhere = [
        String::new(),
        from("https://example.org"),
        from("null"),
        from(&format!("https://{own}")),
        from("http://127.0.0.1:1"),
    ];
    for origin in elsewhere {
        assert_eq!(ask(&token, &own, &origin), "403", "{origin}");
    }
    // A name of somebody's own that leads here.
    let named = format!("example.org:{port}");
    assert_eq!(
        ask(&token, &named, &from(&format!("http://{named}"))),
        "403"
    );
}

#[test]
fn a_page_that_is_not_there_and_a_port_that_is_taken_are_said() {
    let place = Place::new();
    let said = place.refused(&["serve", "--page", "none"]);
    assert!(said.contains("There is no built page in none"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    place.put("index.html", "<html></html>");
    let said = place.refused(&["serve", "--page", ".", "--port", &port]);
    assert!(said.contains("Say --port N for another."), "{said}");
}
