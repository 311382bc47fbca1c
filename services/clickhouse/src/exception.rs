//! ClickHouse exceptions: their code, their text and the HTTP status that ClickHouse gives them.

/// The codes that this crate raises itself, by ClickHouse's own numbers and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    CannotReadAllData = 33,
    BadArguments = 36,
    ChecksumDoesntMatch = 40,
    NotImplemented = 48,
    SyntaxError = 62,
    UnknownCompressionMethod = 89,
    Readonly = 164,
    TooManySimultaneousQueries = 202,
    NetworkError = 210,
    QueryIsTooLarge = 229,
    Aborted = 236,
    NotEnoughSpace = 243,
    CannotDecompress = 271,
    IntoOutfileNotAllowed = 358,
    SessionNotFound = 372,
    SessionIsLocked = 373,
    InvalidSessionTimeout = 374,
    AccessDenied = 497,
    AuthenticationFailed = 516,
    UnknownException = 1002,
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Self::CannotReadAllData => "CANNOT_READ_ALL_DATA",
            Self::BadArguments => "BAD_ARGUMENTS",
            Self::ChecksumDoesntMatch => "CHECKSUM_DOESNT_MATCH",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::SyntaxError => "SYNTAX_ERROR",
            Self::UnknownCompressionMethod => "UNKNOWN_COMPRESSION_METHOD",
            Self::Readonly => "READONLY",
            Self::TooManySimultaneousQueries => "TOO_MANY_SIMULTANEOUS_QUERIES",
            Self::NetworkError => "NETWORK_ERROR",
            Self::QueryIsTooLarge => "QUERY_IS_TOO_LARGE",
            Self::Aborted => "ABORTED",
            Self::NotEnoughSpace => "NOT_ENOUGH_SPACE",
            Self::CannotDecompress => "CANNOT_DECOMPRESS",
            Self::AccessDenied => "ACCESS_DENIED",
            Self::SessionNotFound => "SESSION_NOT_FOUND",
            Self::SessionIsLocked => "SESSION_IS_LOCKED",
            Self::InvalidSessionTimeout => "INVALID_SESSION_TIMEOUT",
            Self::AuthenticationFailed => "AUTHENTICATION_FAILED",
            Self::IntoOutfileNotAllowed => "INTO_OUTFILE_NOT_ALLOWED",
            Self::UnknownException => "UNKNOWN_EXCEPTION",
        }
    }
}

/// A failed query as ClickHouse tells it: `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Exception {
    code: u16,
    text: String,
}

impl Exception {
    /// An exception of this crate's own, in ClickHouse's form.
    pub(crate) fn new(code: Code, message: impl std::fmt::Display) -> Self {
        let text = format!("Code: {}. DB::Exception: {message}. ({})", code as u16, code.name());
        Self { code: code as u16, text }
    }

    /// What the engine said. Text without a code (the library's own complaints) gets 1002.
    pub(crate) fn from_engine(text: &str) -> Self {
        match parse_code(text) {
            Some(code) => Self { code, text: text.trim_end().to_owned() },
            None => Self::new(Code::UnknownException, text.trim_end()),
        }
    }

    /// ClickHouse's number of the exception, for example 60 for an unknown table.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The text, beginning with `Code: `.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The status that ClickHouse answers with (`exceptionCodeToHTTPStatus`).
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self.code {
            194 => 401,
            192 | 193 | 497 | 512 | 516 => 403,
            6 | 8 | 15 | 25 | 26 | 27 | 36 | 37 | 38 | 41 | 44 | 53 | 62 | 72 | 117 | 123 | 167 | 168 | 223 | 321
            | 376 | 427 | 441 | 675 | 676 => 400,
            46 | 47 | 50 | 56 | 60 | 63 | 73 | 78 | 81 | 115 | 152 | 336 | 511 => 404,
            229 => 413,
            48 => 501,
            76 | 209 | 439 => 503,
            381 => 411,
            159 => 408,
            779 => 415,
            _ => 500,
        }
    }
}

fn parse_code(text: &str) -> Option<u16> {
    let rest = text.strip_prefix("Code: ")?;
    rest.get(..rest.find(|c: char| !c.is_ascii_digit())?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_s_text_carries_the_code() {
        let exception = Exception::from_engine("Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)\n");
        assert_eq!((exception.code(), exception.http_status()), (60, 404));
        assert_eq!(exception.text(), "Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)");
    }

    #[test]
    fn text_without_a_code_gets_one() {
        let exception = Exception::from_engine("send_insert requires an INSERT query");
        assert_eq!((exception.code(), exception.http_status()), (1002, 500));
        assert!(exception.text().starts_with("Code: 1002. DB::Exception: send_insert"));
    }

    #[test]
    fn statuses_are_clickhouse_s() {
        for (code, status) in
            [(62, 400), (27, 400), (53, 400), (60, 404), (81, 404), (164, 500), (202, 500), (241, 500)]
        {
            let exception = Exception::from_engine(&format!("Code: {code}. DB::Exception: x"));
            assert_eq!(exception.http_status(), status, "{code}");
        }
    }
}
