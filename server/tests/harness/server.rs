//! A running server.

use super::{Client, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

/// A running server; dropping it kills it.
pub struct Server {
    child: Child,
    base: String,
    told: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub fn start(command: Command) -> Self {
        let server = Self::start_unready(command);
        server.wait_until_ready();
        server
    }

    /// Starts a server and waits until it listens.
    pub fn start_unready(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = Arc::new(Mutex::new(String::new()));
        let (sender, addresses) = mpsc::channel();
        follow(child.stdout.take().unwrap(), &told, sender.clone());
        follow(child.stderr.take().unwrap(), &told, sender);
        // Where both ends close without an address, the program ended.
        let Ok(base) = addresses.recv() else {
            let status = child.wait().unwrap();
            panic!("the server ended with {status}: {}", told.lock().unwrap());
        };
        Self { child, base, told }
    }

    /// Waits until questions are answered.
    pub fn wait_until_ready(&self) {
        let client = self.client();
        wait_for("the server is ready", || {
            let answer = client.try_get("/readyz").ok()?;
            (answer.status == 200).then_some(())
        });
    }

    /// Somebody who speaks to it, not known to it yet.
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// What it printed so far.
    pub fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Asks it to stop, and waits until it did: how it ended, and what it printed.
    pub fn stop(mut self) -> (ExitStatus, String) {
        kill_process(self.pid(), Signal::TERM).unwrap();
        (self.child.wait().unwrap(), self.told())
    }

    /// Ends it without giving it a chance to do anything (`kill -9`).
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the server said:\n{}", self.told());
        }
    }
}

/// Keeps what is printed, and tells the address once it is.
fn follow(
    stream: impl Read + Send + 'static,
    told: &Arc<Mutex<String>>,
    addresses: mpsc::Sender<String>,
) {
    let told = Arc::clone(told);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("listening on ") {
                let _ = addresses.send(address.to_owned());
            }
            let mut told = told.lock().unwrap();
            told.push_str(&line);
            told.push('\n');
        }
    });
}
