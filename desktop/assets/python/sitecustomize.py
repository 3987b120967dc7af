"""Prepares the interpreter of an `exec` call, which runs `python3 -u FILE` with the folder of this file in PYTHONPATH.

Python imports this module before the program, and nothing of it can be seen from there: not in the environment, in `sys.path`,
in `sys.modules` or on the stack. It does two things that cannot be done from outside:

- it puts the home in place of FILE's folder in `sys.path`;
- it describes the exception that ends the program to the descriptor ORGO_REPORT, in place of the traceback.

The exit status alone decides whether the program succeeded. If anything here fails, Python does what it does without it.
"""

import os
import sys

# In characters.
LONGEST = 16 * 1024
MOST_PARTS = 10


def describe(value, script):
    """Returns `LINE NUL CLASS NUL MESSAGE`; the line is that of the program, 0 if it is unknown."""
    line = 0
    trace = value.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == script:
            line = trace.tb_lineno or 0
        trace = trace.tb_next
    message = None
    if isinstance(value, SyntaxError) and value.filename == script:
        line = value.lineno or 0
        # Without "(main.py, line 1)".
        message = value.msg
    name = type.__dict__["__name__"].__get__(type(value))
    parts = [b"%d" % line, encode(name), encode(message_of(value, message, 0))]
    return b"\0".join(parts)


def message_of(value, message, depth):
    """Returns what Python prints after the class, with the exceptions of a group on lines of their own."""
    lines = [as_text(value if message is None else message)]
    notes = getattr(value, "__notes__", None)
    if isinstance(notes, (list, tuple)):
        lines += map(as_text, notes[:MOST_PARTS])
    group = getattr(sys.modules["builtins"], "BaseExceptionGroup", ())
    if isinstance(value, group) and depth < 3:
        for part in value.exceptions[:MOST_PARTS]:
            inner = message_of(part, None, depth + 1).replace("\n", "\n  ")
            lines.append("- " + type(part).__name__ + ": " + inner)
    return "\n".join(lines)


def as_text(value):
    try:
        # The result may be of a class of the program's.
        text = str(value)
        length = str.__len__(text)
        text = str.__getitem__(text, slice(LONGEST))
    except BaseException:
        return "<exception str() failed>"
    if length > LONGEST:
        text += "\n[%d more characters were not kept]" % (length - LONGEST)
    return text


def encode(text):
    # File names that are not UTF-8 come as half surrogates.
    return text.encode("utf-8", "backslashreplace")


def hook_for(script, report, print_traceback):
    """Makes a `sys.excepthook`."""
    # A program may replace them, and another file may have the number by then.
    getpid, fstat, truncate, write = os.getpid, os.fstat, os.ftruncate, os.pwrite
    get_ident = sys.modules["_thread"].get_ident
    owner, thread = getpid(), get_ident()

    def identity():
        stat = fstat(report)
        return stat.st_dev, stat.st_ino

    original = identity()

    def excepthook(kind, value, trace, /):
        direct = False
        try:
            caller = sys._getframe().f_back
            direct = caller is None
            bottom = caller
            while bottom is not None and bottom.f_back is not None:
                bottom = bottom.f_back
            # Programs may call this with an exception that they have caught, and forks and threads have their own.
            ends = bottom is None or bottom.f_code.co_name != "<module>"
            if ends and getpid() == owner and get_ident() == thread and identity() == original:
                description = describe(value, script)
                truncate(report, 0)
                if write(report, description, 0) == len(description) and direct:
                    return
        except BaseException:
            pass
        # A program's own hook may call this to have the traceback printed.
        print_traceback(kind, value, trace)

    return excepthook


def prepare():
    own_folder = os.environ.pop("PYTHONPATH")
    report = int(os.environ.pop("ORGO_REPORT"))
    os.set_inheritable(report, False)
    sys.path.remove(own_folder)
    sys.path_importer_cache.pop(own_folder, None)
    script = sys.argv[0]
    folder = os.path.dirname(script)
    home = os.getcwd()

    def find(path):
        # Python asks for a finder of the program after all that it imports at its start, so that files of the home cannot come
        # in between. Then it puts the program's folder into `sys.path` and calls its first function.
        if path == script:
            sys.settrace(begin)
        raise ImportError(path)

    def begin(frame, event, argument):
        replaces = sys.path[:1] == [folder]
        if not replaces and frame.f_code.co_filename != script:
            return
        sys.settrace(None)
        sys.path_hooks.remove(find)
        if replaces:
            sys.path[0] = home
        present = sys.excepthook
        # Ubuntu has one of its own. Any other is the user's, whose `usercustomize` set it.
        if present is sys.__excepthook__ or present.__module__ == "apport_python_hook":
            sys.excepthook = sys.__excepthook__ = hook_for(script, report, present)

    sys.path_hooks.append(find)


prepare()
del sys.modules["sitecustomize"]
# The system's own. If there is none, Python takes the error as a sign of that.
import sitecustomize
