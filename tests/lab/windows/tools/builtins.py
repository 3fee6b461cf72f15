# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands inside cmd itself: files and folders, echo, exit."""

from __future__ import annotations

from fnmatch import fnmatchcase

from lab.windows.console import Invocation, Program, instant
from lab.windows.files import DiskFull, normal


def _paths(call: Invocation) -> list[str]:
    return [normal(item, call.folder) for item in call.arguments if not item.startswith("/")]


@instant
def make_folder(call: Invocation) -> int:
    """`mkdir`, with all folders above."""
    for path in _paths(call):
        if call.host.files.is_folder(path) or call.host.files.get(path) is not None:
            call.error(f"A subdirectory or file {path} already exists.")
            return 1
        call.host.files.make_folder(path)
    return 0


@instant
def delete(call: Invocation) -> int:
    """`del`: returns 0 even when a file is not there, as cmd does."""
    for path in _paths(call):
        folder, _unused, pattern = path.rpartition("\\")
        found = [
            item.path
            for item in call.host.files.inside(folder)
            if item.path.rpartition("\\")[0].lower() == folder.lower()
            and fnmatchcase(item.path.rpartition("\\")[2].lower(), pattern.lower())
        ]
        if not found:
            call.error(f"Could Not Find {path}")
        for name in found:
            if call.host.lsa.holds(name):
                call.error(name)
                call.error("Access is denied.")
            else:
                call.host.files.delete(name)
    return 0


@instant
def remove_folder(call: Invocation) -> int:
    """`rmdir`, with /s for everything inside."""
    recursive = any(item.lower() == "/s" for item in call.arguments)
    for path in _paths(call):
        if not call.host.files.is_folder(path):
            call.error("The system cannot find the file specified.")
            return 2
        if recursive:
            call.host.remove_tree(path)
        elif not call.host.files.remove_folder(path):
            call.error("The directory is not empty.")
            return 145
    return 0


@instant
def move(call: Invocation) -> int:
    """`move`: asks nothing without a console, so an existing target is overwritten only with /y."""
    overwrite = any(item.lower() == "/y" for item in call.arguments)
    paths = _paths(call)
    if len(paths) != 2:
        call.error("The syntax of the command is incorrect.")
        return 1
    source, target = paths
    if call.host.files.is_folder(target):
        target = f"{target}\\{source.rpartition(chr(92))[2]}"
    if call.host.files.get(target) is not None and not overwrite:
        call.error("Overwrite? (Yes/No/All): ")
        return 1
    try:
        call.host.files.move(source, target)
    except FileNotFoundError:
        call.error("The system cannot find the file specified.")
        return 1
    call.out("        1 file(s) moved.")
    return 0


@instant
def copy(call: Invocation) -> int:
    """`copy` of one file."""
    paths = _paths(call)
    file = call.host.files.get(paths[0]) if paths else None
    if len(paths) != 2 or file is None:
        call.error("The system cannot find the file specified.")
        return 1
    target = paths[1]
    if call.host.files.is_folder(target):
        target = f"{target}\\{file.path.rpartition(chr(92))[2]}"
    try:
        call.host.files.put(target, file.size, file.sha256, call.host.now(), version=file.version, content=file.content)
    except DiskFull:
        call.error("There is not enough space on the disk.")
        return 1
    except FileNotFoundError:
        call.error("The system cannot find the path specified.")
        return 1
    call.out("        1 file(s) copied.")
    return 0


@instant
def show(call: Invocation) -> int:
    """`type` of text files."""
    for path in _paths(call):
        file = call.host.files.get(path)
        if file is None or file.content is None:
            call.error("The system cannot find the file specified.")
            return 1
        content = file.content
        if content.startswith(b"\xff\xfe"):
            content = content[2:].decode("utf-16-le").encode()
        call.write_out(content)
    return 0


@instant
def list_folder(call: Invocation) -> int:
    """`dir /b /ad`: the names of the folders in a folder, and nothing else; 1 when there are none."""
    options = {item.lower() for item in call.arguments if item.startswith("/")}
    if options != {"/b", "/ad"}:
        call.error("The lab knows dir /b /ad only.")
        return 1
    (path,) = _paths(call)
    folders = call.host.files.checkpoint()[1]
    names = sorted(name for low, name in folders.items() if low.rpartition("\\")[0] == path.lower())
    for name in names:
        call.out(name.rpartition("\\")[2])
    if not names:
        call.error("File Not Found")
    return 0 if names else 1


@instant
def echo(call: Invocation) -> int:
    """`echo`."""
    call.out(call.tail)
    return 0


@instant
def end(call: Invocation) -> int:
    """`exit`, with or without /b."""
    codes = [item for item in call.arguments if item.lstrip("-").isdigit()]
    return int(codes[0]) if codes else 0


@instant
def version(call: Invocation) -> int:
    """`ver`."""
    call.out()
    call.out(f"Microsoft Windows [Version {call.host.identity.version}.{call.host.identity.revision}]")
    return 0


@instant
def nothing(call: Invocation) -> int:
    """`rem`."""
    return 0


BUILTINS: dict[str, Program] = {
    "mkdir": make_folder,
    "md": make_folder,
    "del": delete,
    "erase": delete,
    "rmdir": remove_folder,
    "rd": remove_folder,
    "move": move,
    "copy": copy,
    "type": show,
    "dir": list_folder,
    "echo": echo,
    "exit": end,
    "ver": version,
    "rem": nothing,
    "setlocal": nothing,
}
