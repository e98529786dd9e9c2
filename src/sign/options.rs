use super::{Service, SignError, Version, ip, text};

/// Which protocols a token may be used with (`spr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// `https` only.
    #[default]
    Https,
    /// `https,http`: only towards an emulator that speaks plain HTTP.
    HttpsAndHttp,
    /// Not said in the token, which allows both. Only for specs, which say what they mean.
    Unsaid,
}

impl Protocol {
    /// Parses what a spec says.
    pub fn parse(text: &str) -> Result<Self, SignError> {
        match text {
            "https" => Ok(Self::Https),
            "https,http" => Ok(Self::HttpsAndHttp),
            _ => Err(SignError::Invalid {
                field: "protocol",
                problem: "is neither https nor https,http: write one of them",
            }),
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::HttpsAndHttp => "https,http",
            Self::Unsaid => "",
        }
    }
}

/// Headers that a response shall have in place of the stored ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// `rscc`.
    pub cache_control: Option<String>,
    /// `rscd`.
    pub content_disposition: Option<String>,
    /// `rsce`.
    pub content_encoding: Option<String>,
    /// `rscl`.
    pub content_language: Option<String>,
    /// `rsct`.
    pub content_type: Option<String>,
}

impl ResponseHeaders {
    /// In the order in which every layout has them.
    pub(super) fn read(&self) -> Result<[String; 5], SignError> {
        let Self { cache_control, content_disposition, content_encoding, content_language, content_type } = self;
        let read = |field, value: &Option<String>| text::optional(field, value.as_deref(), LONGEST_TEXT);
        Ok([
            read("response_headers.cache_control", cache_control)?,
            read("response_headers.content_disposition", content_disposition)?,
            read("response_headers.content_encoding", content_encoding)?,
            read("response_headers.content_language", content_language)?,
            read("response_headers.content_type", content_type)?,
        ])
    }
}

/// What a SAS for one service may say besides its resource. Each is as written; what the chosen version cannot carry is refused, never dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SasOptions {
    /// Permission letters, in any order.
    pub permissions: Option<String>,
    /// The addresses that may use it: one IPv4 address or a range. It breaks clients in the account's own region.
    pub ip: Option<String>,
    /// The protocols that it may be used with.
    pub protocol: Protocol,
    /// The encryption scope of what is written with it.
    pub encryption_scope: Option<String>,
    /// Headers of responses.
    pub response_headers: ResponseHeaders,
    /// `sv`; the lowest one that is well deployed and can carry what is asked for where it is absent.
    pub version: Option<Version>,
}

impl SasOptions {
    /// Refuses what tokens for the service have no field for.
    pub(super) fn check_carried(&self, service: Service) -> Result<(), SignError> {
        let kind = match service {
            Service::Blob => return Ok(()),
            Service::File => "a token for files",
            Service::Queue => "a token for queues",
            Service::Table => "a token for tables",
        };
        if self.encryption_scope.is_some() {
            return Err(SignError::NotCarried { field: "encryption_scope", kind });
        }
        if service != Service::File && self.response_headers != ResponseHeaders::default() {
            return Err(SignError::NotCarried { field: "response_headers", kind });
        }
        Ok(())
    }
}

/// The longest free text of a token, in characters.
pub(super) const LONGEST_TEXT: usize = 1024;

/// The longest name of an encryption scope ("Encryption Scopes - Put").
const LONGEST_SCOPE: usize = 63;

pub(super) fn ip_range(text: Option<&str>) -> Result<String, SignError> {
    text.map_or(Ok(String::new()), ip::range)
}

pub(super) fn encryption_scope(text: Option<&str>, version: Version) -> Result<String, SignError> {
    if text.is_some() {
        version.require("encryption_scope", Version::V2020_12_06)?;
    }
    text::optional("encryption_scope", text, LONGEST_SCOPE)
}
