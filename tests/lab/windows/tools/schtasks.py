# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""schtasks: `/create /xml`, `/run`, `/query` and `/delete` (windows-commands/schtasks-*.md).

Exit codes are documented nowhere and its texts are localised: both are settings of the lab, so that whoever uses it can
be seen not to rest on either.
"""

from __future__ import annotations

from lab.windows.console import Forever, Invocation, Job
from lab.windows.files import normal
from lab.windows.scheduled_tasks import TaskRefused

_VERBS = ("/create", "/run", "/query", "/delete")
_VALUED = ("/tn", "/xml")


def schtasks(call: Invocation) -> Job:
    """Runs one verb."""
    settings = call.host.settings.windows
    given: dict[str, str] = {}
    words = list(call.arguments)
    while words:
        word = words.pop(0).lower()
        if word in _VALUED and words:
            given[word] = words.pop(0)
        elif word in (*_VERBS, "/f"):
            given[word] = ""
        else:
            call.error("ERROR: Invalid syntax.")
            return settings.schtasks_failure_exit_code
    name = given.get("/tn", "").lstrip("\\")
    if "/delete" in given and "/f" not in given:
        # It asks, and nobody answers.
        yield Forever()
    try:
        _act(call, given, name)
    except TaskRefused as refused:
        call.error(f"{'FEHLER' if settings.schtasks_german else 'ERROR'}: {refused}")
        return settings.schtasks_failure_exit_code
    call.out(f'{"ERFOLGREICH" if settings.schtasks_german else "SUCCESS"}: "{name}"')
    return 0


def _act(call: Invocation, given: dict[str, str], name: str) -> None:
    tasks = call.host.tasks
    if not name or len(name) > 238:
        raise TaskRefused("Invalid syntax.")
    if "/create" in given:
        file = call.host.files.get(normal(given.get("/xml", ""), call.folder))
        if file is None or file.content is None:
            raise TaskRefused("The system cannot find the file specified.")
        tasks.register(name, file.content, replace="/f" in given)
    elif "/query" in given:
        tasks.check(name)
    elif "/run" in given:
        tasks.run(name)
    else:
        tasks.delete(name)
