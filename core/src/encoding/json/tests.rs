use super::value::{Map, Number, Value};
use super::{Limit, MAX_VALUES, SyntaxError, members, parse, quote};
use crate::rest::retry::Jitter;

fn read(json: &str) -> Result<Value, SyntaxError> {
    parse(json.as_bytes())
}

fn error(at: usize) -> SyntaxError {
    SyntaxError { at, exceeded: None }
}

/// Parses JSON with the reference implementation. To compare a value, a test parses the written text of the value,
/// which keeps the digits of every number.
fn reference(json: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(json).ok()
}

#[test]
fn valid_json_is_accepted() {
    for json in [
        "null",
        " true ",
        "\t\r\nfalse",
        "0",
        "-0",
        "-12.50e+3",
        "1E5",
        "123456789012345678901234567890",
        "0.1e-400",
        r#""""#,
        r#""\"\\\/\b\f\n\r\t\u00e9\ud83e\udd80""#,
        r#""\u0000 \u007f é 🦀""#,
        "[]",
        "[ ]",
        "[1,[2,[]],{}]",
        "{}",
        "{ }",
        r#"{"a":1,"":{"a":[null]} , "é" : "x"}"#,
    ] {
        let value = read(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(reference(value.to_string().as_bytes()), reference(json.as_bytes()), "{json}");
        assert_eq!(read(&value.to_string()), Ok(value), "{json}");
    }
}

#[test]
fn the_error_of_invalid_json_contains_its_offset() {
    for (json, at) in [
        ("", 0),
        (" ", 1),
        ("nul", 0),
        ("nulll", 4),
        ("+1", 0),
        ("01", 1),
        ("1.", 2),
        (".5", 0),
        ("-", 1),
        ("1e", 2),
        ("1e+", 3),
        ("0x1", 1),
        ("NaN", 0),
        ("Infinity", 0),
        ("'a'", 0),
        ("\"", 1),
        ("\"a", 2),
        ("\"\n\"", 1),
        (r#""\x""#, 2),
        (r#""\u12g4""#, 5),
        (r#""\u123"#, 6),
        ("\"\\", 2),
        ("[", 1),
        ("[1", 2),
        ("[1,", 3),
        ("[1,]", 3),
        ("[,1]", 1),
        ("[1 2]", 3),
        ("[1}", 2),
        ("{", 1),
        (r#"{"a"}"#, 4),
        (r#"{"a":}"#, 5),
        (r#"{"a":1,}"#, 7),
        ("{a:1}", 1),
        ("{1:1}", 1),
        ("[] []", 3),
        ("/**/1", 0),
        ("1\u{feff}", 1),
        ("\u{feff}\u{feff}1", 3),
    ] {
        assert_eq!(read(json), Err(error(at)), "{json}");
        assert_eq!(reference(json.as_bytes()), None, "{json}");
    }
}

#[test]
fn a_byte_order_mark_is_ignored() {
    assert_eq!(read("\u{feff}[1]"), read("[1]"));
    assert_eq!(read("\u{feff}"), Err(error(3)));
}

#[test]
fn invalid_text_is_replaced() {
    assert_eq!(parse(b"\"a\xff\""), Ok("a\u{fffd}".into()));
    for lone in [r#""\ud83e""#, r#""\udd80""#, r#""\ud83ex""#, r#""\ud83e\n""#, r#""\ud83e\ud83e""#] {
        let value = read(lone).unwrap();
        assert!(value.as_str().unwrap().starts_with('\u{fffd}'), "{lone}: {value}");
    }
    assert_eq!(read(r#""\ud83e\ud83e\udd80""#).unwrap().as_str(), Some("\u{fffd}\u{fffd}\u{fffd}🦀"));
}

#[test]
fn the_depth_is_limited() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(read(&nested(128)).is_ok());
    let too_deep = read(&nested(129)).unwrap_err();
    assert_eq!(too_deep, SyntaxError { at: 128, exceeded: Some(Limit::Depth) });
    assert_eq!(too_deep.to_string(), "is nested more than 128 levels deep");
    assert!(read(&"[".repeat(1 << 20)).is_err());
    assert!(read(&r#"{"a":"#.repeat(1 << 20)).is_err());
    // Only the current depth counts.
    assert!(read(&format!("[{}]", vec![nested(100); 100].join(","))).is_ok());
}

#[test]
fn the_number_of_values_is_limited() {
    let too_many = |at| Some(SyntaxError { at, exceeded: Some(Limit::Values) });
    let list = |items: usize| format!("[{}]", vec!["0"; items].join(","));
    // The list is a value too.
    assert!(read(&list(MAX_VALUES - 1)).is_ok());
    assert_eq!(read(&list(MAX_VALUES)).err(), too_many(2 * MAX_VALUES - 1));
    let empty_lists = format!("[{}]", vec!["[]"; MAX_VALUES].join(","));
    assert_eq!(read(&empty_lists).err(), too_many(3 * MAX_VALUES - 2));
    let object = |fields: usize| format!("{{{}}}", vec![r#""":0"#; fields].join(","));
    assert!(read(&object(MAX_VALUES - 1)).is_ok());
    assert_eq!(read(&object(MAX_VALUES)).err(), too_many(5 * MAX_VALUES - 1));
    // Commas in a string do not count.
    assert!(read(&quote(&list(2 * MAX_VALUES))).is_ok());
    let error = read(&list(MAX_VALUES)).unwrap_err();
    assert_eq!(error.to_string(), "holds more than 262144 values");
}

#[test]
fn the_number_of_values_is_also_limited_in_members() {
    let read = |json: &str| members(json.as_bytes(), &mut |_, reader| reader.value().map(drop));
    // Each value is read and dropped, as a terminal does with unknown fields.
    let object = |lists: usize| format!(r#"{{"a":0,"b":[{}]}}"#, vec!["0"; lists].join(","));
    assert_eq!(read(&object(MAX_VALUES - 2)), Ok(()));
    assert!(read(&object(MAX_VALUES - 1)).is_err_and(|error| error.exceeded == Some(Limit::Values)));
}

#[test]
fn numbers_keep_their_digits() {
    for text in ["12345678901234567890123456789", "1.10", "-0.0", "1E400"] {
        assert_eq!(read(text).unwrap().to_string(), text);
    }
}

#[test]
fn numbers_convert_to_doubles() {
    for text in [
        "0",
        "-0",
        "1",
        "-1",
        "0.5",
        "60",
        "86400",
        "0.1",
        "3.14",
        "1e3",
        "1E+2",
        "12e-1",
        "0.000001",
        "999999999999999",
        "9007199254740991",
        "1.5e22",
        "123456.789",
    ] {
        let number = Number(text.to_owned()).as_f64();
        assert_eq!(number, text.parse::<f64>().unwrap(), "{text}");
    }
    for text in
        ["1.7976931348623157e308", "123456789012345678901234567890", "3.1415926535897932384626", "1e-300"]
    {
        let (number, exact) = (Number(text.to_owned()).as_f64(), text.parse::<f64>().unwrap());
        assert!(((number - exact) / exact).abs() < 1e-14, "{text}: {number}");
    }
    assert_eq!(Number("-1e400".to_owned()).as_f64(), f64::NEG_INFINITY);
    assert_eq!(Number("1e99999999999".to_owned()).as_f64(), f64::INFINITY);
    assert_eq!(Number("1e-99999999999".to_owned()).as_f64(), 0.0);
    assert_eq!(Number("0e99999999999".to_owned()).as_f64(), 0.0);
    assert_eq!(Number("1.0".to_owned()).as_i64(), None);
    assert_eq!(Number("-9223372036854775808".to_owned()).as_i64(), Some(i64::MIN));
}

#[test]
fn rounded_numbers_have_at_most_three_decimals() {
    for (number, text) in [
        (0.0, "0"),
        (0.5, "0.5"),
        (-1.25, "-1.25"),
        (2.0, "2"),
        (1.0004, "1"),
        (0.0006, "0.001"),
        (86_400.0, "86400"),
    ] {
        assert_eq!(Number::rounded(number).expect("finite").as_str(), text);
    }
    for number in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.1e15] {
        assert_eq!(Number::rounded(number), None, "{number}");
    }
    assert_eq!(Number::seconds(1_250).as_str(), "1.25");
    assert_eq!(Number::seconds(86_400_000).as_str(), "86400");
}

#[test]
fn the_last_of_several_fields_with_the_same_name_counts() {
    let mut value = read(r#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(value.get("a").and_then(Value::as_f64), Some(3.0));
    *value.get_mut("a").unwrap() = Value::Null;
    assert_eq!(value.get("a"), Some(&Value::Null));
}

#[test]
fn objects_are_compared_by_the_last_field_of_each_name() {
    let twice = read(r#"{"a":1,"a":2}"#).unwrap();
    assert_eq!(twice, twice.clone());
    assert_eq!(read(r#"{"a":2}"#), Ok(twice.clone()));
    assert_ne!(read(r#"{"a":2,"b":1}"#), Ok(twice.clone()));
    assert_ne!(Ok(twice), read(r#"{"a":2,"b":1}"#));
}

#[test]
fn fields_keep_their_order() {
    let json = r#"{"z":1,"a":{"y":2,"b":3}}"#;
    assert_eq!(read(json).unwrap().to_string(), json);
    assert_eq!(read(r#"{"a":1,"b":2}"#), read(r#"{"b":2,"a":1}"#));
    assert_ne!(read(r#"{"a":1}"#), read(r#"{"a":1,"b":2}"#));
}

#[test]
fn quoting_keeps_every_character() {
    let text: String = ('\0'..='\u{300}').chain(['\u{2028}', '\u{ffff}', '🦀', char::MAX]).collect();
    assert_eq!(reference(quote(&text).as_bytes()), Some(text.as_str().into()));
    assert_eq!(read(&quote(&text)), Ok(text.as_str().into()));
}

#[test]
fn serde_reads_and_writes_the_same_values() {
    let json = r#"{"a":[1,-2,2.5,18446744073709551615,null,true,"é"],"b":{}}"#;
    let value = read(json).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
    assert_eq!(serde_json::from_str::<Value>(json).unwrap(), value);
    assert!(serde_json::from_str::<Map>("[]").is_err());
}

/// Appends random JSON text with whitespace and escapes.
fn any(random: &mut Jitter, depth: u64, json: &mut String) {
    let mut space = |json: &mut String| json.push_str(["", "", " ", "\n\t"][random.up_to(3) as usize]);
    space(json);
    match random.up_to(if depth == 0 { 4 } else { 6 }) {
        0 => json.push_str("null"),
        1 => json.push_str(["true", "false"][random.up_to(1) as usize]),
        2 => json.push_str(["0", "-7", "1.5", "2e3", "-0.25E-2"][random.up_to(4) as usize]),
        3 | 4 => any_text(random, json),
        5 => {
            json.push('[');
            for index in 0..random.up_to(4) {
                json.push_str(if index > 0 { "," } else { "" });
                any(random, depth - 1, json);
            }
            json.push(']');
        }
        _ => {
            json.push('{');
            for index in 0..random.up_to(4) {
                json.push_str(if index > 0 { ",\"" } else { "\"" });
                // Names are unique, because readers treat duplicates differently.
                json.push_str(&index.to_string());
                json.push_str("\" :");
                any(random, depth - 1, json);
            }
            json.push('}');
        }
    }
    json.push_str(["", " "][random.up_to(1) as usize]);
}

fn any_text(random: &mut Jitter, json: &mut String) {
    json.push('"');
    for _ in 0..random.up_to(6) {
        json.push_str(
            ["a", "é", "🦀", "\\n", "\\\"", "\\u0041", "\\ud83e\\udd80", "/", " "][random.up_to(8) as usize],
        );
    }
    json.push('"');
}

#[test]
fn random_values_match_the_reference() {
    let mut random = Jitter::new(1);
    for _ in 0..5_000 {
        let mut json = String::new();
        any(&mut random, 4, &mut json);
        let value = read(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(reference(value.to_string().as_bytes()), reference(json.as_bytes()), "{json}");
        assert_eq!(read(&value.to_string()), Ok(value), "{json}");
    }
}

/// Parsing corrupted JSON never panics. If the reference accepts the text, this parser accepts it too. If the reference
/// refuses the text, this parser accepts it only in the cases that the last check lists.
#[test]
fn corrupted_json_matches_the_reference() {
    let mut random = Jitter::new(2);
    for _ in 0..50_000 {
        let mut json = String::new();
        any(&mut random, 3, &mut json);
        let mut bytes = json.into_bytes();
        for _ in 0..=random.up_to(2) {
            let at = random.up_to(bytes.len() as u64) as usize;
            let byte = br#"{}[]",:\/0919.-+eEtrufnals "#[random.up_to(26) as usize];
            match random.up_to(2) {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => {}
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match (parse(&bytes), reference(&bytes)) {
            (Ok(value), Some(expected)) => {
                assert_eq!(reference(value.to_string().as_bytes()), Some(expected), "{text}");
            }
            (Err(error), None) => assert!(error.at <= bytes.len(), "{text}"),
            (Ok(value), None) => {
                // This parser accepts three things that the reference refuses: split characters, unpaired surrogates,
                // and numbers beyond the range of a double.
                let replaced = value.to_string().contains('\u{fffd}');
                let huge = serde_json::from_str::<serde_json::Value>(&value.to_string()).is_err();
                assert!(replaced || huge, "{text}");
            }
            (Err(error), Some(_)) => panic!("{text}: {error}"),
        }
    }
}

#[test]
fn special_characters_end_plain_text_at_every_position() {
    for length in 0..40 {
        for at in 0..length {
            for special in (0..0x20).chain([b'"', b'\\']) {
                let mut text: Vec<u8> = "plain é🦀 \u{7f} !#[]".bytes().cycle().take(length).collect();
                text[at] = special;
                // A second one must not hide the first.
                text[length - 1] = special;
                assert_eq!(super::read::plain_length(&text), at, "{special} in {length} bytes");
            }
        }
        let plain: Vec<u8> = (0..=255).filter(|byte| !matches!(byte, 0..0x20 | b'"' | b'\\')).collect();
        for start in 0..plain.len() {
            let text: Vec<u8> = plain.iter().copied().cycle().skip(start).take(length).collect();
            assert_eq!(super::read::plain_length(&text), length);
        }
    }
}

#[test]
fn escapes_are_decoded_at_every_position() {
    let escapes = [
        r"\n",
        r"\r",
        r"\t",
        r#"\""#,
        r"\\",
        r"\/",
        r"\u001b",
        r"\u007f",
        r"\u00e9",
        r"\u0041",
        r"\ud83e\udd80",
    ];
    let wrong = [r"\x", r"\u001", r"\u00g0", r"\u001g", "\u{1b}", "\n"];
    for before in 0..20 {
        for first in escapes {
            for second in escapes.into_iter().chain(wrong) {
                for between in [0, 1, 3, 7, 8, 300] {
                    let plain =
                        |length: usize| "plain é🦀 !#[]".chars().cycle().take(length).collect::<String>();
                    let json = format!(r#""{}{first}{}{second}{}""#, plain(before), plain(between), plain(9));
                    let expected = serde_json::from_str::<String>(&json).ok();
                    let read =
                        parse(json.as_bytes()).ok().and_then(|value| value.as_str().map(str::to_owned));
                    assert_eq!(read, expected, "{json}");
                }
            }
        }
    }
}
