//! Passes results from the I/O thread to a JavaScript thread.
//!
//! Each environment has one thread-safe function for all results. The I/O thread collects the results of one turn of its
//! loop, and then wakes the JavaScript thread once. A thread-safe function for each promise would cost two system calls
//! and a handle that the event loop checks at every wake-up. The promises are created and settled by `promises.js`.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{FromNapiValue as _, JsObjectValue as _, JsValue as _, Object, Unknown};
use napi::{Env, Error, Result, Status, check_status, sys};
use orgo_core::Millis;

use crate::clock;
use crate::values::Prepared;

/// The script that creates and settles promises.
const PROMISES: &str = include_str!("promises.js");
/// The number of forms in the script.
const FORMS: usize = 3;
/// The number of arguments after which promises are settled, so that the arguments fit on the stack.
const MAX_PARTS: usize = 256;

/// A function that the JavaScript thread calls.
type Function = Box<dyn FnOnce(&Rc<Environment>) + Send>;

/// A result for the JavaScript thread.
pub(crate) enum Delivery {
    /// Resolves a promise.
    Settle(Deferred, Prepared),
    /// Calls a function on the thread.
    Run(Function),
}

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
    /// The numbers below `numbers` that no unresolved promise has.
    unused: RefCell<Vec<u32>>,
    numbers: Cell<u32>,
    /// The forms that were added to the script: the `type` of an object, and the name of its other field.
    forms: RefCell<Vec<(&'static str, &'static str)>>,
    /// `JSON.parse`.
    parse: sys::napi_ref,
    /// The functions of the script.
    create: sys::napi_ref,
    add_form: sys::napi_ref,
    settle: sys::napi_ref,
}

/// A promise to be resolved on the JavaScript thread, by its number.
pub(crate) struct Deferred(u32);

/// How the script makes a value from its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The content is the value.
    Value,
    /// The content is JSON text.
    Json,
    /// The content is an error, with which the promise is rejected.
    Error,
    /// The content is a field of a new object, which has the type and the name of the field.
    Object(&'static str, &'static str),
}

/// The arguments that settle promises.
pub(crate) struct Parts<'a> {
    environment: &'a Environment,
    values: Vec<sys::napi_value>,
    /// The numbers of the promises.
    settled: Vec<u32>,
}

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
        let script: Object<'_> = env.run_script(PROMISES)?;
        let environment = Rc::new(Self {
            raw,
            mailbox,
            unresolved: Cell::new(0),
            unused: RefCell::default(),
            numbers: Cell::new(0),
            forms: RefCell::default(),
            parse: reference(&json, "parse")?,
            create: reference(&script, "create")?,
            add_form: reference(&script, "addForm")?,
            settle: reference(&script, "settle")?,
        });
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
        let number =
            self.unused.borrow_mut().pop().unwrap_or_else(|| self.numbers.replace(self.numbers.get() + 1));
        let promise = self.number(number).and_then(|value| self.call(self.create, &[value]));
        let promise = promise.inspect_err(|_| self.unused.borrow_mut().push(number))?;
        // SAFETY: `promise` is a value of this environment, which is the current one.
        let promise = unsafe { Object::from_napi_value(env.raw(), promise) }?;
        if self.unresolved.replace(self.unresolved.get() + 1) == 0 {
            let function = lock(&self.mailbox.0.queue).function;
            // SAFETY: this is the thread of the function, which has not ended because its environment is running.
            check_status!(unsafe { sys::napi_ref_threadsafe_function(self.raw, function) })?;
        }
        Ok((Deferred(number), promise))
    }

    fn deliver(self: &Rc<Self>, deliveries: Vec<Delivery>) {
        let mut deliveries = deliveries.into_iter().peekable();
        while deliveries.peek().is_some() {
            let mut scope = ptr::null_mut();
            // SAFETY: this is the thread of the environment. The scope releases the handles of these deliveries.
            unsafe { sys::napi_open_handle_scope(self.raw, &raw mut scope) };
            let mut parts =
                Parts { environment: self, values: Vec::with_capacity(MAX_PARTS), settled: Vec::new() };
            while parts.values.len() < MAX_PARTS
                && let Some(delivery) = deliveries.next()
            {
                match delivery {
                    Delivery::Settle(deferred, value) => parts.add(deferred, value),
                    // A panic must not unwind into Node.
                    Delivery::Run(run) => drop(catch_unwind(AssertUnwindSafe(|| run(self)))),
                }
            }
            parts.settle();
            // SAFETY: the scope was opened above.
            unsafe { sys::napi_close_handle_scope(self.raw, scope) };
        }
    }

    /// Returns the number of a form in the script.
    fn form(&self, form: Form) -> Result<usize> {
        let (kind, name) = match form {
            Form::Value => return Ok(0),
            Form::Json => return Ok(1),
            Form::Error => return Ok(2),
            Form::Object(kind, name) => (kind, name),
        };
        let mut forms = self.forms.borrow_mut();
        if let Some(at) = forms.iter().position(|known| *known == (kind, name)) {
            return Ok(FORMS + at);
        }
        // A function for each form, because the engine makes objects of a constant shape fastest.
        let script = format!("(content) => ({{ type: {kind:?}, {name}: content }})");
        let function: Unknown<'_> = Env::from_raw(self.raw).run_script(script)?;
        self.call(self.add_form, &[napi::JsValue::raw(&function)])?;
        forms.push((kind, name));
        Ok(FORMS + forms.len() - 1)
    }

    /// Parses JSON text.
    pub(crate) fn parse(&self, text: &str) -> Result<sys::napi_value> {
        self.call(self.parse, &[self.text(text)?])
    }

    /// Creates a string.
    pub(crate) fn text(&self, text: &str) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        let length = isize::try_from(text.len()).map_err(|_| Error::from_status(Status::InvalidArg))?;
        // SAFETY: this is the thread of the environment, and `text` has this length. ASCII text is copied without decoding.
        check_status!(unsafe {
            if text.is_ascii() {
                sys::napi_create_string_latin1(self.raw, text.as_ptr().cast(), length, &raw mut value)
            } else {
                sys::napi_create_string_utf8(self.raw, text.as_ptr().cast(), length, &raw mut value)
            }
        })?;
        Ok(value)
    }

    fn number(&self, number: u32) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: this is the thread of the environment.
        check_status!(unsafe { sys::napi_create_uint32(self.raw, number, &raw mut value) })?;
        Ok(value)
    }

    /// Calls a function of this environment.
    fn call(&self, function: sys::napi_ref, arguments: &[sys::napi_value]) -> Result<sys::napi_value> {
        let (mut callee, mut receiver, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: this is the thread of the environment, and the reference was created in it.
        check_status!(unsafe { sys::napi_get_reference_value(self.raw, function, &raw mut callee) })?;
        // SAFETY: as above.
        check_status!(unsafe { sys::napi_get_undefined(self.raw, &raw mut receiver) })?;
        // SAFETY: the values belong to this environment.
        check_status!(unsafe {
            sys::napi_call_function(
                self.raw,
                receiver,
                callee,
                arguments.len(),
                arguments.as_ptr(),
                &raw mut result,
            )
        })?;
        Ok(result)
    }
}

impl Parts<'_> {
    /// Adds a promise with its value.
    fn add(&mut self, Deferred(number): Deferred, value: Prepared) {
        let before = self.values.len();
        // A panic must not unwind into Node.
        let added = catch_unwind(AssertUnwindSafe(|| {
            self.add_number(number)?;
            value.add_to(self)
        }));
        let added = added.unwrap_or_else(|_| Err(Error::from_reason("the result could not be converted")));
        if let Err(error) = added {
            self.values.truncate(before);
            // SAFETY: this is the thread of the environment.
            let error = unsafe { napi::JsError::from(error).into_value(self.environment.raw) };
            // Integers can always be created.
            let _ = self.add_number(number).and_then(|()| self.add_single(Form::Error, error));
        }
        self.settled.push(number);
    }

    /// Adds the value of a promise.
    pub(crate) fn add_single(&mut self, form: Form, content: sys::napi_value) -> Result<()> {
        let mut value = ptr::null_mut();
        // SAFETY: this is the thread of the environment.
        check_status!(unsafe { sys::napi_create_int32(self.environment.raw, -1, &raw mut value) })?;
        self.values.push(value);
        self.add_item(form, content)
    }

    /// Adds the length of a list. The same number of calls of [`add_item`](Self::add_item) follows.
    pub(crate) fn add_list(&mut self, length: usize) -> Result<()> {
        self.add_number(u32::try_from(length).map_err(|_| Error::from_status(Status::InvalidArg))?)
    }

    pub(crate) fn add_item(&mut self, form: Form, content: sys::napi_value) -> Result<()> {
        let form = self.environment.form(form)?;
        self.add_list(form)?;
        self.values.push(content);
        Ok(())
    }

    fn add_number(&mut self, number: u32) -> Result<()> {
        self.values.push(self.environment.number(number)?);
        Ok(())
    }

    pub(crate) fn environment(&self) -> &Environment {
        self.environment
    }

    /// Settles the promises.
    fn settle(self) {
        let Self { environment, values, settled } = self;
        if settled.is_empty() {
            return;
        }
        let count = settled.len();
        environment.unused.borrow_mut().extend(settled);
        // A failure means that the environment is ending.
        let _ = environment.call(environment.settle, &values);
        if environment.unresolved.replace(environment.unresolved.get() - count) == count {
            let function = lock(&environment.mailbox.0.queue).function;
            // SAFETY: as in `defer`. A failure means that the environment is ending.
            unsafe { sys::napi_unref_threadsafe_function(environment.raw, function) };
        }
    }
}

/// Creates a reference to a property of an object.
fn reference(object: &Object<'_>, name: &str) -> Result<sys::napi_ref> {
    let value: Unknown<'_> = object.get_named_property_unchecked(name)?;
    let mut reference = ptr::null_mut();
    // SAFETY: `value` is a value of the current environment.
    check_status!(unsafe {
        sys::napi_create_reference(object.value().env, napi::JsValue::raw(&value), 1, &raw mut reference)
    })?;
    Ok(reference)
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
    pub(crate) fn resolve(&self, deferred: Deferred, value: Prepared) {
        self.deliver(Delivery::Settle(deferred, value));
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
    environment.deliver(deliveries);
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
