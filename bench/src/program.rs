//! The program itself, as its users run it: its commands, and a server on a free port.

use crate::error::BenchError;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    fs::File,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The release program, on one database.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    database: String,
}

/// A running server; dropping it ends it.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Program {
    /// The program at a path, on a database.
    ///
    /// # Errors
    ///
    /// There is no program at that path.
    pub fn on(path: &Path, database: &Path) -> Result<Self, BenchError> {
        if !path.is_file() {
            return Err(BenchError::Unfit(format!(
                "there is no program at {}; build it with ./dev build, or name it with --program",
                path.display()
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            database: format!("sqlite:{}", database.display()),
        })
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("DAYBOOK_") {
                command.env_remove(&name);
            }
        }
        command
            .env_remove("RUST_LOG")
            .env("DAYBOOK_DATABASE_URL", &self.database)
            .args(line);
        command
    }

    /// Runs a command to its end, with a line on its standard input: what it printed.
    ///
    /// # Errors
    ///
    /// It failed.
    pub fn run(&self, line: &[&str], input: &str) -> Result<String, BenchError> {
        let mut child = self
            .command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let written = child
            .stdin
            .take()
            .map_or(Ok(()), |mut stdin: ChildStdin| writeln!(stdin, "{input}"));
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(Self::failed(line, &output.stderr));
        }
        // A command that does not read its input closes it: no failure where it succeeded.
        drop(written);
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    }

    /// How long a command takes, from its start to its end; what it prints goes to a file, or nowhere.
    ///
    /// # Errors
    ///
    /// It failed, or the file cannot be made.
    pub fn timed(&self, line: &[&str], output: Option<&Path>) -> Result<Duration, BenchError> {
        let output = match output {
            Some(path) => Stdio::from(File::create(path).map_err(BenchError::file(path))?),
            None => Stdio::null(),
        };
        let mut command = self.command(line);
        command.stdin(Stdio::null()).stdout(output);
        let begun = Instant::now();
        let ended = command.stderr(Stdio::piped()).output()?;
        let elapsed = begun.elapsed();
        if ended.status.success() {
            return Ok(elapsed);
        }
        Err(Self::failed(line, &ended.stderr))
    }

    fn failed(line: &[&str], said: &[u8]) -> BenchError {
        BenchError::Unfit(format!(
            "daybook {}: {}",
            line.join(" "),
            String::from_utf8_lossy(said).trim_end()
        ))
    }

    /// Starts the server on a free port, and waits until it listens.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn serve(&self) -> Result<Server, BenchError> {
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let Some(output) = child.stdout.take() else {
            return Err(BenchError::Unfit("the server says nothing".to_owned()));
        };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            line.strip_prefix("listening on http://")
                .and_then(|address| address.parse().ok())
        });
        let Some(address) = address else {
            let status = child.wait()?;
            return Err(BenchError::Unfit(format!("the server ended with {status}")));
        };
        // Read on, so that it never waits for somebody to.
        thread::spawn(move || lines.for_each(drop));
        Ok(Server { child, address })
    }
}

impl Server {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop, and waits until it did.
    ///
    /// # Errors
    ///
    /// It failed while it stopped.
    pub fn stop(mut self) -> Result<(), BenchError> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).map_err(std::io::Error::from)?;
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(BenchError::Unfit(format!("the server ended with {status}")))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
