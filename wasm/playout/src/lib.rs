//! The core's playout for an audio worklet. There is no JavaScript glue: a worklet has no `TextDecoder`, which that of
//! wasm-bindgen needs. `npm/src/audio/playout.js` is the other side of these functions.
//!
//! The source of the core is compiled in here, rather than its crate linked: the crate brings the standard library,
//! whose allocator and panics are several times as large as this whole module.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod bare;
#[path = "../../../core/src/audio/playout/mod.rs"]
pub mod playout;

use alloc::boxed::Box;
use alloc::vec::Vec;

use playout::{Depth, Loudness, Playout, Stats};

/// A playout with the memory through which samples and figures pass.
#[derive(Debug)]
pub struct Player {
    playout: Playout,
    input: Vec<f32>,
    output: Vec<f32>,
    figures: [f64; 11],
}

/// Makes a player, for a depth in milliseconds. It lives as long as the instance of the module.
#[unsafe(no_mangle)]
pub extern "C" fn create(
    input_rate: u32,
    channels: u32,
    output_rate: u32,
    first: f64,
    least: f64,
) -> Box<Player> {
    let channels = u16::try_from(channels).unwrap_or(u16::MAX);
    Box::new(Player {
        playout: Playout::new(input_rate, channels, output_rate, Depth { first, least }),
        input: Vec::new(),
        output: Vec::new(),
        figures: [0.0; 11],
    })
}

/// Where to write so many samples before they are pushed.
#[unsafe(no_mangle)]
pub extern "C" fn input(player: &mut Player, samples: usize) -> *mut f32 {
    player.input.resize(samples, 0.0);
    player.input.as_mut_ptr()
}

/// Takes the samples that were written.
#[unsafe(no_mangle)]
pub extern "C" fn push(player: &mut Player) {
    player.playout.push(&player.input);
}

/// What is pushed next does not continue what was pushed before.
#[unsafe(no_mangle)]
pub extern "C" fn splice(player: &mut Player) {
    player.playout.splice();
}

/// Plays so many frames; they are there channel by channel.
#[unsafe(no_mangle)]
pub extern "C" fn pull(player: &mut Player, frames: usize, channels: usize) -> *const f32 {
    player.output.resize(frames * channels, 0.0);
    player.playout.pull(&mut player.output, channels);
    player.output.as_ptr()
}

/// Lets the sound end.
#[unsafe(no_mangle)]
pub extern "C" fn stop(player: &mut Player) {
    player.playout.stop();
}

/// Whether it has ended.
#[unsafe(no_mangle)]
pub extern "C" fn stopped(player: &Player) -> bool {
    player.playout.stopped()
}

/// The figures, in the order of `Stats`, then the peak and the power since this was asked last.
#[unsafe(no_mangle)]
#[allow(clippy::cast_precision_loss, reason = "no sound is 2^52 samples long")]
pub extern "C" fn report(player: &mut Player) -> *const f64 {
    let Stats { received, played, buffered, dropped, concealed, underruns, target, rate, playing } =
        player.playout.stats();
    let Loudness { peak, power } = player.playout.loudness();
    let counts = [received, played, buffered, dropped, concealed, underruns].map(|count| count as f64);
    player.figures[..6].copy_from_slice(&counts);
    player.figures[6..].copy_from_slice(&[
        target,
        rate,
        f64::from(u8::from(playing)),
        f64::from(peak),
        power,
    ]);
    player.figures.as_ptr()
}
