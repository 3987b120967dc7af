//! Memory of JavaScript that the I/O thread fills. The JavaScript thread then neither copies large content nor waits for
//! the system to provide the pages of its memory. Unlike memory of Rust, such memory can be transferred to a worker.

use std::ptr;

use napi::bindgen_prelude::Result;
use napi::{check_status, sys};
use tokio::sync::oneshot;
use tokio::task::yield_now;

use crate::io_thread;
use crate::mailbox::{Delivery, Mailbox};

/// The smallest content for which the additional message to the JavaScript thread is worth its cost, in bytes.
pub(crate) const MIN_BYTES: usize = 64 << 10;
/// The number of bytes that are copied before the other tasks of the I/O thread run.
const CHUNK: usize = 256 << 10;

/// The memory of a `Uint8Array`.
pub(crate) struct Memory {
    /// A reference to a `Buffer`, which keeps the memory valid until the environment ends.
    buffer: sys::napi_ref,
    data: *mut u8,
    length: usize,
}

// SAFETY: the reference is used only on the JavaScript thread. The memory is used by one thread at a time: by the I/O
// thread until the content is complete.
unsafe impl Send for Memory {}

impl Memory {
    /// Allocates memory and fills it. Returns `None` if the memory cannot be allocated, or the environment has ended. Call
    /// this on the I/O thread.
    pub(crate) async fn filled(mailbox: &Mailbox, content: &[u8]) -> Option<Self> {
        let (sender, receiver) = oneshot::channel();
        let length = content.len();
        mailbox.deliver(Delivery::Run(Box::new(move |environment| {
            // The receiver waits, because a delivered function is not dropped while the environment is alive.
            let _ = sender.send(Self::allocate(environment.raw(), length).ok());
        })));
        io_thread::wake_later(mailbox.clone());
        let memory = receiver.await.ok()??;
        let mut filled = 0;
        for chunk in content.chunks(CHUNK) {
            mailbox.while_alive(|| {
                // SAFETY: the memory has `length` bytes, is valid while the environment is alive, and is not used by
                // JavaScript yet.
                unsafe { ptr::copy_nonoverlapping(chunk.as_ptr(), memory.data.add(filled), chunk.len()) };
            })?;
            filled += chunk.len();
            if filled < length {
                yield_now().await;
            }
        }
        Some(memory)
    }

    /// Allocates memory and copies the content at once.
    ///
    /// # Safety
    /// `env` is the environment of this thread.
    pub(crate) unsafe fn copied(env: sys::napi_env, content: &[u8]) -> Result<Self> {
        let memory = Self::allocate(env, content.len())?;
        // SAFETY: the memory has this length, and nothing else uses it yet.
        unsafe { ptr::copy_nonoverlapping(content.as_ptr(), memory.data, content.len()) };
        Ok(memory)
    }

    fn allocate(env: sys::napi_env, length: usize) -> Result<Self> {
        let (mut data, mut value, mut buffer) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // A `Buffer` is not cleared, unlike an `ArrayBuffer`.
        // SAFETY: callers pass the environment of this thread.
        check_status!(unsafe { sys::napi_create_buffer(env, length, &raw mut data, &raw mut value) })?;
        // SAFETY: as above, and `value` is a value of the environment.
        check_status!(unsafe { sys::napi_create_reference(env, value, 1, &raw mut buffer) })?;
        Ok(Self { buffer, data: data.cast(), length })
    }

    /// Returns the memory as a `Uint8Array`.
    ///
    /// # Safety
    /// `env` is the current environment, and the memory was allocated in it.
    pub(crate) unsafe fn into_array(self, env: sys::napi_env) -> Result<sys::napi_value> {
        let (mut buffer, mut array_buffer, mut array) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let mut offset = 0;
        // SAFETY: promised by the caller.
        check_status!(unsafe { sys::napi_get_reference_value(env, self.buffer, &raw mut buffer) })?;
        // SAFETY: as above. The reference is not used again.
        check_status!(unsafe { sys::napi_delete_reference(env, self.buffer) })?;
        // SAFETY: as above, and a `Buffer` is a typed array.
        check_status!(unsafe {
            sys::napi_get_typedarray_info(
                env,
                buffer,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                &raw mut array_buffer,
                &raw mut offset,
            )
        })?;
        let kind = sys::TypedarrayType::uint8_array;
        // SAFETY: as above.
        check_status!(unsafe {
            sys::napi_create_typedarray(env, kind, self.length, array_buffer, offset, &raw mut array)
        })?;
        Ok(array)
    }
}
