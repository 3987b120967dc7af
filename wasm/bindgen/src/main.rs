//! Writes the JavaScript glue of a WebAssembly module: `orgo-bindgen MODULE FOLDER NAME`.
//!
//! The CLI of wasm-bindgen can do this too. It has twice as many dependencies, and a new machine compiles them from source.

use std::env;

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [module, folder, name] = args.as_slice() else {
        bail!("orgo-bindgen: expected 3 arguments, MODULE FOLDER NAME, but there are {}", args.len());
    };
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.typescript(false).input_path(module).out_name(name);
    bindgen.generate(folder)
}
