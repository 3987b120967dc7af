"""Runs a Python program the way the `exec` call promises: python3 exec.py CODE REPORT, the numbers of two descriptors.

The program is read from the first. Its output goes where this process's output goes. Why it failed goes to the second, as JSON,
and not to the output.
"""

import json
import os
import sys

# A pipe holds 64 KiB until somebody reads; a character may be six bytes long in JSON.
LONGEST = 8 * 1024

code, report_end = map(int, sys.argv[1:3])
sys.argv = [""]
for descriptor in code, report_end:
    os.set_inheritable(descriptor, False)
with open(code, encoding="utf-8") as file:
    source = file.read()


def report(error, error_type):
    with open(report_end, "w", encoding="utf-8") as file:
        json.dump({"error": error[:LONGEST], "error_type": error_type[:256]}, file)


try:
    exec(compile(source, "<exec>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
except SystemExit as exit:
    if exit.code not in (None, 0):
        report(f"the program exited with {exit.code!r}", "SystemExit")
except BaseException as error:
    report(str(error), type(error).__name__)
finally:
    try:
        sys.stdout.flush()
    except OSError:
        pass
