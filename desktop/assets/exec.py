"""Runs a Python program the way the `exec` call promises: python3 exec.py CODE_FILE REPORT_FILE.

The program's output goes where this process's output goes. Why it failed goes to the report, as JSON, and not to the output.
"""

import json
import sys

code_file, report_file = sys.argv[1:3]
sys.argv = [""]
with open(code_file, encoding="utf-8") as file:
    source = file.read()


def report(error, error_type):
    with open(report_file, "w", encoding="utf-8", errors="surrogatepass") as file:
        json.dump({"error": error, "error_type": error_type}, file)


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
