//! Where one record ends and the next begins, found without understanding more of JSON than
//! brackets and quotes, so that a file of any size is read with one record in memory, and a broken
//! record does not take the others with it.

use super::Unreadable;
use std::{
    fmt,
    io::{self, BufRead},
};

/// How many bytes a record may have before it is passed over.
pub const RECORD_MOST: usize = 16 * 1024 * 1024;

/// Where a record begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line in the file, from 1.
    pub line: u64,
    /// Which record of its list it is, from 1; none where it stands on its own.
    pub record: Option<u64>,
}

impl fmt::Display for Place {
    /// `line 12`, or `line 1, record 17` in a list: such a file is often a single line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        match self.record {
            Some(record) => write!(f, ", record {record}"),
            None => Ok(()),
        }
    }
}

/// The text of one record, still to be parsed.
pub(super) struct Frame {
    pub place: Place,
    pub text: Result<Vec<u8>, Unreadable>,
}

/// What surrounds the next record.
enum Around {
    /// Nothing: one value after the other.
    Nothing,
    /// An array, of which so many records were read; inside an object if it is `wrapped`.
    List { read: u64, wrapped: bool },
    /// The end.
    End,
}

/// The values of a file: those of its lines and of its arrays.
pub(super) struct Frames<R> {
    input: R,
    /// An object that begins with this member, an array, stands for the elements of the array.
    wrapper: Option<&'static str>,
    around: Around,
    /// The line of the next byte.
    line: u64,
    /// How many blanks the line began with, as long as it had nothing else yet.
    indent: Option<usize>,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(input: R, wrapper: Option<&'static str>) -> Self {
        Self {
            input,
            wrapper,
            around: Around::Nothing,
            line: 1,
            indent: Some(0),
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes past `byte`, the next one.
    fn pass(&mut self, byte: u8) {
        self.input.consume(1);
        match byte {
            b'\n' => {
                self.line += 1;
                self.indent = Some(0);
            }
            b' ' | b'\t' | b'\r' => self.indent = self.indent.map(|blanks| blanks + 1),
            _ => self.indent = None,
        }
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(byte) if skipped(byte) => self.pass(byte),
                other => return Ok(other),
            }
        }
    }

    fn place(&self, record: Option<u64>) -> Place {
        Place {
            line: self.line,
            record,
        }
    }

    fn step(&mut self) -> io::Result<Option<Frame>> {
        loop {
            match self.around {
                Around::End => return Ok(None),
                Around::Nothing => {
                    // A byte order mark is no part of JSON, and at the start of many a file.
                    let is_start = self.line == 1;
                    let is_mark = |byte| is_start && matches!(byte, 0xEF | 0xBB | 0xBF);
                    let first = self.skip(|byte| is_blank(byte) || is_mark(byte))?;
                    match first {
                        None => self.around = Around::End,
                        Some(byte @ b'[') => {
                            self.pass(byte);
                            self.around = Around::List {
                                read: 0,
                                wrapped: false,
                            };
                        }
                        Some(b'{') => {
                            let place = self.place(None);
                            if let Some(begun) = self.unwrap()? {
                                let text = self.value(begun, None)?;
                                return Ok(Some(Frame { place, text }));
                            }
                        }
                        Some(_) => {
                            let place = self.place(None);
                            let text = self.rest_of_line()?;
                            return Ok(Some(Frame { place, text }));
                        }
                    }
                }
                Around::List { read, wrapped } => {
                    match self.skip(|byte| is_blank(byte) || byte == b',')? {
                        None => {
                            self.around = Around::End;
                            let reason = "the file ends in the middle of its list";
                            return Ok(Some(Frame {
                                place: self.place(None),
                                text: Err(Unreadable::Json(reason.to_owned())),
                            }));
                        }
                        Some(byte @ b']') => {
                            self.pass(byte);
                            self.around = Around::Nothing;
                            if wrapped {
                                self.leave_wrapper()?;
                            }
                        }
                        Some(_) => {
                            let read = read + 1;
                            self.around = Around::List { read, wrapped };
                            let place = self.place(Some(read));
                            let indent = self.indent.unwrap_or(0);
                            let text = self.value(Vec::new(), Some(indent))?;
                            return Ok(Some(Frame { place, text }));
                        }
                    }
                }
            }
        }
    }

    /// Goes into the array of `{"Records": [`; if the object is not that, gives what was read of it.
    fn unwrap(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut begun = Vec::new();
        let Some(wrapper) = self.wrapper else {
            return Ok(Some(begun));
        };
        let mut expected = b"{\"".to_vec();
        expected.extend_from_slice(wrapper.as_bytes());
        expected.extend_from_slice(b"\":[");
        // Blanks may stand between the marks, but not in the name.
        let name = 2..expected.len() - 3;
        for (at, wanted) in expected.into_iter().enumerate() {
            while let Some(byte) = self.peek()?.filter(|byte| is_blank(*byte)) {
                if name.contains(&at) || begun.len() > 1024 {
                    return Ok(Some(begun));
                }
                self.pass(byte);
                begun.push(byte);
            }
            if self.peek()? != Some(wanted) {
                return Ok(Some(begun));
            }
            self.pass(wanted);
            begun.push(wanted);
        }
        self.around = Around::List {
            read: 0,
            wrapped: true,
        };
        Ok(None)
    }

    /// Goes past what is behind the array of a wrapper, which is about the file and no record.
    fn leave_wrapper(&mut self) -> io::Result<()> {
        let mut nesting = Nesting::default();
        nesting.step(b'{');
        while let Some(byte) = self.peek()? {
            self.pass(byte);
            if nesting.step(byte) != Step::Inside {
                break;
            }
        }
        Ok(())
    }

    /// Reads the value that begins here, of which `begun` has been read. In a list, `indent` says
    /// how many blanks stand before it in its line.
    fn value(
        &mut self,
        begun: Vec<u8>,
        indent: Option<usize>,
    ) -> io::Result<Result<Vec<u8>, Unreadable>> {
        let mut nesting = Nesting::default();
        for &byte in &begun {
            nesting.step(byte);
        }
        let mut text = begun;
        let mut too_long = false;
        let broken = loop {
            let Some(byte) = self.peek()? else {
                break "the file ends in the middle of a record";
            };
            if nesting.open.is_empty() && !matches!(byte, b'{' | b'[') {
                // A number, a text, a stray word: not a record, whatever it is.
                if indent.is_some() {
                    return self.stray();
                }
                return self.rest_of_line();
            }
            let step = nesting.step(byte);
            if step == Step::Broken && byte == b'\n' {
                break "a text goes on over the end of its line";
            }
            self.pass(byte);
            if text.len() < RECORD_MOST {
                text.push(byte);
            } else {
                too_long = true;
            }
            match step {
                Step::Inside => {}
                Step::Over if too_long => return Ok(Err(Unreadable::TooLong)),
                Step::Over => return Ok(Ok(text)),
                Step::Broken => break "a bracket is closed that was not opened",
            }
            // One record a line: where the next one begins, this one is over.
            if byte == b'\n' && indent.is_none() && self.peek()? == Some(b'{') {
                return Ok(Err(Unreadable::Json("ends in the middle".to_owned())));
            }
        };
        self.recover(indent)?;
        Ok(Err(Unreadable::Json(broken.to_owned())))
    }

    /// After a broken record, goes to where the next one seems to begin: in a list a line as far
    /// indented, else the next line.
    fn recover(&mut self, indent: Option<usize>) -> io::Result<()> {
        loop {
            self.skip(|byte| byte != b'\n')?;
            let Some(byte) = self.peek()? else {
                return Ok(());
            };
            self.pass(byte);
            let Some(wanted) = indent else {
                return Ok(());
            };
            let next = self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r'))?;
            let blanks = self.indent.unwrap_or(0);
            if next == Some(b'{') && blanks == wanted || next == Some(b']') && blanks <= wanted {
                return Ok(());
            }
        }
    }

    fn rest_of_line(&mut self) -> io::Result<Result<Vec<u8>, Unreadable>> {
        self.collect(|byte| byte != b'\n')
    }

    /// Reads an element of a list that is neither object nor array.
    fn stray(&mut self) -> io::Result<Result<Vec<u8>, Unreadable>> {
        if self.peek()? != Some(b'"') {
            return self.collect(|byte| !is_blank(byte) && !matches!(byte, b',' | b']'));
        }
        let mut text = Vec::new();
        let mut escaped = false;
        while let Some(byte) = self.peek()?.filter(|byte| *byte != b'\n') {
            self.pass(byte);
            text.push(byte);
            if byte == b'"' && !escaped && text.len() > 1 || text.len() >= RECORD_MOST {
                break;
            }
            escaped = byte == b'\\' && !escaped;
        }
        Ok(Ok(text))
    }

    fn collect(&mut self, wanted: impl Fn(u8) -> bool) -> io::Result<Result<Vec<u8>, Unreadable>> {
        let mut text = Vec::new();
        let mut too_long = false;
        while let Some(byte) = self.peek()?.filter(|byte| wanted(*byte)) {
            self.pass(byte);
            if text.len() < RECORD_MOST {
                text.push(byte);
            } else {
                too_long = true;
            }
        }
        Ok(if too_long {
            Err(Unreadable::TooLong)
        } else {
            Ok(text)
        })
    }
}

impl<R: BufRead> Iterator for Frames<R> {
    type Item = io::Result<Frame>;

    fn next(&mut self) -> Option<io::Result<Frame>> {
        let step = self.step();
        if step.is_err() {
            self.around = Around::End;
        }
        step.transpose()
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Inside,
    Over,
    Broken,
}

/// The brackets that are open, and whether a text is.
#[derive(Default)]
struct Nesting {
    open: Vec<u8>,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    fn step(&mut self, byte: u8) -> Step {
        if self.in_text {
            match byte {
                // JSON has no line ends in texts.
                b'\n' => return Step::Broken,
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return Step::Inside;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' => self.open.push(b'}'),
            b'[' => self.open.push(b']'),
            b'}' | b']' => {
                if self.open.pop() != Some(byte) {
                    return Step::Broken;
                }
                if self.open.is_empty() {
                    return Step::Over;
                }
            }
            _ => {}
        }
        Step::Inside
    }
}
