//! Prepares glibc's allocator for large content and many connections.
//!
//! By default, glibc requests an allocation of 128 KiB or more from the system and returns it when it is freed, and it
//! extends the memory of a thread by single pages, with a system call for each. The system clears each page at its first
//! use. For the pixels of a screen, this takes longer than the copy. When glibc frees such an allocation, it adapts: from
//! then on, it requests only larger allocations from the system, up to 32 MiB, and keeps up to twice this size of freed
//! memory for later allocations.

/// The size of the allocations that glibc then keeps, in bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: usize = 31 << 20;

/// Makes the process keep freed memory, and reserves addresses for this thread. The pages are not used, so this needs no
/// memory.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn prepare() {
    // The first allocation is from the system, unless another thread has prepared the process. The second one extends the
    // memory of this thread.
    for _ in 0..2 {
        let mut memory = Vec::<u8>::new();
        // Without this memory, everything works, but takes longer.
        let _ = memory.try_reserve_exact(KEPT);
        drop(std::hint::black_box(memory));
    }
}

/// Only glibc needs this.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn prepare() {}
