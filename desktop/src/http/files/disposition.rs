//! Parses the name of an uploaded file from `Content-Disposition`, in the encodings of browsers and other clients.
//!
//! multer, the parser of the form, does not decode escapes and does not support `filename*`.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The reason why a header contains no usable file name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FilenameError {
    /// The header has no file name, so the field is not a file.
    Missing,
    /// The name is not valid in the declared charset, or the charset is not supported. The charset is UTF-8 if the
    /// header declares none.
    Undecodable,
}

/// Returns the file name in a `Content-Disposition` header: the value of `filename*` (RFC 5987) if present, otherwise
/// of `filename`.
pub(super) fn filename(header: &[u8]) -> Result<String, FilenameError> {
    let (mut plain, mut extended) = (None, None);
    let mut rest = header;
    while let Some(parameter) = next_parameter(&mut rest) {
        let Parameter { name, value, quoted } = parameter;
        if name.eq_ignore_ascii_case(b"filename*") {
            extended = extended.or(Some(value));
        } else if name.eq_ignore_ascii_case(b"filename") {
            plain = plain.or(Some((value, quoted)));
        }
    }
    match (extended, plain) {
        (Some(value), _) => extended_value(value),
        (None, Some((value, true))) => text(unescape(value)),
        (None, Some((value, false))) => text(value.to_vec()),
        (None, None) => Err(FilenameError::Missing),
    }
}

struct Parameter<'a> {
    name: &'a [u8],
    value: &'a [u8],
    quoted: bool,
}

/// Removes the next `; name=value` from the start of `rest` and returns it.
fn next_parameter<'a>(rest: &mut &'a [u8]) -> Option<Parameter<'a>> {
    loop {
        let start = rest.iter().position(|&byte| byte == b';')?;
        let parameter = rest[start + 1..].trim_ascii_start();
        let end = parameter.iter().position(|&byte| matches!(byte, b'=' | b';')).unwrap_or(parameter.len());
        let (name, value) = parameter.split_at(end);
        *rest = value;
        let Some(value) = value.strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let (value, after, quoted) = match value.strip_prefix(b"\"") {
            Some(value) => {
                let end = end_of_quoted(value);
                (&value[..end], &value[end..], true)
            }
            None => {
                let end = value.iter().position(|&byte| byte == b';').unwrap_or(value.len());
                (value[..end].trim_ascii_end(), &value[end..], false)
            }
        };
        *rest = after;
        return Some(Parameter { name: name.trim_ascii_end(), value, quoted });
    }
}

/// Returns the index of the quote that ends a value. A quote after a backslash is escaped, except if no later quote
/// could end the value: browsers do not escape a backslash at the end of a name.
fn end_of_quoted(value: &[u8]) -> usize {
    let mut last = None;
    let mut index = 0;
    while index < value.len() {
        match value[index] {
            b'\\' if matches!(value.get(index + 1), Some(b'"' | b'\\')) => {
                if value[index + 1] == b'"' {
                    last = Some(index + 1);
                }
                index += 2;
            }
            b'"' => return index,
            _ => index += 1,
        }
    }
    last.unwrap_or(value.len())
}

/// Decodes the escapes of browsers (only `%22`, `%0D` and `%0A`, for a quote and line breaks) and of older clients
/// (`\"` and `\\`). If the value has no `\"`, a backslash is a literal backslash, as in browsers.
fn unescape(value: &[u8]) -> Vec<u8> {
    let escapes = value.windows(2).any(|pair| pair == b"\\\"");
    let mut name = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, length) = match rest {
            [b'\\', escaped @ (b'"' | b'\\'), ..] if escapes => (*escaped, 2),
            [b'%', b'2', b'2', ..] => (b'"', 3),
            [b'%', b'0', b'D', ..] => (b'\r', 3),
            [b'%', b'0', b'A', ..] => (b'\n', 3),
            _ => (first, rest.len() - after.len()),
        };
        name.push(byte);
        rest = &rest[length..];
    }
    name
}

/// Decodes an extended value, `charset'language'percent-encoded`. The value must not include quotes.
fn extended_value(value: &[u8]) -> Result<String, FilenameError> {
    let mut parts = value.splitn(3, |&byte| byte == b'\'');
    let (Some(charset), Some(_language), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(FilenameError::Undecodable);
    };
    let bytes: Cow<'_, [u8]> = percent_decode(encoded).into();
    if charset.eq_ignore_ascii_case(b"utf-8") {
        text(bytes.into_owned())
    } else if charset.eq_ignore_ascii_case(b"iso-8859-1") {
        Ok(bytes.iter().map(|&byte| char::from(byte)).collect())
    } else {
        Err(FilenameError::Undecodable)
    }
}

fn text(bytes: Vec<u8>) -> Result<String, FilenameError> {
    String::from_utf8(bytes).map_err(|_| FilenameError::Undecodable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<String, FilenameError> {
        filename(header.as_bytes())
    }

    #[test]
    fn names_are_decoded_in_the_encoding_of_each_client() {
        for (header, name) in [
            // The format of browsers, undici, and curl since 7.81.
            (r#"form-data; name="file"; filename="say %22hi%22.txt""#, "say \"hi\".txt"),
            (r#"form-data; name="file"; filename="a%0D%0Ab.txt""#, "a\r\nb.txt"),
            (r#"form-data; name="file"; filename="100%25 %41 %2.txt""#, "100%25 %41 %2.txt"),
            (r#"form-data; name="file"; filename="a\b.txt""#, r"a\b.txt"),
            (r#"form-data; name="file"; filename="é 世界 🙂; x=.txt""#, "é 世界 🙂; x=.txt"),
            (r#"form-data; name="file"; filename="a\""#, r"a\"),
            // The format of curl --form-escape, older curl, and urllib3 1.26.
            (r#"form-data; name="file"; filename="say \"hi\" \\ a.txt""#, r#"say "hi" \ a.txt"#),
            (r#"form-data; name="file"; filename="a\\b\\""#, r"a\\b\\"),
            (r#"form-data; name="file"; filename="a\"; name=\"b""#, r#"a"; name="b"#),
            // The formats of RFC 5987 and RFC 2616.
            ("form-data; name=file; filename*=UTF-8''%C3%A9.txt", "é.txt"),
            ("form-data; name=file; filename*=utf-8'en'a%20b.txt; x=y", "a b.txt"),
            ("form-data; name=file; filename*=iso-8859-1''%E9.txt", "é.txt"),
            (r#"form-data; name="file"; filename*="UTF-8''%C3%A9.txt""#, "é.txt"),
            (r#"form-data; name="file"; filename="e.txt"; filename*=UTF-8''%C3%A9.txt"#, "é.txt"),
            (r#"form-data; filename*=UTF-8''%C3%A9.txt; filename="e.txt"; name="file""#, "é.txt"),
            ("form-data; name=file; filename=a.txt", "a.txt"),
            ("form-data; name=file; filename=a.txt ; x=y", "a.txt"),
            ("form-data;name=file;FileName = \"a.txt\"", "a.txt"),
            (r#"form-data; name="; filename=\"no\""; filename="yes""#, "yes"),
            (r#"form-data; name="file"; filename="""#, ""),
        ] {
            assert_eq!(read(header).as_deref(), Ok(name), "{header}");
        }
    }

    #[test]
    fn missing_and_undecodable_names_are_different_errors() {
        for header in [
            "",
            "form-data",
            "form-data; name=file",
            "form-data; filename",
            "form-data; ;;",
            "form-data; x=filename=y",
        ] {
            assert_eq!(read(header), Err(FilenameError::Missing), "{header}");
        }
        for header in [
            "form-data; filename*=a.txt",
            "form-data; filename*=UTF-8''%E9",
            "form-data; filename*=koi8-r''%E9",
            r#"form-data; filename="e.txt"; filename*=UTF-8''%E9"#,
        ] {
            assert_eq!(read(header), Err(FilenameError::Undecodable), "{header}");
        }
        assert_eq!(filename(b"form-data; filename=\"\xe9.txt\""), Err(FilenameError::Undecodable));
    }

    #[test]
    fn no_header_causes_a_panic() {
        // Tries all sequences of up to six of these pieces.
        let pieces: [&[u8]; 8] = [b";", b"filename", b"*", b"=", b"\"", b"\\", b"%22", b"''"];
        let mut headers: Vec<Vec<u8>> = vec![Vec::new()];
        for _ in 0..6 {
            let longer =
                headers.iter().flat_map(|header| pieces.iter().map(move |piece| [header, *piece].concat()));
            headers = longer.collect();
            for header in &headers {
                let _ = filename(header);
            }
        }
    }
}
