"""Prepares the interpreter of an `exec` call, which runs `python3 -u FILE` with the folder of this module in PYTHONPATH.

Python imports this module before the program. The module does two things that are only possible inside the interpreter:

- It replaces the folder of FILE in `sys.path` with the user's home.
- If an exception ends the program, it writes a description to the descriptor ORGO_REPORT instead of printing a traceback.

It removes itself from the environment, `sys.path` and `sys.modules`, and has no frame on the program's stack. The exit status
alone decides whether the program succeeded. If the description fails, Python prints the traceback as usual.
"""

import os
import sys

# The maximum number of characters of a message or a note.
MAX_LENGTH = 16 * 1024
# The maximum number of notes of an exception, and of exceptions in a group.
MAX_PARTS = 10


def describe(value, trace, script):
    """Returns `LINE NUL CLASS NUL MESSAGE`. LINE is the line number in the program, or 0 if it is unknown."""
    line = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == script:
            line = trace.tb_lineno or 0
        trace = trace.tb_next
    try:
        own_syntax = isinstance(value, SyntaxError) and value.filename == script
        if own_syntax:
            line = int(value.lineno or 0)
        # Unlike the string of a syntax error, `msg` does not contain "(main.py, line 1)".
        message = as_text(value.msg if own_syntax else value)
    except BaseException:
        message = as_text(value)
    parts = [b"%d" % line, encode(class_of(value)), encode(message + details_of(value, 0))]
    return b"\0".join(parts)


def class_of(value):
    # Does not use `type(value).__name__`, because a metaclass may override it.
    return type.__dict__["__name__"].__get__(type(value))


def details_of(value, depth):
    """Returns the notes of an exception and the exceptions of a group, one per line."""
    details = ""
    try:
        notes = getattr(value, "__notes__", None)
        if isinstance(notes, (list, tuple)):
            for note in notes[:MAX_PARTS]:
                details += "\n" + as_text(note)
        group = getattr(sys.modules["builtins"], "BaseExceptionGroup", ())
        if isinstance(value, group) and depth < 3:
            for part in value.exceptions[:MAX_PARTS]:
                text = class_of(part) + ": " + as_text(part) + details_of(part, depth + 1)
                details += "\n- " + text.replace("\n", "\n  ")
    except BaseException:
        # The properties of the program's exception classes may raise any exception.
        pass
    return details


def as_text(value):
    try:
        # `str` may return an instance of a subclass that the program defines.
        text = str(value)
        length = str.__len__(text)
        text = str.__getitem__(text, slice(MAX_LENGTH))
    except BaseException:
        return "<exception str() failed>"
    if length > MAX_LENGTH:
        text += "\n[%d more characters were dropped]" % (length - MAX_LENGTH)
    return text


def encode(text):
    # File names that are not UTF-8 contain lone surrogates.
    return text.encode("utf-8", "backslashreplace")


def hook_for(script, report, print_traceback):
    """Returns a `sys.excepthook` that writes the description."""
    # These functions are saved, since the program may replace them. The program may also close the report and open
    # another file with the same descriptor number.
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
            # Ignores exceptions that the program passes to the hook itself, and those of its threads and child
            # processes.
            ends = bottom is None or bottom.f_code.co_name != "<module>"
            if ends and getpid() == owner and get_ident() == thread and identity() == original:
                description = describe(value, trace, script)
                truncate(report, 0)
                if write(report, description, 0) == len(description) and direct:
                    return
        except BaseException:
            pass
        # A hook of the program may call this one to print the traceback.
        print_traceback(kind, value, trace)

    return excepthook


def prepare():
    own_folder = os.environ.pop("PYTHONPATH")
    report = int(os.environ.pop("ORGO_REPORT"))
    os.set_inheritable(report, False)
    sys.path.remove(own_folder)
    sys.path_importer_cache.pop(own_folder, None)
    pwrite = os.pwrite
    script = sys.argv[0]
    folder = os.path.dirname(script)
    home = os.getcwd()

    def find(path):
        # Python looks for a finder of FILE after its startup imports, so files in the home cannot shadow the imported
        # modules. Then Python adds the folder of FILE to `sys.path`. The next function call runs `begin`.
        if path == script:
            # The program begins now. The report is empty until then.
            pwrite(report, b"\0", 0)
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
        # Ubuntu sets a hook, which is replaced. Any other hook comes from the user's `usercustomize` module and is
        # kept.
        if present is sys.__excepthook__ or present.__module__ == "apport_python_hook":
            sys.excepthook = sys.__excepthook__ = hook_for(script, report, present)

    sys.path_hooks.append(find)


prepare()
del sys.modules["sitecustomize"]
# Imports the system's module with this name. If there is none, Python handles the error that the import raises.
import sitecustomize
