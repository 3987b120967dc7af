//! What a program without the standard library needs: memory, and an end for panics.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size, unreachable};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

const PAGE: usize = 65_536;

unsafe extern "C" {
    /// Where the linker's part of the memory ends.
    static __heap_base: u8;
}

/// Hands out memory and never takes it back: an instance of the module plays one format, and allocates for it once.
struct Bump {
    /// The end of what was handed out; zero at first.
    end: AtomicUsize,
}

#[global_allocator]
static MEMORY: Bump = Bump { end: AtomicUsize::new(0) };

// SAFETY: every piece begins beyond the end of all earlier ones, aligned as asked for, in memory that is there.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let end = match self.end.load(Ordering::Relaxed) {
            0 => &raw const __heap_base as usize,
            end => end,
        };
        let Some(start) = end.checked_next_multiple_of(layout.align()) else { return null_mut() };
        let Some(end) = start.checked_add(layout.size()) else { return null_mut() };
        let missing = end.saturating_sub(memory_size(0) * PAGE).div_ceil(PAGE);
        if missing > 0 && memory_grow(0, missing) == usize::MAX {
            return null_mut();
        }
        self.end.store(end, Ordering::Relaxed);
        start as *mut u8
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

/// A trap: the worklet's processor throws, and the page is told.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unreachable()
}
