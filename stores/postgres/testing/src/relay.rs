//! A wire that can be cut.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What to look for in what the client sends, and whether the server still gets it.
type Cut = Option<(Vec<u8>, bool)>;

/// Passes bytes between clients and a server on loopback, until it is told to cut.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cut: Mutex<Cut>,
    was_cut: AtomicBool,
    down: AtomicBool,
    /// How often all connections so far fell silent: those that were opened before pass nothing any more.
    silences: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// A relay to `port` on loopback.
    ///
    /// # Panics
    /// If loopback has no free port.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let own = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared::default());
        let relay = Self { port: own, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.down.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                pass(client, server, &shared);
            }
        });
        relay
    }

    /// The port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the connection on which a client next sends `words`: after the server got them if `arrives`, or before.
    ///
    /// # Panics
    /// If a thread of the relay panicked.
    pub fn cut_at(&self, words: &[u8], arrives: bool) {
        self.shared.was_cut.store(false, Ordering::SeqCst);
        *self.shared.cut.lock().expect("nobody panics here") = Some((words.to_vec(), arrives));
    }

    /// Whether it did.
    #[must_use]
    pub fn was_cut(&self) -> bool {
        self.shared.was_cut.load(Ordering::SeqCst)
    }

    /// Passes nothing more on the connections that are open, and doesn't close them, as when a firewall forgot them.
    pub fn fall_silent(&self) {
        self.shared.silences.fetch_add(1, Ordering::SeqCst);
    }

    /// Cuts every connection and takes no other, or takes them again.
    ///
    /// # Panics
    /// If a thread of the relay panicked.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
        if down {
            for stream in self.shared.open.lock().expect("nobody panics here").drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

fn pass(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let clones = (client.try_clone(), server.try_clone(), client.try_clone(), server.try_clone());
    let (Ok(mut from_client), Ok(mut to_server), Ok(kept), Ok(also_kept)) = clones else { return };
    shared.open.lock().expect("nobody panics here").extend([kept, also_kept]);
    let (mut from_server, mut to_client) = (server, client);
    let on_client = Arc::clone(shared);
    let born = shared.silences.load(Ordering::SeqCst);
    let silences = Arc::clone(shared);
    let is_silent = move || silences.silences.load(Ordering::SeqCst) > born;
    let is_also_silent = is_silent.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; 64 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut bytes) {
            if is_silent() {
                continue;
            }
            let mut cut = on_client.cut.lock().expect("nobody panics here");
            let found =
                cut.as_ref().filter(|(words, _)| bytes[..read].windows(words.len()).any(|it| it == words));
            let found = found.map(|(_, arrives)| *arrives);
            if found.is_some() {
                *cut = None;
            }
            drop(cut);
            if found != Some(false) && to_server.write_all(&bytes[..read]).is_err() {
                break;
            }
            if let Some(arrives) = found {
                on_client.was_cut.store(true, Ordering::SeqCst);
                if arrives {
                    // The client's end is gone at once; the server's only once it has read everything.
                    let _ = from_client.shutdown(Shutdown::Both);
                    let _ = to_server.shutdown(Shutdown::Write);
                } else {
                    let _ = to_server.shutdown(Shutdown::Both);
                    let _ = from_client.shutdown(Shutdown::Both);
                }
                return;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        let mut bytes = [0; 64 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            if !is_also_silent() && to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
}
