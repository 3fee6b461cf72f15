# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the diagnostic of a connection found, and the same as text for a ticket. No password is ever part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_rights import (
    Outcome,
    RightStanding,
)

CLOCK_TOLERANCE = 300.0
"""Seconds that clocks may be apart for Kerberos: Windows' policy "Maximum tolerance for computer clock
synchronization" is five minutes by default."""


@dataclass(frozen=True)
class ControlNode:
    """The machine that runs Ansible.

    Attributes:
        collection: Version of this collection.
        python: Version of the Python that runs Ansible.
        executable: Where it is.
        libraries: Distribution to version; empty text for one that is not installed.
    """

    collection: str
    python: str
    executable: str
    libraries: Mapping[str, str]


@dataclass(frozen=True)
class Target:
    """Where the inventory leads, without anything secret.

    Attributes:
        connection: Ansible's connection.
        endpoint: URL of the WinRM service.
        address: Host name or address in it.
        port: Its port; None where the connection has none that is known.
        account: The account; empty for the ticket cache's or a certificate's.
        mechanisms: Ways to authenticate that are tried in turn.
        host_name: The host's name for Kerberos.
    """

    connection: str
    endpoint: str
    address: str
    port: int | None
    account: str
    mechanisms: tuple[str, ...]
    host_name: str


@dataclass(frozen=True)
class NameResolution:
    """What the control node's resolver says.

    Attributes:
        name: What was asked for.
        addresses: Its addresses.
        reverse: Address to its name; empty text for one without.
        problem: Why there is no address; empty when there is one.
    """

    name: str
    addresses: tuple[str, ...]
    reverse: Mapping[str, str]
    problem: str = ""


@dataclass(frozen=True)
class PortState:
    """A TCP port as seen from the control node: `open`, or what happened instead."""

    port: int
    purpose: str
    state: str


@dataclass(frozen=True)
class TicketCache:
    """A Kerberos ticket cache.

    Attributes:
        name: Type and place.
        principal: Whose tickets it holds.
        expires: When the ticket expires that all others are got with, UTC; empty when there is none.
        problem: Why it can't be used, or not be read; empty when it is fine.
    """

    name: str
    principal: str = ""
    expires: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Clock:
    """The host's clock against the control node's.

    Attributes:
        ahead: Seconds that the host is ahead; None when not known.
        round_trip: Seconds that the question took, half of which is allowed for.
        problem: Why it is not known.
    """

    ahead: float | None = None
    round_trip: float = 0.0
    problem: str = ""

    @property
    def fits(self) -> bool | None:
        """Whether Kerberos takes it; None when not known."""
        return None if self.ahead is None else abs(self.ahead) <= CLOCK_TOLERANCE


@dataclass(frozen=True)
class Standing:
    """What the host itself was asked.

    Attributes:
        reachable: Whether it let the account in.
        problem: Why not, with what to do.
        authentication: How it did: basic, certificate, credssp, kerberos or ntlm.
        encrypted: What protects the messages: `message`, `TLS`, or nothing.
        system: Name and version of the machine that answered, for people.
        names: Further names in it that `redact` shortens.
        clock: Its clock.
        rights: What the account may do.
    """

    reachable: bool
    problem: str
    authentication: str
    encrypted: str
    system: str
    names: tuple[str, ...]
    clock: Clock
    rights: tuple[RightStanding, ...]


@dataclass(frozen=True)
class ConnectionReport:
    """Everything."""

    host: str
    made_at: str
    node: ControlNode
    target: Target
    resolutions: tuple[NameResolution, ...]
    ports: tuple[PortState, ...]
    tickets: TicketCache
    standing: Standing

    @property
    def summary(self) -> str:
        """One sentence."""
        standing = self.standing
        if not standing.reachable:
            return f"{self.host} was not reached. {standing.problem}"
        denied = [item.right.name for item in standing.rights if item.outcome is Outcome.DENIED]
        return (
            f"{self.host} lets the account in ({standing.authentication or 'unknown'}, "
            f"{_protection(standing.encrypted)})" + (f"; denied: {', '.join(denied)}." if denied else ".")
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of users, hosts and domains, and addresses, that the text may hold."""
        target, resolutions = self.target, self.resolutions
        users = [
            part for item in (target.account, self.tickets.principal) for part in (item, *re.split(r"[\\@]", item))
        ]
        hosts = [self.host, target.address, target.host_name, *self.standing.names]
        hosts += [name for item in resolutions for name in (item.name, *item.addresses, *item.reverse.values())]
        domains = [host.partition(".")[2] for host in hosts if not re.fullmatch(r"[0-9.]+|.*:.*", host)]
        short = [host.partition(".")[0] for host in hosts if not re.fullmatch(r"[0-9.]+|.*:.*", host)]
        names = (*users, *hosts, *domains, *short, self.node.executable, self.tickets.name)
        return tuple(dict.fromkeys(name for name in names if name))

    def to_json(self) -> dict[str, Any]:
        """Returns the data in the form that the module returns; the module adds the text."""
        target, standing, clock = self.target, self.standing, self.standing.clock
        return {
            "reachable": standing.reachable,
            "problem": standing.problem,
            "control_node": {
                "collection": self.node.collection,
                "python": self.node.python,
                "executable": self.node.executable,
                "libraries": {name: version or None for name, version in self.node.libraries.items()},
            },
            "target": {
                "connection": target.connection,
                "endpoint": target.endpoint,
                "address": target.address,
                "port": target.port,
                "account": target.account,
                "mechanisms": list(target.mechanisms),
                "host_name": target.host_name,
            },
            "name_resolution": [
                {
                    "name": item.name,
                    "addresses": list(item.addresses),
                    "reverse": dict(item.reverse),
                    "problem": item.problem,
                }
                for item in self.resolutions
            ],
            "ports": [{"port": item.port, "purpose": item.purpose, "state": item.state} for item in self.ports],
            "ticket_cache": {
                "name": self.tickets.name,
                "principal": self.tickets.principal,
                "expires": self.tickets.expires,
                "problem": self.tickets.problem,
            },
            "authentication": {"mechanism": standing.authentication, "encrypted": standing.encrypted},
            "system": standing.system,
            "clock": {
                "ahead_seconds": clock.ahead,
                "round_trip_seconds": clock.round_trip,
                "within_tolerance": clock.fits,
                "problem": clock.problem,
            },
            "rights": [item.to_json() for item in standing.rights],
        }


def ticket_text(report: ConnectionReport, *, redact: bool) -> str:
    """Returns the report as text to paste into a ticket.

    Args:
        report: What was found.
        redact: Whether names of users and hosts, and addresses, are shortened.
    """
    text = "\n".join(_lines(report)) + "\n"
    return shortened(text, report.names) if redact else text


def shortened(text: str, names: Iterable[str]) -> str:
    """Returns a text in which names are cut to their first characters; the same name always becomes the same."""
    ordered = sorted({name for name in names if len(name) > 1}, key=len, reverse=True)
    if not ordered:
        return text
    pattern = "|".join(re.escape(name) for name in ordered)
    return re.sub(rf"(?<![\w])(?:{pattern})(?![\w])", lambda match: f"{match[0][:2]}~", text, flags=re.IGNORECASE)


def _lines(report: ConnectionReport) -> Iterator[str]:
    target, standing = report.target, report.standing
    yield f"connection_info of entsso.password_sync {report.node.collection}, {report.made_at}"
    yield _line("Host", report.host)
    yield _line("Result", report.summary)
    yield _line("Connection", f"{target.connection} to {target.endpoint or target.address}")
    yield _line("Account", target.account or "none set (ticket cache, keytab or certificate)")
    yield _line("Tried in turn", ", ".join(target.mechanisms) or "nothing")
    yield _line("Name for Kerberos", target.host_name or "unknown")
    yield _line("Authenticated by", standing.authentication or "nothing")
    yield _line("Protected by", _protection(standing.encrypted) if standing.authentication else "unknown")
    yield _line("Machine", standing.system or "unknown")
    yield _line("Clock", _clock(standing.clock))
    yield _line("Tickets", _tickets(report.tickets))
    for resolution in report.resolutions:
        yield from _resolution(resolution)
    for port in report.ports:
        yield _line(f"TCP {port.port}", f"{port.state} ({port.purpose})")
    yield _line("Python", f"{report.node.python} ({report.node.executable})")
    yield _line("Libraries", _versions(report.node.libraries))
    yield "Rights of the account"
    for item in standing.rights:
        detail = f": {item.detail}" if item.detail else ""
        yield f"  {item.outcome.value:8}{item.right.title}{detail}"
        if item.outcome is Outcome.DENIED:
            yield f"          {item.right.grant}"


def _line(title: str, text: str) -> str:
    return f"{title:18}{text}"


def _protection(encrypted: str) -> str:
    return {"message": "message encryption", "TLS": "TLS"}.get(encrypted, "NOT ENCRYPTED")


def _clock(clock: Clock) -> str:
    if clock.ahead is None:
        return f"unknown ({clock.problem})" if clock.problem else "unknown"
    side = "ahead of" if clock.ahead >= 0 else "behind"
    verdict = "" if clock.fits else "; too far apart for Kerberos (five minutes)"
    return f"{abs(clock.ahead):.1f} s {side} the control node, round trip {clock.round_trip:.3f} s{verdict}"


def _tickets(cache: TicketCache) -> str:
    parts = [cache.name or "no cache"]
    if cache.principal:
        parts.append(f"of {cache.principal}")
    if cache.expires:
        parts.append(f"until {cache.expires}")
    return " ".join(parts) + (f": {cache.problem}" if cache.problem else "")


def _resolution(resolution: NameResolution) -> Iterator[str]:
    if resolution.problem:
        yield _line("Name resolution", f"{resolution.name}: {resolution.problem}")
    for address in resolution.addresses:
        back = resolution.reverse.get(address) or "no name"
        yield _line("Name resolution", f"{resolution.name} -> {address} -> {back}")


def _versions(libraries: Mapping[str, str]) -> str:
    listed: Sequence[str] = [f"{name} {version or '-'}" for name, version in libraries.items()]
    return ", ".join(listed)
