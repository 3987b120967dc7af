"""Breaks a home: `mutations.py SKELETON JSON SEED PROTECT`.

Restores the home from SKELETON, a tar archive in base64, and then applies the mutations in JSON, a list of
[path in the home, mutation]. If JSON is `"list"`, prints the names of all mutations instead. SEED seeds the random
numbers. If PROTECT is `others`, no hostile file in the home kills processes other than those that it started
itself.

Run it with `python3 -IS`, so that no file in the home affects it.
"""

import base64
import io
import json
import os
import random
import socket
import stat
import subprocess
import sys
import tarfile

HOME = os.environ["HOME"]

SHELL = [
    "exit 1\n",
    "exec sleep inf\n",
    "set -e; false\n",
    "while :; do sleep 1; done\n",
    "kill -9 $$\n",
    "kill -STOP $$\n",
    "trap '' INT TERM HUP QUIT; sleep inf\n",
    "stty -echo -icanon -isig\n",
    "exec </dev/null >/dev/null 2>&1\n",
    "PATH=/nowhere; readonly PATH; alias echo=false\n",
    "PROMPT_COMMAND='exit 3'\n",
    "if [\n",
]
PYTHON = ["import os; os._exit(9)\n", "import time; time.sleep(3600)\n", "raise SystemExit(4)\n", "import os; os.kill(os.getpid(), 9)\n"]
SERVICE = "[D-BUS Service]\nName=%s\nExec=/usr/bin/pkill -9 Xvnc\n"
HOSTILE = {
    ".bashrc": SHELL,
    ".profile": SHELL,
    ".bash_profile": SHELL,
    ".bash_login": SHELL,
    ".bash_logout": SHELL,
    ".inputrc": ["set editing-mode vi\n\"e\": abort\n", "$include ~/.inputrc\n"],
    ".config/openbox/rc.xml": [
        "<openbox_config/>",
        "<openbox_config><desktops><number>2000000000</number></desktops></openbox_config>",
        "<openbox_config><keyboard><keybind key='e'><action name='Exit'><prompt>no</prompt></action></keybind></keyboard></openbox_config>",
        "<!DOCTYPE a [<!ENTITY a '0123456789'>" + "".join("<!ENTITY %s '%s'>" % (chr(98 + n), "&%s;" % chr(97 + n) * 10) for n in range(12)) + "]><openbox_config>&m;</openbox_config>",
        "<openbox_config><theme><name>../../../../dev/zero</name></theme></openbox_config>",
    ],
    ".config/openbox/menu.xml": ["<openbox_menu><menu id='m' label='m'><menu id='m'/></menu></openbox_menu>"],
    ".config/openbox/autostart": ["kill -9 -1\n"],
    ".config/openbox/environment": ["exit 1\n"],
    ".config/tint2/tint2rc": [
        "panel_items = E\nexecp = new\nexecp_command = kill -9 -1\n",
        "panel_items = E\nexecp = new\nexecp_command = pkill -9 Xvnc\nexecp_interval = 1\n",
        "panel_items = E\nexecp = new\nexecp_command = chmod 0 ~ /tmp /run/user; sleep inf\n",
        "panel_size = 0 0\n",
        "panel_size = 1000000 1000000\n",
    ],
    ".config/pcmanfm/default/desktop-items-0.conf": ["[*]\nwallpaper=/dev/zero\n", "[*]\nwallpaper=/proc/self/mem\n", "[*]\nfolder=/\n"],
    ".config/pcmanfm/default/pcmanfm.conf": ["[desktop]\nwallpaper=/dev/zero\nwallpaper_mode=stretch\n"],
    ".config/libfm/libfm.conf": ["[config]\nterminal=/dev/null\n"],
    ".config/autostart/x.desktop": ["[Desktop Entry]\nType=Application\nName=x\nExec=kill -9 -1\n"],
    ".config/user-dirs.dirs": ['XDG_DESKTOP_DIR="/dev"\n', 'XDG_DESKTOP_DIR="$HOME/"\n'],
    ".config/pulse/client.conf": ["default-server = nowhere\nautospawn = no\n"],
    ".config/pulse/daemon.conf": ["exit-idle-time = 0\n"],
    ".config/pulse/default.pa": ["exit\n"],
    ".config/fontconfig/fonts.conf": ["<fontconfig><reset-dirs/><dir>/proc</dir></fontconfig>", "<fontconfig><selectfont><rejectfont><glob>*</glob></rejectfont></selectfont></fontconfig>"],
    ".config/gtk-3.0/gtk.css": ["* { color: @import url('/dev/zero'); }", "@import url('gtk.css');"],
    ".config/gtk-3.0/settings.ini": ["[Settings]\ngtk-modules=/dev/zero\ngtk-icon-theme-name=../../../..\n"],
    ".gtkrc-2.0": ['include "/dev/zero"\n', 'include ".gtkrc-2.0"\n', 'gtk-modules="canberra:/dev/zero"\n'],
    ".XCompose": ['include "/dev/zero"\n', 'include "%H/.XCompose"\n'],
    ".Xdefaults": ["*: \\\n" * 1000],
    ".asoundrc": ["pcm.!default { type file file /dev/full slave.pcm null }\n", "</home/user/.asoundrc>\n"],
    ".local/share/dbus-1/services/x.service": [SERVICE % name for name in ("org.gtk.vfs.Daemon", "ca.desrt.dconf", "org.a11y.Bus")],
    ".local/share/applications/mimeapps.list": ["[Default Applications]\ntext/plain=\n"],
    ".local/lib/python3.11/site-packages/usercustomize.py": PYTHON,
    ".local/lib/python3.11/site-packages/sitecustomize.py": PYTHON,
    ".local/lib/python3.11/site-packages/x.pth": [text.strip() + "\n" for text in PYTHON if text.startswith("import")],
    ".local/lib/python3.11/site-packages/os.py": PYTHON,
    "json.py": PYTHON,
    "sys.py": PYTHON,
    "encodings.py": PYTHON,
    "pyvenv.cfg": ["home = /nowhere\n"],
    ".drirc": ["<driconf><device/></driconf>"],
}


def clear(path):
    """Removes a file or folder. Of the home, removes only the contents."""
    names = [os.path.join(path, name) for name in os.listdir(path)] if path == HOME else [path]
    for name in names:
        # Uses chmod and rm, because functions with full paths fail in deep folders.
        if os.path.isdir(name) and not os.path.islink(name):
            subprocess.run(["chmod", "-R", "u+rwx", "--", name], stderr=subprocess.DEVNULL, check=False)
        # Retries, because programs of the desktop may create files at the same time.
        for _ in range(100):
            if subprocess.run(["rm", "-rf", "--", name], check=False).returncode == 0:
                break
        else:
            raise OSError("cannot remove " + name)


def prepare(path):
    """Creates the parent folders of a path, and removes the path itself. Never removes the home."""
    parent = HOME
    for part in os.path.relpath(os.path.dirname(path), HOME).split("/") if path != HOME else ():
        parent = os.path.join(parent, part)
        try:
            if not stat.S_ISDIR(os.lstat(parent).st_mode):
                os.unlink(parent)
                os.mkdir(parent)
            os.chmod(parent, 0o700)
        except FileNotFoundError:
            os.mkdir(parent)
    clear(path)


def write(path, data):
    prepare(path)
    if path == HOME:
        path = os.path.join(path, "garbage")
    with open(path, "wb") as file:
        file.write(data)


def folder(path):
    prepare(path)
    os.makedirs(path, exist_ok=True)
    return path


def link(target):
    def mutation(path):
        prepare(path)
        if path != HOME:
            os.symlink(target.replace("SELF", os.path.basename(path)), path)

    return mutation


def fifo(path):
    prepare(path)
    if path != HOME:
        os.mkfifo(path)


def unix_socket(path):
    prepare(path)
    if path != HOME:
        folder = os.open(os.path.dirname(path), os.O_PATH)
        socket.socket(socket.AF_UNIX).bind("/proc/self/fd/%d/%s" % (folder, os.path.basename(path)))
        os.close(folder)


def mode(bits):
    def mutation(path):
        if not os.path.lexists(path):
            write(path, b"text\n")
        if not os.path.islink(path):
            os.chmod(path, bits)

    return mutation


def fill_many(path):
    folder(path)
    for number in range(3000):
        open(os.path.join(path, "%0200d.desktop" % number), "w").close()


def fill_deep(path):
    folder(path)
    here = os.open(path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d" * 100, dir_fd=here)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def fill_names(path):
    folder(path)
    for name in (b"\xff\xfe", b"a\nb", b"-rf", b" ", b"\x1b[2J", b"x" * 255, b"%s%n", b"$(reboot)", "\u202ea".encode()):
        os.mkdir(os.path.join(os.fsencode(path), name))


def full(path):
    """Fills the disk if it is small."""
    write(path, b"x")
    space = os.statvfs(HOME)
    if space.f_blocks * space.f_frsize < 1 << 30:
        with open(os.path.join(HOME, ".filling"), "wb", 0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass


def hostile(path):
    texts = HOSTILE.get(os.path.relpath(path, HOME))
    write(path, (random.choice(texts) if texts else "exit 1\n<a>\n[x]\n=\n").encode())


MUTATIONS = {
    "delete": prepare,
    "file": lambda path: write(path, b""),
    "folder": folder,
    "dangling": link("nowhere/at/all"),
    "root": link("/"),
    "loop": link("SELF"),
    "up": link("."),
    "passwd": link("/etc/passwd"),
    "zero": link("/dev/zero"),
    "fifo": fifo,
    "socket": unix_socket,
    "0": mode(0),
    "600": mode(0o600),
    "777": mode(0o777),
    "sticky": mode(0o7111),
    "huge": lambda path: write(path, b"a" * (32 << 20)),
    "many": fill_many,
    "deep": fill_deep,
    "names": fill_names,
    "full": full,
    "random": lambda path: write(path, random.randbytes(1 << 16)),
    "nul": lambda path: write(path, bytes(1 << 16)),
    "latin": lambda path: write(path, b"\xff\xfe\xe9=\xc3(\n" * 5000),
    "long": lambda path: write(path, (b"<a b='" + b"x" * (1 << 20) + b"'>" + b"\n") * 2),
    "hostile": hostile,
}


def restore(skeleton):
    clear(HOME)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(skeleton))) as tar:
        tar.extractall(HOME)


def main():
    skeleton, mutations = sys.argv[1], json.loads(sys.argv[2])
    random.seed(sys.argv[3])
    if sys.argv[4] == "others":
        for texts in HOSTILE.values():
            texts[:] = [text for text in texts if "kill -9 -1" not in text and "pkill" not in text] or ["exit 1\n"]
    os.chdir("/")
    os.chmod(HOME, 0o700)
    restore(skeleton)
    if mutations == "list":
        print(json.dumps([sorted(MUTATIONS), {path: len(texts) for path, texts in HOSTILE.items()}]))
        return
    for path, mutation in mutations:
        name, _, number = mutation.partition(":")
        path = os.path.normpath(os.path.join(HOME, path))
        if number:
            write(path, HOSTILE[os.path.relpath(path, HOME)][int(number)].encode())
        else:
            MUTATIONS[name](path)


main()
