//! A JSON value in memory.

use std::borrow::Cow;

use crate::Millis;
use crate::encoding::text::{digits, part, take_field, trim_end};

/// Any JSON value.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Self>),
    /// An object.
    Object(Map),
}

impl Value {
    /// Creates an object from the fields that are not `null`.
    pub(crate) fn record<const N: usize>(mut fields: [(&'static str, Self); N]) -> Self {
        Self::take_record(&mut fields)
    }

    /// Not generic, so that its code exists once.
    fn take_record(fields: &mut [(&'static str, Self)]) -> Self {
        let fields = fields.iter_mut().filter(|(_, value)| !value.is_null());
        Self::Object(Map(fields.map(|(name, value)| ((*name).into(), value.take())).collect()))
    }

    /// Returns a field of an object. Returns `None` if the field is absent or the value is not an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    /// Returns a mutable field of an object. Returns `None` if the field is absent or the value is not an object.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        match self {
            Self::Object(fields) => fields.get_mut(name),
            _ => None,
        }
    }

    /// Returns the text of a string. Returns `None` for other values.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of [`Number::as_f64`] for a number. Returns `None` for other values.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    /// Returns whether the value is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the value, and leaves `null` in its place.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

macro_rules! from_integer {
    ($($number:ty as $wide:ty),+) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Number(Number(<$wide>::from(number).to_string()))
            }
        }
    )+};
}

// Each type that is formatted adds code to a page, so the small ones are converted.
from_integer!(i32 as i64, i64 as i64, u32 as u64, u64 as u64);

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

/// `None` becomes `null`.
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A number as its text. Two numbers are equal if their texts are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(pub(super) String);

impl Number {
    /// Converts a double, rounded to thousandths. Returns `None` if the double is not finite, or if its absolute value
    /// is larger than 10^15. Writing the exact form of any double would add tables of 10 kB to a page.
    #[must_use]
    pub fn rounded(number: f64) -> Option<Self> {
        #[allow(clippy::cast_possible_truncation, reason = "10^18 fits")]
        (number.abs() <= 1e15).then(|| Self::thousandths((number * 1000.0).round() as i64))
    }

    /// Converts milliseconds to seconds, which is the unit of times on the wire. The result is exact.
    #[must_use]
    pub fn seconds(time: Millis) -> Self {
        Self::thousandths(i64::try_from(time).unwrap_or(i64::MAX))
    }

    fn thousandths(thousandths: i64) -> Self {
        let sign = if thousandths < 0 { "-" } else { "" };
        let (whole, rest) = (thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000);
        let mut text = format!("{sign}{whole}");
        if rest > 0 {
            text.push_str(trim_end(&format!(".{rest:03}"), b'0'));
        }
        Self(text)
    }

    /// Returns the text of the number in JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the number as an integer. Returns `None` if the number is not written as an integer, or does not fit
    /// into an `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0.strip_prefix('-') {
            Some(text) => digits(text).and_then(|number| 0_i64.checked_sub_unsigned(number)),
            None => digits(&self.0).and_then(|number| number.try_into().ok()),
        }
    }

    /// Returns the number as a double. The result is exact for at most 15 digits and an exponent from -22 to 22, which
    /// includes all limits and times of the protocol. Other numbers can differ by a few units in the last place. A
    /// number that is too large becomes infinite.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        /// Further digits are ignored: a double has 15 to 17.
        const FULL: u64 = 100_000_000_000_000_000;
        let mut rest = self.0.as_str();
        let mantissa = take_field(&mut rest, b"eE");
        let (sign, power) = match rest.as_bytes().first() {
            Some(b'-') => (-1, part(rest, 1..)),
            Some(b'+') => (1, part(rest, 1..)),
            _ => (1, rest),
        };
        // A larger exponent makes every number infinite or 0 too.
        let power = if power.is_empty() { 0 } else { digits(power).unwrap_or(u64::MAX) };
        let mut exponent = sign * i32::try_from(power).unwrap_or(i32::MAX);
        let mut whole = 0_u64;
        let mut fraction = false;
        for digit in mantissa.bytes() {
            match digit {
                b'.' => fraction = true,
                b'0'..=b'9' if whole < FULL => {
                    whole = whole * 10 + u64::from(digit - b'0');
                    exponent = exponent.saturating_sub(i32::from(fraction));
                }
                b'0'..=b'9' => exponent = exponent.saturating_add(i32::from(!fraction)),
                _ => {}
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "the documented precision")]
        let mut number = whole as f64;
        let mut left = exponent.unsigned_abs();
        while left > 0 && number != 0.0 && number.is_finite() {
            let step = left.min(22);
            let factor = (0..step).fold(1.0, |power, _| power * 10.0);
            number = if exponent < 0 { number / factor } else { number * factor };
            left -= step;
        }
        if mantissa.starts_with('-') { -number } else { number }
    }
}

/// The fields of an object in their order. Of several fields with the same name, the last one counts.
#[derive(Debug, Clone, Default)]
pub struct Map(pub(super) Vec<(Name, Value)>);

/// The name of a field. A name in this code takes no memory.
pub type Name = Cow<'static, str>;

impl Map {
    /// Creates an empty object.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Returns the mutable value of a field.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Sets a field.
    pub fn insert(&mut self, name: impl Into<Name>, value: Value) {
        let name = name.into();
        match self.get_mut(&name) {
            Some(place) => *place = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes all fields with the name except the last field.
    pub(crate) fn remove_duplicates(&mut self, name: &str) {
        let mut earlier = self.0.iter().filter(|(own, _)| own == name).count().saturating_sub(1);
        if earlier > 0 {
            self.0.retain(|(own, _)| {
                let forgotten = earlier > 0 && own == name;
                earlier -= usize::from(forgotten);
                !forgotten
            });
        }
    }

    /// Keeps the fields that match a condition.
    pub fn retain(&mut self, mut condition: impl FnMut(&str, &Value) -> bool) {
        self.0.retain(|(name, value)| condition(name, value));
    }

    /// Iterates over the fields with their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Returns the number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The order of the fields does not matter. Of several fields with the same name, the last one counts.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        let within = |one: &Self, other: &Self| one.iter().all(|(name, _)| one.get(name) == other.get(name));
        within(self, other) && within(other, self)
    }
}

impl IntoIterator for Map {
    type Item = (Name, Value);
    type IntoIter = std::vec::IntoIter<(Name, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<Name>> FromIterator<(N, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}
