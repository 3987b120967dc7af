"""Controls a computer with the unmodified official Python client, and prints the results as JSON.

Usage: python-client.py BASE_URL

The server must have an RTMP connection with the name `live`.
"""

import inspect
import json
import sys
import types

# Replaces the client's agent, because the agent uses a separate service, needs a large library, and requires Python 3.12.
sys.modules["orgo.prompt"] = types.SimpleNamespace(get_provider=None)

from orgo import Computer, Project

base = sys.argv[1]
results = {}

project = Project(name="python", base_api_url=base)
same = Project(name="python", base_api_url=base)
results["the same project by name"] = project.id == same.id

computer = Computer(workspace="python", name="one", ram=4, cpu=1, base_api_url=base, verbose=False)
results["size"] = [computer.ram, computer.cpu]
results["connected by id"] = Computer(computer_id=computer.computer_id, base_api_url=base, verbose=False).status()["name"]
results["listed"] = [entry["name"] for entry in project.list_computers()]
results["found by name"] = project.get_computer("one")["id"] == computer.computer_id

image = computer.screenshot()
results["screenshot"] = [image.format, *image.size]
results["screenshot as base64"] = computer.screenshot_base64()[:4]

computer.bash("setsid xterm -u8 -geometry 80x24+200+150 -e 'touch ~/ready; read -r line; echo \"$line\" > ~/typed' >/dev/null 2>&1 &")
computer.bash("until [ -e ~/ready ]; do sleep 0.1; done")
computer.left_click(400, 300)
computer.type("Grüße, 世界 🙂\n")
results["typed"] = computer.bash("for n in $(seq 100); do [ -s ~/typed ] && break; sleep 0.1; done; cat ~/typed")

actions = {
    "left_click": lambda: computer.left_click(10, 700),
    "double_click": lambda: computer.double_click(640, 400),
    "right_click": lambda: computer.right_click(640, 400),
    "drag": lambda: computer.drag(0, 0, 100, 100, duration=0.05),
    "scroll at the center": lambda: computer.scroll("down"),
    "scroll with an amount": lambda: computer.scroll("up", 2),
    "wait": lambda: computer.wait(0.01),
    "key": lambda: computer.key("Escape"),
}
if "x" in inspect.signature(computer.scroll).parameters:
    actions["scroll with an amount"] = lambda: computer.scroll("up", 2, 0, 0)
results["actions"] = {name: action()["success"] for name, action in actions.items()}

results["bash"] = computer.bash("echo out; echo err >&2; exit 3")
ran = computer.exec("print(6 * 7)")
results["exec"] = [ran["success"], ran["output"], ran["timeout"]]
failed = computer.exec("1 / 0")
results["failing exec"] = [failed["success"], failed["error_type"]]

started = computer.start_stream("live")
status = computer.stream_status()
results["stream"] = [started["status"], status["pid"] == started["pid"], computer.stop_stream()["success"]]


def refusal(action):
    try:
        action()
    except Exception as error:
        return str(error)
    return "the call was not refused"


results["refusals"] = {
    "a point outside the screen": refusal(lambda: computer.left_click(5000, 1)),
    "an unknown key": refusal(lambda: computer.key("Entr")),
    "an unknown computer": refusal(lambda: Computer(computer_id="x", base_api_url=base, verbose=False).status()),
}

results["restart"] = computer.restart()["success"]
results["bash after restart"] = computer.bash("echo ok")
results["destroy"] = [computer.destroy()["success"], project.destroy()["success"]]
print(json.dumps(results))
