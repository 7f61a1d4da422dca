//! The fence, tried against a real listener: what the caller is told and what the wire carried.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::HashSet;
use std::net::Ipv4Addr;

use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::{
    Arc, AsyncRead, AsyncWrite, BodyExt, Bytes, Class, ClientConfig, Duration, Fence, FencedStream, Instant,
    Method, Outgoing, Payload, TcpStream, Url, Wire,
};

/// For `localhost`, signed by itself, good for a hundred years; it protects nothing.
const CERTIFICATE: &[u8] = include_bytes!("localhost/certificate.der");
const KEY: &[u8] = include_bytes!("localhost/key.der");

/// What each connection carried, one after the other. Answers every whole request with `done`.
async fn listen() -> (Url, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (carried, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            if carried.send(read(connection).await).is_err() {
                break;
            }
        }
    });
    (url, seen)
}

/// The same behind TLS: what is seen is what was decrypted.
async fn listen_securely() -> (Url, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.into()], PrivatePkcs8KeyDer::from(KEY).into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let (carried, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let Ok(connection) = acceptor.accept(connection).await else { continue };
            if carried.send(read(connection).await).is_err() {
                break;
            }
        }
    });
    (url, seen)
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(mut connection: S) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = connection.read(&mut buffer).await {
        bytes.extend_from_slice(&buffer[..read]);
        if bytes.ends_with(b"the end") {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";
            let _ = connection.write_all(answer).await;
            let _ = connection.flush().await;
        }
    }
    bytes
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn wire() -> Wire {
    let mut roots = RootCertStore::empty();
    roots.add(CERTIFICATE.into()).unwrap();
    let tls = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Wire::new(Arc::new(tls))
}

fn post(base: &Url, path: &str) -> Outgoing {
    let url = base.join(path).unwrap();
    Outgoing { method: Method::POST, url, headers: Vec::new(), body: Bytes::from_static(b"the end").into() }
}

fn in_ten_seconds() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[tokio::test]
async fn a_call_in_time_is_sent_once_and_answered() {
    for (base, mut seen) in [listen().await, listen_securely().await] {
        let answer = wire().send(post(&base, "post?x=1"), in_ten_seconds()).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"done"[..]), "{base}");
        let carried = String::from_utf8(seen.recv().await.unwrap()).unwrap();
        assert!(carried.starts_with("POST /post?x=1 HTTP/1.1\r\n"), "{carried}");
        assert_eq!(carried.matches("content-length: 7").count(), 1, "{carried}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_prove_its_name_gets_no_byte_of_the_request() {
    let (base, _seen) = listen_securely().await;
    let by_number: Url = base.as_str().replace("localhost", "127.0.0.1").parse().unwrap();
    let broken = wire().send(post(&by_number, "x"), in_ten_seconds()).await.unwrap_err();
    assert_eq!((broken.class, broken.left), (Class::Tls, false));
}

/// Three kinds of deadline, 300 calls: long past, just past, and passing while the call is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_leaves_after_the_deadline_and_not_sent_is_never_a_lie() {
    let (base, mut seen) = listen().await;
    let wire = wire();
    let mut promised = HashSet::new();
    for round in 0..300_u64 {
        let now = Instant::now();
        let deadline = match round % 3 {
            0 => now.checked_sub(Duration::from_secs(3)).unwrap_or(now),
            1 => now,
            _ => now + Duration::from_micros(round * 5),
        };
        let path = format!("round-{round}-");
        match wire.send(post(&base, &path), deadline).await {
            Ok(_) => assert_eq!(round % 3, 2, "round {round} was sent after its deadline"),
            Err(broken) => {
                assert!(!broken.left || round % 3 == 2, "round {round}: {broken}");
                if !broken.left {
                    promised.insert(path);
                }
            }
        }
    }
    assert!(promised.len() >= 200, "only {} calls were held back", promised.len());
    // Connections are read in order, so the last call's arrival ends the list.
    wire.send(post(&base, "last-call"), in_ten_seconds()).await.unwrap();
    loop {
        let carried = String::from_utf8(seen.recv().await.unwrap()).unwrap();
        if carried.contains("last-call") {
            break;
        }
        let path = carried.split(' ').nth(1).map_or("", |target| target.trim_start_matches('/'));
        assert!(!promised.contains(path), "{path} was called unsent and yet left");
    }
}

#[tokio::test]
async fn a_process_that_stood_still_between_connecting_and_writing_writes_nothing() {
    let (base, mut seen) = listen().await;
    let fence = Fence::until(Instant::now() + Duration::from_millis(50));
    let address = base.socket_addrs(|| None).unwrap()[0];
    let mut stream = FencedStream::new(TcpStream::connect(address).await.unwrap(), Arc::clone(&fence));
    fence.arm();
    // Blocks the thread, as SIGSTOP would: no timer can fire meanwhile.
    std::thread::sleep(Duration::from_millis(80));
    stream.write_all(b"POST / HTTP/1.1\r\n\r\nthe end").await.unwrap_err();
    assert!(!fence.close());
    drop(stream);
    assert_eq!(seen.recv().await.unwrap(), b"");
}

/// A body whose second half comes after the process stood still past the deadline.
fn interrupted(base: &Url) -> Outgoing {
    let pieces = stream::unfold(0, move |piece| async move {
        if piece == 1 {
            // The first piece is on its way; then the process stands still.
            tokio::time::sleep(Duration::from_millis(200)).await;
            std::thread::sleep(Duration::from_millis(1000));
        }
        let bytes = Bytes::from_static(if piece == 0 { b"begin " } else { b"the end" });
        (piece < 2).then_some((Ok(Frame::data(bytes)), piece + 1))
    });
    let mut outgoing = post(base, "slow");
    outgoing.body = Payload { length: 13, body: StreamBody::new(pieces).boxed_unsync() };
    outgoing
}

#[tokio::test]
async fn a_body_that_is_interrupted_by_the_deadline_never_arrives_whole() {
    for (base, mut seen) in [listen().await, listen_securely().await] {
        let deadline = Instant::now() + Duration::from_secs(1);
        let broken = wire().send(interrupted(&base), deadline).await.unwrap_err();
        assert!(broken.left, "{base}: a part of it did leave");
        let carried = String::from_utf8(seen.recv().await.unwrap()).unwrap();
        assert!(carried.ends_with("begin "), "{base}: {carried}");
    }
}

#[tokio::test]
async fn what_breaks_before_the_first_byte_is_known_to_be_unsent_and_nothing_else_is() {
    let unused = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let closed: Url = format!("http://{unused}/").parse().unwrap();
    let broken = wire().send(post(&closed, "x"), in_ten_seconds()).await.unwrap_err();
    assert_eq!((broken.class, broken.left), (Class::Connect, false));

    // Speaks, but no TLS.
    let (base, mut seen) = listen().await;
    let secure: Url = base.as_str().replace("http:", "https:").parse().unwrap();
    let in_a_second = Instant::now() + Duration::from_secs(1);
    let broken = wire().send(post(&secure, "secret-path"), in_a_second).await.unwrap_err();
    assert!(!broken.left, "{broken}");
    assert!(!seen.recv().await.unwrap().windows(11).any(|bytes| bytes == b"secret-path"));

    // Accepts, reads, and hangs up without an answer.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let rude: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let _ = connection.read(&mut [0; 4096]).await;
    });
    let broken = wire().send(post(&rude, "x"), in_ten_seconds()).await.unwrap_err();
    assert_eq!((broken.class, broken.left), (Class::Interrupted, true));
}
