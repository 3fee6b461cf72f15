# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""shutdown: `/r /t <seconds> /d <reason>`, `/a`. Codes 1190 and 1115: wsman.md 4."""

from __future__ import annotations

from lab.windows.console import Invocation, instant

ALREADY_SCHEDULED = 1190
IN_PROGRESS = 1115
NOTHING_TO_ABORT = 1116


@instant
def shutdown(call: Invocation) -> int:
    """Schedules a restart, or takes it back."""
    arguments = [item.lower().replace("-", "/", 1) for item in call.arguments]
    power = call.host.power
    if "/a" in arguments:
        if not power.scheduled:
            call.error("Unable to abort the system shutdown because no shutdown was in progress.(1116)")
            return NOTHING_TO_ABORT
        power.abort()
        return 0
    if "/r" not in arguments:
        call.error("The lab only restarts: give /r.")
        return 1
    if power.going_down:
        call.error("A system shutdown is in progress.(1115)")
        return IN_PROGRESS
    if power.scheduled:
        call.error("A system shutdown has already been scheduled.(1190)")
        return ALREADY_SCHEDULED
    seconds = 30
    if "/t" in arguments:
        following = arguments[arguments.index("/t") + 1 :]
        if not following or not following[0].isdigit():
            call.error("The parameter is incorrect.(87)")
            return 87
        seconds = int(following[0])
    power.schedule_restart(seconds)
    return 0
