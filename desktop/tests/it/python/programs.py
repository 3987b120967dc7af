#: namespace of the main module
print(sorted(globals()), __name__, __doc__, __package__, __spec__, __builtins__.__name__, __annotations__)
#: __file__ and sys.argv
import os, sys
print(__file__, sys.argv, os.getcwd(), os.path.exists(__file__), open(__file__).read().count("print"))
#: modules at the start
import sys
print(sorted(sys.modules), sys.path, sys.meta_path, len(sys.path_hooks), sorted(sys.path_importer_cache))
#: environment
import os, sys
shell = "_", "ORGO_COMMAND", "SHLVL", "PWD", "OLDPWD"
print(sorted((name, value) for name, value in os.environ.items() if name not in shell))
print(sys.flags, sys.warnoptions, sys._xoptions, sys.gettrace(), sys.getprofile())
#: environment of a child
import subprocess
text = subprocess.run(["env"], capture_output=True, text=True).stdout
print(sorted(line for line in text.splitlines() if line.split("=")[0] not in ("_", "ORGO_COMMAND", "SHLVL", "PWD", "OLDPWD")))
#: streams
import sys
for stream in sys.stdin, sys.stdout, sys.stderr:
    print(stream.name, stream.encoding, stream.errors, stream.line_buffering, stream.write_through, stream.fileno(), stream.isatty())
print(sys.stdin.read() == "", sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__)
#: default hooks
import sys, threading
print(sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__, sys.unraisablehook is sys.__unraisablehook__)
print(threading.excepthook is threading.__excepthook__, sys.breakpointhook is sys.__breakpointhook__)
#: descriptor numbers
import os
print(os.open("/dev/null", os.O_RDONLY), os.open("/dev/null", os.O_RDONLY))
#: stack
import sys, traceback, inspect
traceback.print_stack()
print(len(inspect.stack()), sys._getframe().f_back)
try:
    sys._getframe(1)
except ValueError as error:
    print(error)
#: recursion limit
import sys
def depth(n):
    try:
        return depth(n + 1)
    except RecursionError:
        return n
print(sys.getrecursionlimit(), depth(0))
#: audit hook
import sys
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))
id(1)
print(seen[-1:])
#: dataclass with string annotations
from __future__ import annotations
import dataclasses, typing
from typing import ClassVar
@dataclasses.dataclass
class A:
    n: int
    x: ClassVar[int] = 1
print([field.name for field in dataclasses.fields(A)], typing.get_type_hints(A), A(2))
#: dataclasses
from dataclasses import dataclass, field, asdict, replace
@dataclass(frozen=True, order=True)
class P:
    x: int
    tags: list = field(default_factory=list, compare=False)
print(asdict(P(1)), replace(P(1), x=2), P(1) < P(2))
try:
    P(1).x = 2
except Exception as error:
    print(type(error).__qualname__, error)
#: typing
import typing
class N(typing.NamedTuple):
    a: int
    b: str = "b"
class D(typing.TypedDict):
    k: int
T = typing.TypeVar("T")
class G(typing.Generic[T]): pass
print(N(1), D(k=1), G[int], typing.get_type_hints(N), N.__module__)
#: pickle a class of the main module
import pickle
class A:
    def __init__(self): self.x = 1
print(pickle.loads(pickle.dumps(A())).x, pickle.loads(pickle.dumps(A)).__module__)
#: copy and weakref
import copy, weakref
class A: pass
a = A(); a.b = [a]
b = copy.deepcopy(a)
print(b.b[0] is b, weakref.ref(a)() is a)
#: pickle a lambda
import pickle
pickle.dumps(lambda: 1)
#: multiprocessing fork
import multiprocessing
def square(x): return x * x
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(square, range(5)))
#: multiprocessing spawn
import multiprocessing, sys
def square(x): return x * x, __name__, sys.argv
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(square, range(3)))
#: multiprocessing spawn with a module in the home
import multiprocessing
import helper
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(helper.double, range(3)))
#: multiprocessing forkserver
import multiprocessing
def name(x): return multiprocessing.current_process().name.split("-")[0], x
if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        print(pool.map(name, [1]))
#: multiprocessing child that raises
import multiprocessing
def fail(): raise ValueError("in the child")
if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(target=fail)
    process.start(); process.join()
    print(process.exitcode)
#: multiprocessing shared state
import multiprocessing
context = multiprocessing.get_context("fork")
def add(n, q): n.value += 1; q.put("done")
number, queue = context.Value("i", 41), context.Queue()
process = context.Process(target=add, args=(number, queue)); process.start()
print(queue.get()); process.join(); print(number.value)
#: process pool
import concurrent.futures, multiprocessing
def half(x): return x / 2
if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        print(list(pool.map(half, [1, 2])))
#: thread pool
import concurrent.futures
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda x: x + 1, range(100))))
#: error in a pool
import concurrent.futures
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    pool.submit(lambda: 1 / 0).result()
#: unittest that fails
import unittest
class T(unittest.TestCase):
    def test_a(self): self.assertEqual(1, 2)
    def test_b(self): pass
unittest.main(verbosity=2)
#: unittest that passes
import unittest
class T(unittest.TestCase):
    def test_a(self): self.assertTrue(True)
    @unittest.skip("why not")
    def test_b(self): pass
unittest.main()
#: unittest discovery of the main module
import unittest
class T(unittest.TestCase):
    def test(self): print(self.id())
unittest.main(exit=False, module="__main__")
print("after")
#: doctest
"""
>>> 1 + 1
3
"""
import doctest
print(doctest.testmod())
#: unittest.mock of a name in __main__
from unittest import mock
def ask(): return 1
with mock.patch("__main__.ask", return_value=2):
    print(ask())
print(ask())
#: import of __main__
import __main__
x = 3
print(__main__.x, __import__("sys").modules["__main__"] is __main__)
#: asyncio
import asyncio
async def work(n):
    await asyncio.sleep(0.001 * n)
    return n
async def main(): print(await asyncio.gather(*map(work, range(5))))
asyncio.run(main())
#: asyncio that raises
import asyncio
async def main():
    await asyncio.sleep(0)
    raise LookupError("in a task")
asyncio.run(main())
#: asyncio subprocess
import asyncio
async def main():
    process = await asyncio.create_subprocess_exec("echo", "hi", stdout=asyncio.subprocess.PIPE)
    print(await process.communicate(), process.returncode)
asyncio.run(main())
#: asyncio error that is never awaited
import asyncio, gc
async def main():
    async def fail(): raise OSError("lost")
    task = asyncio.create_task(fail(), name="t")
    await asyncio.sleep(0)
    del task
    gc.collect()
    print("ends well")
asyncio.get_event_loop_policy()
import logging; logging.getLogger("asyncio").disabled = True
asyncio.run(main())
#: asyncio timeout
import asyncio
async def main():
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
    except asyncio.TimeoutError:
        print("late")
    await asyncio.wait_for(asyncio.sleep(10), 0.01)
asyncio.run(main())
#: subprocess
import subprocess, sys
print(subprocess.run([sys.executable, "-c", "import sys; print(sys.path[0] == '', sys.argv)"], capture_output=True, text=True).stdout)
subprocess.run("echo out; echo err >&2", shell=True, check=True)
print(subprocess.run(["sh", "-c", "exit 3"]).returncode)
#: subprocess that fails
import subprocess
subprocess.run(["false"], check=True)
#: run the own file in a subprocess
import subprocess, sys
if len(sys.argv) > 1:
    print("child", sys.argv[1:]); sys.exit(4)
print(subprocess.run([sys.executable, __file__, "again"]).returncode)
#: execvp of another program
import os
print("before")
os.execvp("sh", ["sh", "-c", "echo replaced; exit 5"])
#: signal handler
import signal, os
signal.signal(signal.SIGUSR1, lambda number, frame: print("got", signal.Signals(number).name))
os.kill(os.getpid(), signal.SIGUSR1)
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGPIPE), signal.pthread_sigmask(signal.SIG_BLOCK, []))
#: alarm
import signal, time
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(5)
#: KeyboardInterrupt by signal
import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
time.sleep(1)
#: KeyboardInterrupt raised
raise KeyboardInterrupt
#: KeyboardInterrupt caught
try:
    raise KeyboardInterrupt("stop")
except KeyboardInterrupt as error:
    print(repr(error))
#: killed by SIGKILL
import os
print("before")
os.kill(os.getpid(), 9)
#: killed by SIGTERM
import os, time
os.kill(os.getpid(), 15)
time.sleep(1)
#: killed by SIGSEGV
import ctypes
print("before")
ctypes.string_at(0)
#: abort
import os
os.abort()
#: broken pipe signal
import signal, os
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
r, w = os.pipe(); os.close(r)
os.write(w, b"x")
#: broken pipe error
import os
r, w = os.pipe(); os.close(r)
os.write(w, b"x")
#: faulthandler
import faulthandler, sys
faulthandler.dump_traceback()
#: ctypes
import ctypes
libc = ctypes.CDLL(None)
print(libc.abs(-3), ctypes.sizeof(ctypes.c_long))
#: ctypes callback that raises
import ctypes
callback = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1 / 0)
print(callback())
#: code run by the C interface raises
import ctypes
print(ctypes.pythonapi.PyRun_SimpleString(b"1 / 0"))
print("after")
#: thread that raises
import threading
def fail(): raise ValueError("in a thread")
thread = threading.Thread(target=fail, name="t"); thread.start(); thread.join()
print("main goes on")
#: thread that exits
import sys, threading
thread = threading.Thread(target=lambda: sys.exit(3)); thread.start(); thread.join()
print("main goes on")
#: daemon thread that still runs at the end
import threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("end")
#: thread that outlives the main thread
import threading, time
def late(): time.sleep(0.05); print("late")
threading.Thread(target=late).start()
print("main ends")
#: error while a thread outlives the main thread
import threading, time
def late(): time.sleep(0.05); print("late")
threading.Thread(target=late).start()
raise ValueError("main")
#: threading.excepthook that calls sys.excepthook
import sys, threading
threading.excepthook = lambda info: sys.excepthook(info.exc_type, info.exc_value, None)
thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
print("main goes on")
#: locks and events
import threading, queue
q = queue.Queue()
threads = [threading.Thread(target=q.put, args=(n,)) for n in range(5)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(q.get() for _ in threads), threading.main_thread() is threading.current_thread())
#: logging
import logging
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(filename)s:%(lineno)d %(funcName)s %(message)s")
logging.info("hello")
try:
    1 / 0
except ZeroDivisionError:
    logging.exception("failed")
#: json, base64, hashlib
import json, base64, hashlib
print(json.dumps({"é": [1, None]}), base64.b64encode(b"x"), hashlib.sha256(b"").hexdigest())
json.loads("{")
#: sqlite3
import sqlite3
db = sqlite3.connect(":memory:")
db.execute("create table t (a)"); db.executemany("insert into t values (?)", [(1,), (2,)])
print(db.execute("select sum(a) from t").fetchone())
db.execute("select nonsense")
#: tempfile and pathlib
import pathlib, tempfile
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "a.txt"); path.write_text("é")
    print(path.read_text(), path.suffix, [p.name for p in pathlib.Path(folder).iterdir()])
pathlib.Path("/nonexistent").read_text()
#: home folder
import pathlib, os
print(pathlib.Path.home(), os.path.expanduser("~/x"), sorted(p for p in os.listdir() if p.endswith(".py") and p != "main.py"))
#: inspect.getsource
import inspect
def f(x):  # a comment
    return x
class A:
    pass
print(inspect.getsource(f), inspect.getsource(A), inspect.getfile(f), inspect.getmodule(f).__name__)
#: traceback with its lines
import traceback
def fail(): raise ValueError("shown")
try:
    fail()
except ValueError:
    traceback.print_exc()
    print(traceback.format_exc().count("raise ValueError"))
#: linecache
import linecache
print(repr(linecache.getline(__file__, 2)))
#: warnings
import warnings
def old(): warnings.warn("old", DeprecationWarning, stacklevel=2)
old()
warnings.warn("at the top", stacklevel=2)
warnings.warn("user")
warnings.simplefilter("error")
warnings.warn("fatal")
#: SyntaxWarning
x = 1
print(x is 1, "\d")
#: ResourceWarning
import warnings, gc
warnings.simplefilter("always")
open("/dev/null")
gc.collect()
print("end")
#: encodings
print("é 世界 🙂".encode("utf-16-le").decode("utf-16-le"), b"\xe9".decode("latin-1"))
b"\xff".decode()
#: lone surrogates in the output
import os
print(os.fsdecode(b"\xe9"))
#: lone surrogates in an error
raise ValueError("\udce9")
#: file name that is not UTF-8
import os
open(os.fsdecode(b"/nonexistent/\xe9"))
#: binary output
import sys, os
sys.stdout.buffer.write(b"\xff\x00\xfe\n"); os.write(1, b"raw\n"); os.write(2, b"raw error\n")
#: interleaved streams
import sys
for n in range(5):
    print("out", n); print("err", n, file=sys.stderr); sys.stdout.write("part "); sys.stderr.write("part ")
#: very long line
print("x" * 300_000)
#: stdout closed
import sys
print("a"); sys.stdout.close()
#: stdout closed, then printed to
import sys
sys.stdout.close(); print("b")
#: stdout replaced
import io, sys, contextlib
with contextlib.redirect_stdout(io.StringIO()) as kept: print("kept")
print(repr(kept.getvalue())); sys.stdout = None; print("nowhere")
#: stderr is None and an error
import sys
sys.stderr = None
raise ValueError("unseen")
#: descriptors closed
import os
os.closerange(0, 3)
#: standard output closed by number
import os
os.close(1)
print("x")
#: input
input("name? ")
#: help, exit, quit
print(exit, quit, callable(help), copyright.__class__.__name__)
exit("bye")
#: exit with a message
import sys
sys.exit("no such file")
#: exit with a number
import sys
sys.exit(3)
#: exit with None
import sys
sys.exit(None)
#: exit with True
raise SystemExit(True)
#: exit with a tuple
raise SystemExit(1, 2)
#: exit with 256
raise SystemExit(256)
#: exit with a negative number
raise SystemExit(-1)
#: exit with a large number
raise SystemExit(2 ** 70)
#: exit with 137
raise SystemExit(137)
#: exit with an object whose __str__ raises
class A:
    def __str__(self): raise ValueError("no text")
raise SystemExit(A())
#: exit in a function, with finally
import sys
def f():
    try:
        sys.exit(2)
    finally:
        print("finally")
f()
#: exit caught
try:
    raise SystemExit(5)
except SystemExit as error:
    print(error.code)
#: os._exit
import os
print("before"); os._exit(3)
#: os._exit with 0 during an exception
import os
try:
    1 / 0
finally:
    os._exit(0)
#: atexit
import atexit
atexit.register(print, "at exit")
print("end", atexit._ncallbacks())
#: atexit handler that raises
import atexit
atexit.register(lambda: 1 / 0)
print("end")
#: atexit handler that exits
import atexit, os
atexit.register(os._exit, 7)
print("end")
#: atexit after an error
import atexit
atexit.register(print, "at exit")
raise ValueError("x")
#: error in __del__
class A:
    def __del__(self): raise ValueError("in del")
a = A(); del a
print("end")
#: generator closed at the end
def g():
    try:
        yield 1
    finally:
        print("closed")
x = g(); next(x)
#: fork whose child raises
import os
if os.fork() == 0:
    raise ValueError("child")
os.wait(); print("parent ends well")
#: fork whose child exits
import os, sys
if os.fork() == 0:
    sys.exit(9)
print(os.waitstatus_to_exitcode(os.wait()[1]))
#: fork whose parent raises
import os
child = os.fork()
if child == 0:
    print("child"); os._exit(0)
os.waitpid(child, 0)
raise RuntimeError("parent")
#: fork where both raise
import os
child = os.fork()
if child: os.waitpid(child, 0)
raise LookupError("parent" if child else "child")
#: excepthook
import sys
sys.excepthook = lambda kind, value, trace: print("mine", kind.__name__)
1 / 0
#: excepthook that calls sys.__excepthook__
import sys
def hook(kind, value, trace):
    print("mine"); sys.__excepthook__(kind, value, trace)
sys.excepthook = hook
1 / 0
#: excepthook that calls the previous one
import sys
before = sys.excepthook
def hook(*arguments):
    print("mine"); before(*arguments)
sys.excepthook = hook
raise KeyError("k")
#: excepthook that raises
import sys
def hook(*arguments): raise TypeError("in the hook")
sys.excepthook = hook
raise KeyError("k")
#: excepthook that exits
import sys, os
sys.excepthook = lambda *arguments: os._exit(0)
raise KeyError("k")
#: excepthook deleted
import sys
del sys.excepthook
raise KeyError("k")
#: excepthook called for a caught error
import sys
try:
    1 / 0
except ZeroDivisionError:
    sys.excepthook(*sys.exc_info())
    sys.__excepthook__(*sys.exc_info())
print("end")
#: excepthook called before an exit
import sys
try:
    1 / 0
except ZeroDivisionError:
    sys.excepthook(*sys.exc_info())
sys.exit(4)
#: last error
import sys
print(hasattr(sys, "last_value"))
#: error whose __str__ raises
class E(Exception):
    def __str__(self): raise TypeError("no text")
raise E
#: error whose __str__ exits
class E(Exception):
    def __str__(self): raise SystemExit(0)
raise E
#: error whose __str__ returns a number
class E(Exception):
    def __str__(self): return 1
raise E
#: error whose __str__ returns a subclass of str
class S(str):
    def __len__(self): raise OSError
    def __getitem__(self, key): raise OSError
    def encode(self, *arguments): raise OSError
class E(Exception):
    def __str__(self): return S("own text")
raise E
#: error whose class raises for its name
class M(type):
    @property
    def __name__(cls): raise OSError
class E(Exception, metaclass=M): pass
raise E("x")
#: exception group whose properties raise
class E(ExceptionGroup):
    exceptions = __notes__ = __traceback__ = property(lambda self: 1 / 0)
raise E("x", [ValueError()])
#: syntax error whose properties raise
class E(SyntaxError):
    filename = property(lambda self: 1 / 0)
raise E("x")
#: error under a low limit of descriptors
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10))
raise ValueError("x")
#: error under a limit of memory
import resource
resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))
x = []
while True: x.append(bytearray(1 << 20))
#: error under a limit of file sizes
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
raise ValueError("x")
#: error in a signal handler
import signal, time
def handle(*arguments): raise TimeoutError("from the handler")
signal.signal(signal.SIGALRM, handle); signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(3)
#: error with full streams
import sys
sys.stdout = sys.stderr = open("/dev/full", "w")
raise ValueError("x")
#: exit function of the C library
import ctypes
ctypes.CDLL(None).exit(6)
#: replaced built-in functions
import builtins
builtins.str = builtins.len = builtins.isinstance = None
raise ValueError("x")
#: execv of the own file
import os, sys
if "AGAIN" in os.environ: print(sys.argv); 1 / 0
os.environ["AGAIN"] = "1"
os.execv(sys.executable, [sys.executable, *sys.argv])
#: error of a nested class
class Outer:
    class Inner(Exception): pass
raise Outer.Inner("x")
#: error class of a module
import json
raise json.JSONDecodeError("bad", "doc", 0)
#: error without a message
raise ValueError
#: assert
x = 1
assert x == 2
#: assert with a message
assert False, "why"
#: chained errors
try:
    1 / 0
except ZeroDivisionError as error:
    raise ValueError("second") from error
#: error in an except block
try:
    1 / 0
except ZeroDivisionError:
    undefined
#: error with notes
error = ValueError("main"); error.add_note("first note"); error.add_note("second note")
raise error
#: exception group
raise ExceptionGroup("several", [ValueError("a"), ExceptionGroup("inner", [TypeError("b"), OSError("c")])])
#: exception group, partly handled
try:
    raise ExceptionGroup("several", [ValueError("a"), TypeError("b")])
except* ValueError as group:
    print("handled", group.exceptions)
#: task group
import asyncio
async def fail(n): raise ValueError(n)
async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(fail(1)); group.create_task(fail(2))
asyncio.run(main())
#: subclass of BaseException
class Stop(BaseException): pass
raise Stop("now")
#: GeneratorExit and StopIteration
try:
    raise GeneratorExit
except BaseException as error:
    print(repr(error))
next(iter([]))
#: raise an object that is not an exception
raise 1
#: infinite recursion
def f(): return f()
f()
#: recursion in __str__
class E(Exception):
    def __str__(self): return str(self)
raise E
#: MemoryError
x = bytearray(1 << 62)
#: syntax error
print("never")
if True
    pass
#: syntax error in an indented line
def f():
  a = 1
    b = 2
#: tabs and spaces
if True:
        a = 1
	b = 2
#: syntax error in compile
compile("a b", "<text>", "exec")
#: syntax error in a module in the home
import broken
#: return outside of a function
return 1
#: await outside of a function
await x
#: syntax error raised by the program
raise SyntaxError("by hand")
#: late __future__ import
x = 1
from __future__ import annotations
#: import of a module in the home
import helper
print(helper.double(4), helper.__file__, helper.__name__)
#: import of a missing module
import nonexistent_module
#: error in a module in the home
import helper
helper.fail()
#: module in the home with the name of a standard module
import json, colorsys, os
print(json.__file__ == os.path.expanduser("~/json.py"), colorsys.__file__)
#: runpy of a module in the home
import os, runpy
print(runpy.run_path(os.path.expanduser("~/helper.py"))["double"](2), runpy.run_module("helper", run_name="other")["__name__"])
#: importlib
import importlib, importlib.util
print(importlib.import_module("helper").double(1), importlib.util.find_spec("__main__.x") if False else importlib.util.find_spec("helper").origin)
importlib.reload(importlib.import_module("helper"))
#: exec, eval, compile
exec("a = 1"); print(a, eval("a + 1"), (lambda: __name__)())
exec(compile("1 / 0", __file__, "exec"))
#: code module
import code
console = code.InteractiveInterpreter()
console.runcode(compile("1 / 0", "<console>", "exec")); print("end")
#: pdb without input
breakpoint()
#: argparse
import argparse
parser = argparse.ArgumentParser(); parser.add_argument("--n", required=True)
parser.parse_args()
#: argparse help
import argparse
argparse.ArgumentParser(description="d").parse_args(["--help"])
#: enum, functools, itertools, collections
import enum, functools, itertools, collections
class C(enum.Enum): A = 1
print(C.A, functools.reduce(int.__add__, range(5)), list(itertools.pairwise("abc")), collections.Counter("aab"))
print(collections.namedtuple("N", "a b")(1, 2).__class__.__module__)
C("x")
#: abc and protocols
import abc
class A(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
A()
#: match, walrus, f-strings
match {"a": [1, 2]}:
    case {"a": [x, *rest]}: print(x, rest)
print(f"{(y := 5)=} {y!r:>4}")
#: decimal, fractions, statistics, random
import decimal, fractions, statistics, random
random.seed(1); print(random.random(), statistics.mean([1, 2]), fractions.Fraction(1, 3), decimal.Decimal(1) / 3)
decimal.Decimal(1) / 0
#: datetime, time, locale
import datetime, time, locale
print(datetime.date(2024, 2, 29), time.strftime("%Z"), locale.getlocale(), datetime.datetime(2024, 1, 1).isoformat())
datetime.date(2023, 2, 29)
#: csv, io, struct, zlib, gzip
import csv, io, struct, zlib, gzip
out = io.StringIO(); csv.writer(out).writerow(["a", 'b"c']); print(repr(out.getvalue()), struct.pack(">I", 1), zlib.crc32(b"x"))
struct.unpack("I", b"x")
#: socket
import socket
a, b = socket.socketpair(); a.send(b"hi"); print(b.recv(9))
with socket.create_server(("127.0.0.1", 0)) as server:
    client = socket.create_connection(server.getsockname()); print(client.getpeername()[0])
#: select and selectors
import os, select, selectors
r, w = os.pipe(); os.write(w, b"x"); print(len(select.select([r], [], [], 0)[0]), selectors.DefaultSelector().__class__.__name__)
#: http server in a thread
import http.server, threading, urllib.request
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *arguments): pass
server = http.server.HTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}").read())
#: contextvars and context managers
import contextlib, contextvars
v = contextvars.ContextVar("v", default=1)
@contextlib.contextmanager
def c():
    try: yield v.get()
    finally: print("left")
with c() as x: print(x); raise KeyError("inside")
#: tracing and profiling
import sys, cProfile, io, pstats
def f(): pass
calls = []
sys.settrace(lambda frame, event, argument: calls.append((event, frame.f_code.co_name)))
f(); sys.settrace(None); print(calls)
p = cProfile.Profile(); p.runcall(f); print(pstats.Stats(p, stream=io.StringIO()).total_calls)
#: tracemalloc and gc
import gc, tracemalloc
tracemalloc.start(); x = [0] * 1000; print(tracemalloc.take_snapshot().statistics("filename")[0].traceback[0].filename); print(gc.isenabled(), gc.get_threshold())
#: resource limits
import resource
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))
#: terminal size and users
import os, getpass, pwd, shutil
print(shutil.get_terminal_size(), getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir, os.getppid() > 1)
os.get_terminal_size()
#: session and umask
import os
print(os.getsid(0) != os.getpid(), oct(os.umask(0o22)), os.getpgid(0) == os.getsid(0), os.nice(0))
#: memoryview, bytes, slices
m = memoryview(bytearray(b"abc")); m[0] = 65; print(bytes(m)[::-1])
m["x"]
#: unicode, regular expressions, text
import re, textwrap, unicodedata
print(re.sub(r"(\w+)", r"<\1>", "é b"), unicodedata.name("é"), textwrap.shorten("a b c d", 5)); re.compile("(")
#: zipfile and import from it
import zipfile, sys, tempfile
path = tempfile.mktemp(".zip")
with zipfile.ZipFile(path, "w") as z: z.writestr("inzip.py", "x = 7")
sys.path.insert(0, path); import inzip; print(inzip.x)
#: xml and html
import html, xml.etree.ElementTree as ET
print(ET.tostring(ET.fromstring("<a><b/></a>")), html.escape("<")); ET.fromstring("<a>")
#: class machinery
class M(type):
    def __new__(mcs, name, bases, ns): return super().__new__(mcs, name, bases, {**ns, "made": True})
class A(metaclass=M):
    __slots__ = ("x",)
print(A.made, A.__qualname__, A.__module__); A().y = 1
#: ast and dis
import ast, dis
print(ast.dump(ast.parse("a = 1"))); print([i.opname for i in dis.get_instructions(lambda: 1)][-1])
ast.literal_eval("f()")
#: shelve and configparser
import configparser, shelve, tempfile, os
with shelve.open(os.path.join(tempfile.mkdtemp(), "s")) as s: s["k"] = [1]; print(s["k"])
configparser.ConfigParser().get("none", "x")
#: many lines, error far down
values = []
for n in range(3):
    values.append(n)
print(values)
def late():
    return 1 / (
        values[0]
    )
late()
