//! Passes results from the I/O thread to a JavaScript thread.
//!
//! Each environment has one thread-safe function for all results. The I/O thread collects the results of one turn of its
//! loop, and then wakes the JavaScript thread once. A thread-safe function for each promise would cost two system calls
//! and a handle that the event loop checks at every wake-up.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{FromNapiValue as _, JsObjectValue as _, Object, ToNapiValue};
use napi::{Env, Error, Result, Status, check_status, sys};
use orgo_core::Millis;

use crate::clock;

/// A result that the JavaScript thread converts and reports.
pub(crate) type Delivery = Box<dyn FnOnce(&Rc<Environment>) + Send>;

/// The results for one environment. Clones share them.
#[derive(Clone)]
pub(crate) struct Mailbox(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// Whether the memory of the environment is valid. While the lock is held, the environment does not end.
    alive: Mutex<bool>,
    /// The time of the last wake-up.
    woken_at: AtomicU64,
    /// Whether the JavaScript thread has sent something since the last wake-up.
    expects_response: AtomicBool,
}

struct Queue {
    deliveries: Vec<Delivery>,
    /// The function that wakes the JavaScript thread; null after the end of the environment.
    function: sys::napi_threadsafe_function,
    /// Whether the JavaScript thread was woken, and has not taken the results yet.
    woken: bool,
}

// SAFETY: a thread-safe function may be called on any thread. The lock of the queue prevents a call after its end.
unsafe impl Send for Queue {}

/// The part of an environment that only its own thread uses.
pub(crate) struct Environment {
    raw: sys::napi_env,
    mailbox: Mailbox,
    /// The number of unresolved promises. While there are any, the environment stays alive.
    unresolved: Cell<usize>,
    /// `JSON.parse`.
    parse: sys::napi_ref,
}

/// A promise to be resolved on the JavaScript thread.
pub(crate) struct Deferred(sys::napi_deferred);

// SAFETY: only the JavaScript thread uses the handle.
unsafe impl Send for Deferred {}

thread_local! {
    /// The environments of this thread: usually one, and several if a program loads several copies of the addon.
    static ENVIRONMENTS: RefCell<Vec<Rc<Environment>>> = const { RefCell::new(Vec::new()) };
}

impl Environment {
    /// Returns the environment that runs on this thread.
    pub(crate) fn of(env: &Env) -> Result<Rc<Self>> {
        let raw = env.raw();
        let found = ENVIRONMENTS.with_borrow(|all| all.iter().find(|own| own.raw == raw).cloned());
        found.map_or_else(|| Self::new(env), Ok)
    }

    fn new(env: &Env) -> Result<Rc<Self>> {
        let raw = env.raw();
        let queue = Queue { deliveries: Vec::new(), function: ptr::null_mut(), woken: false };
        let mailbox = Mailbox(Arc::new(Shared {
            queue: Mutex::new(queue),
            alive: Mutex::new(true),
            woken_at: AtomicU64::new(0),
            expects_response: AtomicBool::new(true),
        }));
        let name = env.create_string("orgo-sdk")?;
        let mut function = ptr::null_mut();
        // The function owns a reference, which `finalize` releases.
        let context = Arc::into_raw(Arc::clone(&mailbox.0)).cast_mut().cast::<c_void>();
        // SAFETY: `raw` is the current environment, `name` is a value of it, and `context` stays valid until `finalize`.
        check_status!(unsafe {
            sys::napi_create_threadsafe_function(
                raw,
                ptr::null_mut(),
                ptr::null_mut(),
                napi::JsValue::raw(&name),
                0,
                1,
                ptr::null_mut(),
                Some(finalize),
                context,
                Some(deliver),
                &raw mut function,
            )
        })?;
        // SAFETY: as above. An environment without unresolved promises may end.
        check_status!(unsafe { sys::napi_unref_threadsafe_function(raw, function) })?;
        lock(&mailbox.0.queue).function = function;
        let context = Arc::into_raw(Arc::clone(&mailbox.0)).cast_mut().cast::<c_void>();
        // SAFETY: as above. `end` releases this reference.
        check_status!(unsafe { sys::napi_add_env_cleanup_hook(raw, Some(end), context) })?;

        let json: Object<'_> = env.get_global()?.get_named_property_unchecked("JSON")?;
        let parse: napi::Unknown<'_> = json.get_named_property_unchecked("parse")?;
        let mut reference = ptr::null_mut();
        // SAFETY: `parse` is a value of this environment.
        check_status!(unsafe {
            sys::napi_create_reference(raw, napi::JsValue::raw(&parse), 1, &raw mut reference)
        })?;
        let environment = Rc::new(Self { raw, mailbox, unresolved: Cell::new(0), parse: reference });
        ENVIRONMENTS.with_borrow_mut(|all| all.push(Rc::clone(&environment)));
        Ok(environment)
    }

    pub(crate) fn raw(&self) -> sys::napi_env {
        self.raw
    }

    pub(crate) fn mailbox(&self) -> Mailbox {
        self.mailbox.clone()
    }

    /// Creates a promise, which keeps the environment alive until it is resolved.
    pub(crate) fn defer<'env>(&self, env: &'env Env) -> Result<(Deferred, Object<'env>)> {
        let (mut deferred, mut promise) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `env` is the current environment.
        check_status!(unsafe { sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise) })?;
        // SAFETY: `promise` is a value of this environment.
        let promise = unsafe { Object::from_napi_value(env.raw(), promise) }?;
        if self.unresolved.replace(self.unresolved.get() + 1) == 0 {
            let function = lock(&self.mailbox.0.queue).function;
            // SAFETY: this is the thread of the function, which has not ended because its environment is running.
            check_status!(unsafe { sys::napi_ref_threadsafe_function(self.raw, function) })?;
        }
        Ok((Deferred(deferred), promise))
    }

    fn resolve<T: ToNapiValue>(&self, Deferred(deferred): Deferred, value: T) {
        // SAFETY: this is the thread of the environment.
        match unsafe { T::to_napi_value(self.raw, value) } {
            // SAFETY: as above. Each promise is resolved once.
            Ok(value) => unsafe { sys::napi_resolve_deferred(self.raw, deferred, value) },
            // SAFETY: as above.
            Err(error) => unsafe {
                let error = napi::JsError::from(error).into_value(self.raw);
                sys::napi_reject_deferred(self.raw, deferred, error)
            },
        };
        if self.unresolved.replace(self.unresolved.get() - 1) == 1 {
            let function = lock(&self.mailbox.0.queue).function;
            // SAFETY: as in `defer`. A failure means that the environment is ending.
            unsafe { sys::napi_unref_threadsafe_function(self.raw, function) };
        }
    }

    /// Parses JSON text.
    pub(crate) fn parse(&self, text: &str) -> Result<sys::napi_value> {
        let (mut parse, mut argument, mut global, mut result) =
            (ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let length = isize::try_from(text.len()).map_err(|_| Error::from_status(Status::InvalidArg))?;
        // SAFETY: this is the thread of the environment, and the reference was created in it.
        check_status!(unsafe { sys::napi_get_reference_value(self.raw, self.parse, &raw mut parse) })?;
        // SAFETY: as above, and `text` has this length. ASCII text is copied without decoding.
        check_status!(unsafe {
            if text.is_ascii() {
                sys::napi_create_string_latin1(self.raw, text.as_ptr().cast(), length, &raw mut argument)
            } else {
                sys::napi_create_string_utf8(self.raw, text.as_ptr().cast(), length, &raw mut argument)
            }
        })?;
        // SAFETY: as above.
        check_status!(unsafe { sys::napi_get_undefined(self.raw, &raw mut global) })?;
        // SAFETY: the values belong to this environment.
        check_status!(unsafe {
            sys::napi_call_function(self.raw, global, parse, 1, &raw const argument, &raw mut result)
        })?;
        Ok(result)
    }
}

impl Mailbox {
    /// Adds work for the JavaScript thread. [`wake`](Self::wake) passes it to the thread. The work is dropped if the
    /// environment ends before.
    pub(crate) fn deliver(&self, delivery: Delivery) {
        lock(&self.0.queue).deliveries.push(delivery);
    }

    /// Calls a function unless the environment has ended. The environment does not end during the call.
    pub(crate) fn while_alive<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let alive = lock(&self.0.alive);
        alive.then(work)
    }

    /// Adds the result of a promise. [`wake`](Self::wake) passes it to the JavaScript thread.
    pub(crate) fn resolve<T: ToNapiValue + Send + 'static>(&self, deferred: Deferred, value: T) {
        let delivery: Delivery = Box::new(move |environment| environment.resolve(deferred, value));
        self.deliver(delivery);
    }

    /// Wakes the JavaScript thread if there are results.
    pub(crate) fn wake(&self) {
        let mut queue = lock(&self.0.queue);
        if queue.function.is_null() {
            // Nobody can read the results.
            queue.deliveries.clear();
        } else if !queue.woken && !queue.deliveries.is_empty() {
            let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
            // SAFETY: the function has not ended, because `finalize` would have set it to null.
            let status = unsafe { sys::napi_call_threadsafe_function(queue.function, ptr::null_mut(), mode) };
            queue.woken = status == sys::Status::napi_ok;
            self.0.woken_at.store(clock::now(), Ordering::Relaxed);
            self.0.expects_response.store(false, Ordering::Relaxed);
        }
    }

    /// Records that the JavaScript thread has sent something, and so may wait for a response.
    pub(crate) fn expect_response(&self) {
        self.0.expects_response.store(true, Ordering::Relaxed);
    }

    /// Returns whether the JavaScript thread was woken within this time, in milliseconds, and has sent nothing since.
    pub(crate) fn is_busy(&self, time: Millis) -> bool {
        let woken_at = self.0.woken_at.load(Ordering::Relaxed);
        !self.0.expects_response.load(Ordering::Relaxed) && clock::now().saturating_sub(woken_at) < time
    }

    /// Returns whether two handles belong to the same environment.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Called on the JavaScript thread after a wake-up.
unsafe extern "C" fn deliver(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, _: *mut c_void) {
    // The environment is ending.
    if env.is_null() {
        return;
    }
    let environment = ENVIRONMENTS.with_borrow(|all| all.iter().find(|own| own.raw == env).cloned());
    let Some(environment) = environment else { return };
    // SAFETY: `context` is valid until `finalize`.
    let shared = unsafe { &*context.cast::<Shared>() };
    let deliveries = {
        let mut queue = lock(&shared.queue);
        queue.woken = false;
        std::mem::take(&mut queue.deliveries)
    };
    for delivery in deliveries {
        let mut scope = ptr::null_mut();
        // SAFETY: `env` is the current environment. The scope releases the handles of each delivery.
        unsafe { sys::napi_open_handle_scope(env, &raw mut scope) };
        // A panic must not unwind into Node.
        let _ = catch_unwind(AssertUnwindSafe(|| delivery(&environment)));
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(env, scope) };
    }
}

/// Called on the JavaScript thread at the end of the environment.
unsafe extern "C" fn finalize(env: sys::napi_env, _: *mut c_void, context: *mut c_void) {
    // SAFETY: `context` is the reference that `new` created.
    let shared = unsafe { Arc::from_raw(context.cast::<Shared>()) };
    let deliveries = {
        let mut queue = lock(&shared.queue);
        queue.function = ptr::null_mut();
        std::mem::take(&mut queue.deliveries)
    };
    drop(deliveries);
    // At the end of a thread, its thread-local values may already be destroyed.
    let _ = ENVIRONMENTS.try_with(|all| all.borrow_mut().retain(|own| own.raw != env));
}

/// Called on the JavaScript thread when the environment is about to end, before its memory is released.
unsafe extern "C" fn end(context: *mut c_void) {
    // SAFETY: `context` is the reference that `new` created.
    let shared = unsafe { Arc::from_raw(context.cast::<Shared>()) };
    *lock(&shared.alive) = false;
}

/// Locks a mutex. Ignores poisoning, because the data is valid even after a panic of another holder.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
