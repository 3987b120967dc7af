"""Works a computer through the official Python client, unchanged, and prints what came of it as JSON: client.py BASE_URL

The server has a stream connection named live.
"""

import inspect
import json
import sys
import types

# Its agent is a service of its own, needs a large library, and is written for Python 3.12. The rest of the client is used as it is.
sys.modules["orgo.prompt"] = types.SimpleNamespace(get_provider=None)

from orgo import Computer, Project

base = sys.argv[1]
seen = {}

project = Project(name="python", base_api_url=base)
again = Project(name="python", base_api_url=base)
seen["the project is found again"] = project.id == again.id

computer = Computer(workspace="python", name="one", ram=4, cpu=1, base_api_url=base, verbose=False)
seen["its size"] = [computer.ram, computer.cpu]
seen["connected by id"] = Computer(computer_id=computer.computer_id, base_api_url=base, verbose=False).status()["name"]
seen["listed"] = [entry["name"] for entry in project.list_computers()]
seen["found by name"] = project.get_computer("one")["id"] == computer.computer_id

picture = computer.screenshot()
seen["screenshot"] = [picture.format, *picture.size]
seen["screenshot as text"] = computer.screenshot_base64()[:4]

computer.bash("setsid xterm -u8 -geometry 80x24+200+150 -e 'touch ~/ready; read -r line; echo \"$line\" > ~/typed' >/dev/null 2>&1 &")
computer.bash("until [ -e ~/ready ]; do sleep 0.1; done")
computer.left_click(400, 300)
computer.type("Grüße, 世界 🙂\n")
seen["typed"] = computer.bash("for n in $(seq 100); do [ -s ~/typed ] && break; sleep 0.1; done; cat ~/typed")

actions = {
    "left_click": lambda: computer.left_click(10, 700),
    "double_click": lambda: computer.double_click(640, 400),
    "right_click": lambda: computer.right_click(640, 400),
    "drag": lambda: computer.drag(0, 0, 100, 100, duration=0.05),
    "scroll at the middle": lambda: computer.scroll("down"),
    "scroll further": lambda: computer.scroll("up", 2),
    "wait": lambda: computer.wait(0.01),
    "key": lambda: computer.key("Escape"),
}
if "x" in inspect.signature(computer.scroll).parameters:
    actions["scroll further"] = lambda: computer.scroll("up", 2, 0, 0)
seen["actions"] = {name: act()["success"] for name, act in actions.items()}

seen["bash"] = computer.bash("echo out; echo err >&2; exit 3")
ran = computer.exec("print(6 * 7)")
seen["exec"] = [ran["success"], ran["output"], ran["timeout"]]
failed = computer.exec("1 / 0")
seen["exec that fails"] = [failed["success"], failed["error_type"]]

started = computer.start_stream("live")
told = computer.stream_status()
seen["stream"] = [started["status"], told["pid"] == started["pid"], computer.stop_stream()["success"]]


def refusal(act):
    try:
        act()
    except Exception as error:
        return str(error)
    return "nothing was refused"


seen["refusals"] = {
    "a point off the screen": refusal(lambda: computer.left_click(5000, 1)),
    "an unknown key": refusal(lambda: computer.key("Entr")),
    "an unknown computer": refusal(lambda: Computer(computer_id="x", base_api_url=base, verbose=False).status()),
}

seen["restart"] = computer.restart()["success"]
seen["bash after restart"] = computer.bash("echo well")
seen["destroy"] = [computer.destroy()["success"], project.destroy()["success"]]
print(json.dumps(seen))
