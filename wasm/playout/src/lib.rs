//! A C interface to [`orgo_playout`] for an audio worklet. `npm/src/audio/playout.ts` calls these functions.
//!
//! The module does not use wasm-bindgen, because its JavaScript needs a `TextDecoder`, which worklets do not have. The
//! module does not use the standard library, because the allocator and the panic handling of that library are several
//! times as large as this module.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod bare;

use alloc::boxed::Box;
use alloc::vec::Vec;

use orgo_playout::{Depth, Loudness, Playout, Stats};

/// A playout with the buffers that JavaScript reads and writes.
#[derive(Debug)]
pub struct Player {
    playout: Playout,
    input: Vec<f32>,
    output: Vec<f32>,
    figures: [f64; 11],
}

/// Creates a player. Rates are in frames per second, `initial` and `min` (see [`Depth`]) in milliseconds. The player
/// lives as long as the instance of the module.
#[unsafe(no_mangle)]
pub extern "C" fn create(
    input_rate: u32,
    channels: u32,
    output_rate: u32,
    initial: f64,
    min: f64,
) -> Box<Player> {
    let channels = u16::try_from(channels).unwrap_or(u16::MAX);
    Box::new(Player {
        playout: Playout::new(input_rate, channels, output_rate, Depth { initial, min }),
        input: Vec::new(),
        output: Vec::new(),
        figures: [0.0; 11],
    })
}

/// Returns the address at which JavaScript writes the given number of samples before it calls [`push`].
#[unsafe(no_mangle)]
pub extern "C" fn input(player: &mut Player, samples: usize) -> *mut f32 {
    player.input.resize(samples, 0.0);
    player.input.as_mut_ptr()
}

/// Adds the samples that JavaScript has written.
#[unsafe(no_mangle)]
pub extern "C" fn push(player: &mut Player) {
    player.playout.push(&player.input);
}

/// Marks a discontinuity: samples between the last push and the next one were lost.
#[unsafe(no_mangle)]
pub extern "C" fn splice(player: &mut Player) {
    player.playout.splice();
}

/// Plays the given number of frames. Returns the address of the samples, channel by channel.
#[unsafe(no_mangle)]
pub extern "C" fn pull(player: &mut Player, frames: usize, channels: usize) -> *const f32 {
    player.output.resize(frames * channels, 0.0);
    player.playout.pull(&mut player.output, channels);
    player.output.as_ptr()
}

/// Ends playback with a fade-out.
#[unsafe(no_mangle)]
pub extern "C" fn stop(player: &mut Player) {
    player.playout.stop();
}

/// Returns whether playback has ended.
#[unsafe(no_mangle)]
pub extern "C" fn stopped(player: &Player) -> bool {
    player.playout.stopped()
}

/// Returns the address of the statistics: the fields of [`Stats`] in their order, then the peak and the power since the
/// last call.
#[unsafe(no_mangle)]
#[allow(clippy::cast_precision_loss, reason = "no audio is 2^52 samples long")]
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
