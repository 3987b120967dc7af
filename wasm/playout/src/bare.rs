//! The allocator and the panic handler, which a program without the standard library has to provide.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size, unreachable};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

const PAGE: usize = 65_536;

unsafe extern "C" {
    /// The end of the memory that the linker uses.
    static __heap_base: u8;
}

/// A bump allocator that never frees: an instance of the module plays one format, and allocates its buffers once.
struct Bump {
    /// The end of the allocated memory; zero before the first allocation.
    end: AtomicUsize,
}

#[global_allocator]
static MEMORY: Bump = Bump { end: AtomicUsize::new(0) };

// SAFETY: every block starts beyond the end of all earlier blocks, has the requested alignment, and is in allocated
// memory.
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

/// Traps. The processor of the worklet then throws, and the page receives its `processorerror` event.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unreachable()
}
