//! A TCP proxy before a broker that reads Kafka's framing, so that a fault can be tied to a step of the protocol.
//!
//! Every request and every reply passes a [`Hook`], which may act (kill something, wait) and then says what becomes of
//! the frame.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};

/// Kafka's API keys that the rows name.
pub mod api {
    pub const PRODUCE: i16 = 0;
    pub const FETCH: i16 = 1;
    pub const OFFSET_COMMIT: i16 = 8;
    pub const ADD_OFFSETS_TO_TXN: i16 = 25;
    pub const END_TXN: i16 = 26;
    pub const TXN_OFFSET_COMMIT: i16 = 28;
}

/// The connection breaks beyond this; no frame of a test is as long.
const LONGEST_FRAME: usize = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Request,
    Reply,
}

/// What passes.
pub struct Frame<'a> {
    /// The node that it goes to or comes from.
    pub node: usize,
    /// A number that grows with each connection to any node.
    pub connection: usize,
    pub direction: Direction,
    pub api: i16,
    /// Without the length.
    pub bytes: &'a [u8],
}

impl Frame<'_> {
    pub fn is(&self, direction: Direction, api: i16) -> bool {
        self.direction == direction && self.api == api
    }
}

/// What becomes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// It never arrives, and the connection stays.
    Swallow,
    /// It never arrives, and the connection ends.
    Cut,
    /// One byte, this far from the frame's end, arrives wrong.
    Corrupt(usize),
}

pub type Hook = Arc<dyn Fn(&Frame<'_>) -> Verdict + Send + Sync>;

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

/// Connections until now, that is, the number that the next one gets.
pub fn connections() -> usize {
    CONNECTIONS.load(Ordering::SeqCst)
}

struct Shared {
    node: usize,
    upstream: OnceLock<SocketAddr>,
    hook: Arc<RwLock<Option<Hook>>>,
}

/// The proxy of one broker.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1. Connections wait until the broker is [known](Self::lead_to).
    pub fn listen(node: usize, hook: Arc<RwLock<Option<Hook>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared { node, upstream: OnceLock::new(), hook });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A broker that is away refuses, and so does its proxy, by closing.
                if let Err(error) = serve(client, &of_thread) {
                    drop(error);
                }
            }
        });
        Self { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn lead_to(&self, broker: SocketAddr) {
        self.shared.upstream.set(broker).expect("said once");
    }
}

impl Shared {
    fn judge(&self, frame: &Frame<'_>) -> Verdict {
        // Cloned, so that a hook that waits does not keep the next one from being set.
        let hook = self.hook.read().expect("the hook").clone();
        hook.map_or(Verdict::Pass, |hook| hook(frame))
    }
}

/// Requests that were sent on a connection and have no reply yet, by correlation id.
type Asked = Arc<Mutex<HashMap<i32, i16>>>;

fn serve(client: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let broker = TcpStream::connect(*shared.upstream.wait())?;
    for stream in [&client, &broker] {
        stream.set_nodelay(true)?;
    }
    let asked = Asked::default();
    let connection = CONNECTIONS.fetch_add(1, Ordering::SeqCst);
    for direction in [Direction::Request, Direction::Reply] {
        let (from, to) = match direction {
            Direction::Request => (client.try_clone()?, broker.try_clone()?),
            Direction::Reply => (broker.try_clone()?, client.try_clone()?),
        };
        let (shared, asked) = (Arc::clone(shared), Arc::clone(&asked));
        std::thread::spawn(move || {
            let ended = relay((&from, &to), direction, connection, &shared, &asked);
            for stream in [&from, &to] {
                drop(stream.shutdown(Shutdown::Both));
            }
            ended.ok();
        });
    }
    Ok(())
}

/// Passes frames one way until the connection ends.
fn relay(
    (mut from, mut to): (&TcpStream, &TcpStream),
    direction: Direction,
    connection: usize,
    shared: &Shared,
    asked: &Asked,
) -> io::Result<()> {
    let mut frame = Vec::new();
    loop {
        read_frame(&mut from, &mut frame)?;
        let api = match direction {
            Direction::Request => note_request(&frame[4..], asked),
            Direction::Reply => asked.lock().expect("the requests").remove(&int(&frame[4..], 0)).unwrap_or(-1),
        };
        let passing = Frame { node: shared.node, connection, direction, api, bytes: &frame[4..] };
        match shared.judge(&passing) {
            Verdict::Pass => {}
            Verdict::Swallow => continue,
            Verdict::Cut => return Ok(()),
            Verdict::Corrupt(from_end) => {
                let at = frame.len().saturating_sub(from_end + 1);
                frame[at] ^= 0x20;
            }
        }
        to.write_all(&frame)?;
    }
}

/// A whole frame with its length.
fn read_frame(from: &mut impl io::Read, frame: &mut Vec<u8>) -> io::Result<()> {
    frame.resize(4, 0);
    from.read_exact(frame)?;
    let length = usize::try_from(int(frame, 0)).unwrap_or(usize::MAX);
    if length > LONGEST_FRAME {
        return Err(io::ErrorKind::InvalidData.into());
    }
    frame.resize(4 + length, 0);
    from.read_exact(&mut frame[4..])
}

fn note_request(request: &[u8], asked: &Asked) -> i16 {
    let key = short(request, 0);
    asked.lock().expect("the requests").insert(int(request, 4), key);
    key
}

/// Big-endian, zero where the bytes end.
pub fn short(bytes: &[u8], at: usize) -> i16 {
    bytes.get(at..at + 2).map_or(0, |b| i16::from_be_bytes([b[0], b[1]]))
}

/// Big-endian, zero where the bytes end.
pub fn int(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..at + 4).map_or(0, |b| i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}
