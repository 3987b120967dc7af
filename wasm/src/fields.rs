//! Settings and options, read field by field: a wrong one is named, and no decoder has to be built for each kind.

use js_sys::{Array, Reflect};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;
use orgo_core::encoding::json::Map;
use orgo_core::error::Error;
use wasm_bindgen::{JsCast, JsValue};

use crate::convert::{map_from_js, refused};

/// An object that `owner`, a call or an object of the library, got.
pub(crate) struct Fields<'a> {
    pub(crate) owner: &'a str,
    pub(crate) object: &'a JsValue,
}

impl Fields<'_> {
    /// Text; `None` where there is none.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        self.read(name, "must be text", JsValue::as_string)
    }

    /// A number; `None` where there is none.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        self.read(name, "must be a number", JsValue::as_f64)
    }

    /// Whether something is so; what is absent is not.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        self.read(name, "must be true or false", JsValue::as_bool).map(Option::unwrap_or_default)
    }

    /// Where a computer's channels are, and its password.
    pub(crate) fn known(&self) -> Result<(ComputerAddress, Option<Password>), Error> {
        let address = ComputerAddress {
            computer_id: self.text("computer_id")?.unwrap_or_default(),
            instance_id: self.text("instance_id")?,
            connection_url: self.text("connection_url")?,
        };
        Ok((address, self.text("password")?.map(Password::new)))
    }

    /// A list of text, empty where there is none.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        self.read(name, "must be a list of text", texts_from_js).map(Option::unwrap_or_default)
    }

    /// An object of plain data, an empty one where there is none.
    pub(crate) fn map(&self, name: &str) -> Result<Map, Error> {
        let data =
            self.read(name, "must be an object of text", |value| map_from_js(self.owner, name, value).ok())?;
        Ok(data.unwrap_or_default())
    }

    /// The error does not show the value, which may hold a secret.
    fn read<T>(
        &self,
        name: &str,
        problem: &str,
        convert: impl FnOnce(&JsValue) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        // Reading a field of what is no object throws: there is no field.
        let value = Reflect::get(self.object, &name.into()).unwrap_or_default();
        if value.is_undefined() || value.is_null() {
            return Ok(None);
        }
        convert(&value).map(Some).ok_or_else(|| refused(self.owner, name, problem))
    }
}

/// The members of a list, if it is one and all of them are text.
pub(crate) fn texts_from_js(value: &JsValue) -> Option<Vec<String>> {
    value.dyn_ref::<Array>()?.iter().map(|text| text.as_string()).collect()
}
