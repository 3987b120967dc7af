"""Causes events on a computer. Prints a line of JSON for each cause: the type, the key and the time in ms since 1970.

ROUNDS is replaced by the number of rounds.
"""

import ctypes
import json
import os
import subprocess
import time

from PyQt5.QtWidgets import QApplication, QWidget

application = QApplication(["causes"])


def now():
    return time.time() * 1000


def report(kind, key, at):
    print(json.dumps({"type": kind, "key": key, "at": at}), flush=True)


def pause(seconds=0.4):
    """Waits for the event, and responds to clipboard requests until the event arrives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        application.processEvents()
        time.sleep(0.002)


def windows(number):
    window = QWidget()
    window.resize(300, 200)
    key = hex(int(window.winId()))
    at = now()
    window.show()
    pause()
    report("window_open", key, at)
    report("window_focus", key, at)
    at = now()
    window.close()
    window.deleteLater()
    pause()
    report("window_close", key, at)


def clipboard(number):
    text = f"copied {number}"
    at = now()
    application.clipboard().setText(text)
    pause()
    report("clipboard", text, at)


def files(number):
    path = os.path.expanduser(f"~/Desktop/bench-{number}")
    at = now()
    open(path, "w").close()
    pause(0.1)
    report("file_change", path, at)


def processes(number):
    at = now()
    process = subprocess.Popen(["sleep", "1000"])
    pause()
    report("process_start", str(process.pid), at)
    at = now()
    process.kill()
    process.wait()
    pause()
    report("process_stop", str(process.pid), at)


def screen(number):
    width, height = ((1024, 768), (1280, 720))[number % 2]
    at = now()
    subprocess.run(["xrandr", "-s", f"{width}x{height}"], check=True)
    pause()
    report("screen_change", str(number), at)


class SampleSpec(ctypes.Structure):
    _fields_ = [("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8)]


pulse = ctypes.CDLL("libpulse-simple.so.0")
pulse.pa_simple_new.restype = ctypes.c_void_p
PLAYBACK, S16LE = 1, 3


def audio(number):
    spec = SampleSpec(S16LE, 48000, 2)
    at = now()
    stream = pulse.pa_simple_new(None, b"bench", PLAYBACK, None, b"bench", ctypes.byref(spec), None, None, None)
    pause()
    report("audio_stream_start", str(number), at)
    at = now()
    pulse.pa_simple_free(ctypes.c_void_p(stream))
    pause()
    report("audio_stream_stop", str(number), at)


for number in range(ROUNDS):
    for cause in (windows, clipboard, files, processes, screen, audio):
        cause(number)
