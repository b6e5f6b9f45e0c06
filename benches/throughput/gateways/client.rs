//! HTTP/1.1 on one connection, with nothing around it: what it costs is in every figure, so it should be little.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer answers have failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where requests go, and what stands above each body.
#[derive(Debug, Clone)]
pub struct Address {
    pub socket: SocketAddr,
    pub path: &'static str,
    /// Further header lines, each with its end.
    pub headers: String,
}

/// A connection, made when it is first used, and again when the server has closed it.
pub struct Client<'a> {
    address: &'a Address,
    stream: Option<BufReader<TcpStream>>,
    /// The answer's body; kept, so that its memory is used again.
    body: Vec<u8>,
}

impl<'a> Client<'a> {
    pub fn new(address: &'a Address) -> Self {
        Self { address, stream: None, body: Vec::new() }
    }

    /// Sends a body, and reads the answer to its end.
    ///
    /// # Errors
    /// A connection that cannot be made or is lost, or another status than 200.
    pub fn post(&mut self, body: &str) -> io::Result<&[u8]> {
        let Address { path, headers, .. } = self.address;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let is_new = self.stream.is_none();
        let status = match self.exchange(&request) {
            Err(error) if !is_new && is_closed(&error) => self.exchange(&request)?,
            other => other?,
        };
        if status != 200 {
            return Err(io::Error::other(format!("{status}: {}", String::from_utf8_lossy(&self.body))));
        }
        Ok(&self.body)
    }

    fn exchange(&mut self, request: &str) -> io::Result<u16> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address.socket)?,
        };
        stream.get_mut().write_all(request.as_bytes())?;
        let (status, is_kept) = read(&mut stream, &mut self.body)?;
        self.stream = is_kept.then_some(stream);
        Ok(status)
    }
}

/// Whether a connection was closed while it was idle, so that nobody has read the request.
fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

fn connect(socket: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(socket)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

/// Reads an answer: its status, and whether the connection stays.
fn read(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<(u16, bool)> {
    let (mut line, mut length, mut is_kept) = (String::new(), None, true);
    stream.read_line(&mut line)?;
    let status = line.get(9..12).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::UnexpectedEof)?;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<usize>().ok();
        } else if name.eq_ignore_ascii_case("connection") {
            is_kept = !value.trim().eq_ignore_ascii_case("close");
        }
    }
    body.clear();
    match length {
        Some(length) => {
            body.resize(length, 0);
            stream.read_exact(body)?;
        }
        None => read_chunks(stream, body)?,
    }
    Ok((status, is_kept))
}

fn read_chunks(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
        let start = body.len();
        body.resize(start + size + 2, 0);
        stream.read_exact(&mut body[start..])?;
        body.truncate(start + size);
        if size == 0 {
            return Ok(());
        }
    }
}
