# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""findstr, as far as `findstr "^"`, which copies standard input to standard output line by line."""

from __future__ import annotations

from lab.windows.command_line import LINE_LIMIT
from lab.windows.console import Invocation, Job


def findstr(call: Invocation) -> Job:
    """Copies standard input; a line longer than cmd's limit is left out with a message, as findstr does."""
    if call.arguments != ("^",):
        call.error("FINDSTR: the lab knows only the pattern ^")
        return 2
    data = yield from call.stdin.read_all()
    found = False
    for number, line in enumerate(data.splitlines(), start=1):
        if len(line) > LINE_LIMIT:
            call.error(f"FINDSTR: Line {number} is too long.")
            continue
        call.write_out(line + b"\r\n")
        found = True
    return 0 if found else 1
