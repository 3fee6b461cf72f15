# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until the domain controllers that matter have what was written to one of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    DeadlineExceeded,
    HostError,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._deadline import Deadline

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
"""Seconds. Within a site replication takes seconds, between sites it may take hours."""

_NOT_YET = "it does not have it yet"
_NOT_ASKED = "there was no time left to ask it"


@dataclass(frozen=True)
class Awaited:
    """Something that is waited for.

    Attributes:
        subject: What it is, for the sentence.
        sees: Whether the domain controller of a session has it.
    """

    subject: str
    sees: Callable[[LdapSession], bool]


def wait_until_seen(
    directory: Directory,
    servers: Sequence[str],
    awaited: Awaited,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Waits until every one of some domain controllers has something.

    Args:
        directory: How to reach them; sessions that are opened here are ended as soon as they have served.
        servers: Their names.
        awaited: What they are to have.
        seconds: How long to wait for all of them together.
        clock: Tells the time.
        sleep: Waits.

    Raises:
        DeadlineExceeded: Some don't have it; the sentence names each with the reason.
    """
    deadline = Deadline(seconds, clock)
    missing = dict.fromkeys(servers, _NOT_ASKED)
    ours = {server for server in servers if not directory.knows(server)}
    final: set[str] = set()
    pause = _FIRST_PAUSE
    while True:
        for server in [name for name in missing if name not in final]:
            missing[server] = _ask(directory, server, awaited, final)
            if not missing[server]:
                del missing[server]
                if server in ours:
                    directory.forget(server)
            if deadline.passed:
                break
        if not missing:
            return
        if deadline.passed or final.issuperset(missing):
            break
        sleep(max(0.0, min(pause, deadline.left)))
        pause = min(pause * 2, _LONGEST_PAUSE)
    raise DeadlineExceeded(
        "",
        awaited.subject,
        f"it was written, and after {seconds:g} seconds not every domain controller has it: "
        f"{'; '.join(f'{server}: {reason}' for server, reason in missing.items())}",
        "Look at the replication to them (repadmin /showrepl), and run again; between sites it follows a schedule",
    )


def _ask(directory: Directory, server: str, awaited: Awaited, final: set[str]) -> str:
    """Returns why a domain controller does not have it; empty when it has."""
    try:
        if awaited.sees(directory.session_with((server,))):
            return ""
    except AuthenticationRejected as error:
        final.add(server)  # asking again would count as another wrong password
        return error.reason
    except HostError as error:
        directory.forget(server)
        return error.reason
    return _NOT_YET
