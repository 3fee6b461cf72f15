# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node itself says about a connection: versions, name resolution, ports, Kerberos tickets.

No process is started and no credential is used. Everything that may block has a deadline.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import yaml

from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_report import (
    ControlNode,
    NameResolution,
    PortState,
    TicketCache,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.connection._ticket_cache import (
    UnreadableCache,
    tickets,
)

LIBRARIES = (
    "ansible-core",
    "pywinrm",
    "pypsrp",
    "pyspnego",
    "requests",
    "requests-ntlm",
    "requests-kerberos",
    "requests-credssp",
    "pykerberos",
    "gssapi",
    "krb5",
    "smbprotocol",
    "sansldap",
    "cryptography",
    "xmltodict",
)
"""What a connection may rest on, by the name of the distribution."""

_MOST_ADDRESSES = 4
_ROOT = Path(__file__).resolve().parents[3]
_Answer = TypeVar("_Answer")


def control_node() -> ControlNode:
    """Returns the versions of what runs here."""
    return ControlNode(
        collection=_collection_version(),
        python=platform.python_version(),
        executable=sys.executable,
        libraries={name: _version(name) for name in LIBRARIES},
    )


def resolve(names: Iterable[str], deadline: float) -> tuple[NameResolution, ...]:
    """Asks the resolver for the addresses of names, and for the names of these.

    Args:
        names: Host names or addresses.
        deadline: Seconds for all of it.
    """
    wanted = tuple(dict.fromkeys(name for name in names if name))
    silent = f"the resolver did not answer within {deadline:g} seconds"
    found = _within(deadline, [partial(_resolved, name) for name in wanted])
    return tuple(item or NameResolution(name, (), {}, silent) for name, item in zip(wanted, found, strict=True))


def probe_ports(address: str, ports: Sequence[tuple[int, str]], deadline: float) -> tuple[PortState, ...]:
    """Tries to connect to TCP ports, all at once; nothing is sent.

    Args:
        address: Host name or address.
        ports: Port and what it is for.
        deadline: Seconds to wait.
    """
    silent = f"no answer within {deadline:g} seconds"
    # A name is looked up first, which no time-out of a socket covers.
    states = _within(deadline, [partial(_connect, address, port, deadline) for port, _use in ports])
    return tuple(PortState(port, use, state or silent) for (port, use), state in zip(ports, states, strict=True))


def read_tickets(name: str | None) -> TicketCache:
    """Returns what is in a Kerberos ticket cache.

    Args:
        name: The cache; None for the one that Kerberos would take by itself.
    """
    cache = name or os.environ.get("KRB5CCNAME") or _default_cache()
    kind, separator, place = cache.partition(":")
    if not separator:
        kind, place = "FILE", cache
    if kind.upper() != "FILE":
        return TicketCache(cache, problem=f"not readable: only caches of type FILE are read, and this is {kind}")
    try:
        data = Path(place).read_bytes()
    except FileNotFoundError:
        return TicketCache(cache, problem="there is no such cache")
    except OSError as error:
        return TicketCache(cache, problem=f"not readable: {error.strerror or error}")
    try:
        held = tickets(data)
    except UnreadableCache as error:
        return TicketCache(cache, problem=f"not readable: {error}")
    granting = [ticket for ticket in held if ticket.server.startswith("krbtgt/")]
    if not granting:
        return TicketCache(cache, problem="it holds no ticket to get others with")
    newest = max(granting, key=lambda ticket: ticket.ends)
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(newest.ends))
    return TicketCache(cache, newest.client, expires, "expired" if newest.ends <= time.time() else "")


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _collection_version() -> str:
    """Returns the collection's version: from the manifest of an installed one, or from a clone's galaxy.yml."""
    try:
        manifest = json.loads((_ROOT / "MANIFEST.json").read_text(encoding="utf-8"))
        return str(manifest["collection_info"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        return str(yaml.safe_load((_ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return "of unknown version"


def _default_cache() -> str:
    """Returns what Kerberos takes where nothing is set; krb5.conf may name another, which only the library knows."""
    try:
        import krb5

        return str(krb5.cc_default_name(krb5.init_context()).decode())
    except Exception:
        return f"FILE:/tmp/krb5cc_{os.getuid()}"


def _resolved(name: str) -> NameResolution:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return NameResolution(name, (), {}, str(getattr(error, "strerror", None) or error))
    addresses = tuple(dict.fromkeys(str(item[4][0]) for item in found))
    return NameResolution(name, addresses, {address: _name_of(address) for address in addresses[:_MOST_ADDRESSES]})


def _name_of(address: str) -> str:
    try:
        return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except OSError:
        return ""


def _connect(address: str, port: int, deadline: float) -> str:
    try:
        socket.create_connection((address, port), timeout=deadline).close()
    except TimeoutError:
        return f"no answer within {deadline:g} seconds"
    except (OSError, UnicodeError) as error:
        return str(getattr(error, "strerror", None) or error).lower()
    return "open"


def _within(deadline: float, calls: Sequence[Callable[[], _Answer]]) -> list[_Answer | None]:
    """Makes calls at the same time; one that has not returned at the deadline answers None and is left to itself."""
    answers: list[_Answer | None] = [None] * len(calls)

    def make(index: int) -> None:
        answers[index] = calls[index]()

    end = time.monotonic() + deadline
    threads = [threading.Thread(target=make, args=(index,), daemon=True) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return list(answers)
