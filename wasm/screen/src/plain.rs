//! Plain data of JavaScript.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use js_sys::{Array, Object, Uint8Array};
use orgo_screen::{Argument, Record};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

// The names pass as texts: each value of JavaScript needs code that frees it.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    type Fields;

    #[wasm_bindgen(method, indexing_getter)]
    fn get(this: &Fields, name: &str) -> JsValue;
    #[wasm_bindgen(method, indexing_setter)]
    fn set_number(this: &Fields, name: &str, value: f64);
    #[wasm_bindgen(method, indexing_setter)]
    fn set_text(this: &Fields, name: &str, value: &str);
    #[wasm_bindgen(method, indexing_setter)]
    fn set(this: &Fields, name: &str, value: &JsValue);
}

/// A plain value.
pub(crate) struct Plain(JsValue);

impl Plain {
    pub(crate) fn new(value: JsValue) -> Self {
        Self(value)
    }

    fn fields(&self) -> &Fields {
        self.0.unchecked_ref()
    }
}

impl From<Plain> for JsValue {
    fn from(Plain(value): Plain) -> Self {
        value
    }
}

impl Argument for Plain {
    /// Numbers that JSON does not have count as null, as in the other bindings.
    fn is_null(&self) -> bool {
        self.0.is_null() || self.0.is_undefined() || self.0.as_f64().is_some_and(|number| !number.is_finite())
    }

    fn as_bool(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn as_number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn as_text(&self) -> Option<String> {
        self.0.as_string()
    }

    fn items(&self) -> Option<Vec<Self>> {
        let list = self.0.dyn_ref::<Array>()?;
        let mut items = Vec::new();
        for index in 0..list.length() {
            items.push(Self(list.get(index)));
        }
        Some(items)
    }

    #[inline(never)]
    fn field(&self, name: &str) -> Self {
        // Reading a field of null throws.
        Self(if self.0.is_object() { self.fields().get(name) } else { JsValue::NULL })
    }
}

impl Record for Plain {
    fn empty() -> Self {
        Self(Object::new().into())
    }

    fn number(&mut self, name: &'static str, value: u64) {
        #[allow(clippy::cast_precision_loss, reason = "it is below 2^53")]
        self.fields().set_number(name, value as f64);
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.fields().set_text(name, value);
    }

    fn list(&mut self, name: &'static str, items: Vec<Self>) {
        let list = Array::new();
        for item in items {
            list.push(&item.0);
        }
        self.fields().set(name, &list);
    }

    fn long_text(&mut self, name: &'static str, value: String) {
        self.fields().set_text(name, &value);
    }

    fn bytes(&mut self, name: &'static str, value: Arc<Vec<u8>>) {
        self.fields().set(name, &Uint8Array::from(value.as_slice()));
    }
}
