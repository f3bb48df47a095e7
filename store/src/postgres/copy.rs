//! Many rows at once: `COPY … FROM STDIN (FORMAT binary)`, as PostgreSQL's manual describes it.

use crate::StoreError;
use sqlx::PgConnection;

/// Rows in that format.
#[derive(Debug)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    rows: usize,
}

impl Rows {
    /// None yet; each will have some `bytes`.
    pub(super) fn new() -> Self {
        let mut bytes = Vec::with_capacity(64 * 1024);
        bytes.extend(b"PGCOPY\n\xff\r\n\0");
        // No flags, and nothing more in the header.
        bytes.extend([0; 8]);
        Self { bytes, rows: 0 }
    }

    /// Begins a row of so many columns, which are then given in their order.
    pub(super) fn row(&mut self, columns: i16) -> &mut Self {
        self.rows += 1;
        self.bytes.extend(columns.to_be_bytes());
        self
    }

    fn value(&mut self, value: &[u8]) -> &mut Self {
        // A value of two gigabytes was refused at the door.
        let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(value);
        self
    }

    pub(super) fn null(&mut self) -> &mut Self {
        self.bytes.extend((-1_i32).to_be_bytes());
        self
    }

    /// A BIGINT.
    pub(super) fn big(&mut self, number: i64) -> &mut Self {
        self.value(&number.to_be_bytes())
    }

    /// A BIGINT or none.
    pub(super) fn big_or_null(&mut self, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.big(number),
            None => self.null(),
        }
    }

    /// A number of a text: an INTEGER, whose sign nobody uses.
    pub(super) fn number(&mut self, number: u32) -> &mut Self {
        self.value(&number.to_be_bytes())
    }

    /// A number of a text, or none.
    pub(super) fn number_or_null(&mut self, number: Option<u32>) -> &mut Self {
        match number {
            Some(number) => self.number(number),
            None => self.null(),
        }
    }

    /// A SMALLINT.
    pub(super) fn small(&mut self, number: i16) -> &mut Self {
        self.value(&number.to_be_bytes())
    }

    /// A BOOLEAN.
    pub(super) fn flag(&mut self, flag: bool) -> &mut Self {
        self.value(&[u8::from(flag)])
    }

    /// A BYTEA.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.value(bytes)
    }

    /// A TEXT.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.value(text.as_bytes())
    }

    /// A TEXT or none.
    pub(super) fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    /// Writes them; `statement` names table and columns.
    pub(super) async fn write(
        mut self,
        connection: &mut PgConnection,
        statement: &'static str,
    ) -> Result<(), StoreError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.bytes.extend((-1_i16).to_be_bytes());
        let mut copy = connection.copy_in_raw(statement).await?;
        copy.send(self.bytes).await?;
        copy.finish().await?;
        Ok(())
    }
}
