# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""certutil, as far as `-hashfile` and `-decode`. The words around the hash are from memory and localised on Windows:
whoever reads the output must find the digest by its form."""

from __future__ import annotations

import base64
import binascii

from lab.windows.console import Invocation, instant
from lab.windows.files import DiskFull, normal

NOT_FOUND = 0x80070002
EXISTS = 0x80070050
INVALID_DATA = 0x8007000D
DISK_FULL = 0x80070070
INVALID_ARGUMENT = 0x80070057


@instant
def certutil(call: Invocation) -> int:
    """Runs one verb."""
    options = [item.lower() for item in call.arguments if item.startswith("-")]
    words = [item for item in call.arguments if not item.startswith("-")]
    if "-hashfile" in options and words:
        return _hash(call, words)
    if "-decode" in options and len(words) == 2:
        return _decode(call, words, overwrite="-f" in options)
    return _failed(call, "", INVALID_ARGUMENT, "The parameter is incorrect.")


def _hash(call: Invocation, words: list[str]) -> int:
    file = call.host.files.get(normal(words[0], call.folder))
    if file is None:
        return _failed(call, "-hashfile", NOT_FOUND, "The system cannot find the file specified.")
    if len(words) < 2 or words[1].upper() != "SHA256":
        return _failed(call, "-hashfile", INVALID_ARGUMENT, "The parameter is incorrect.")
    call.out(f"SHA256 hash of {words[0]}:")
    call.out(file.sha256)
    call.out("CertUtil: -hashfile command completed successfully.")
    return 0


def _decode(call: Invocation, words: list[str], *, overwrite: bool) -> int:
    file = call.host.files.get(normal(words[0], call.folder))
    target = normal(words[1], call.folder)
    if file is None or file.content is None:
        return _failed(call, "-decode", NOT_FOUND, "The system cannot find the file specified.")
    if call.host.files.get(target) is not None and not overwrite:
        return _failed(call, "-decode", EXISTS, "The file exists.")
    lines = [line for line in file.content.splitlines() if not line.startswith(b"-----")]
    try:
        content = base64.b64decode(b"".join(lines), validate=True)
    except binascii.Error:
        return _failed(call, "-decode", INVALID_DATA, "The data is invalid.")
    try:
        call.host.files.write(target, content, call.host.now())
    except DiskFull:
        return _failed(call, "-decode", DISK_FULL, "There is not enough space on the disk.")
    except FileNotFoundError:
        return _failed(call, "-decode", 0x80070003, "The system cannot find the path specified.")
    call.out(f"Input Length = {file.size}")
    call.out(f"Output Length = {len(content)}")
    call.out("CertUtil: -decode command completed successfully.")
    return 0


def _failed(call: Invocation, verb: str, code: int, text: str) -> int:
    call.out(f"CertUtil: {verb} command FAILED: 0x{code:08x} (WIN32: {code & 0xFFFF})")
    call.out(f"CertUtil: {text}")
    return code
