# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of the inventory is which domain controller of the directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Known:
    """A domain controller that the directory knows.

    Attributes:
        name: DNS name, lower case.
        aliases: What else it may be called: its account's name, alone and with the domain, lower case.
        domain: DNS name of its domain.
        site: Its site.
        read_only: Whether it is an RODC.
        promoted_at: When it became a domain controller, UTC; empty when not known.
        enabled: Whether its account is; None when not known.
        problems: What the directory says of it that contradicts itself, sentences.
    """

    name: str
    aliases: tuple[str, ...]
    domain: str
    site: str
    read_only: bool
    promoted_at: str
    enabled: bool | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """A domain controller of the inventory.

    Attributes:
        name: Its name there.
        site: Its site, as the inventory has it.
        names: Names by which the directory may know it, the surest first.
        domain: DNS name of its domain, lower case, as the machine itself says; empty when it was not observed.
        read_only: Whether the inventory has it as an RODC.
        exempt: Whether it is left out on purpose.
    """

    name: str
    site: str
    names: tuple[str, ...]
    domain: str = ""
    read_only: bool = False
    exempt: bool = False


@dataclass(frozen=True)
class DirectoryAnswer:
    """What the directory says.

    Attributes:
        known: Its domain controllers.
        domains: DNS names of the domains that were asked for.
        unread: By domain, why what is in it could not be read.
        leftovers: Objects that stand for a domain controller and are none: short name in lower case, and a sentence.
    """

    known: tuple[Known, ...]
    domains: tuple[str, ...]
    unread: Mapping[str, str] = field(default_factory=dict)
    leftovers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> DirectoryAnswer:
        """Reads what the module domain_controller_info returned.

        Raises:
            KeyError: It is not what it returns when it succeeds.
        """
        return cls(
            known=tuple(_known(item) for item in result["domain_controllers"]),
            domains=tuple(str(item["dns_name"]) for item in result["domains"]),
            unread={str(name): str(reason) for name, reason in result["unread"].items()},
            leftovers=tuple((str(item["name"]).lower(), str(item["message"])) for item in result["leftovers"]),
        )


def match(listed: Iterable[Listed], answer: DirectoryAnswer) -> dict[str, Known]:
    """Returns by name in the inventory the domain controller that a host is; one that is none is missing.

    A name that several domain controllers bear says nothing.
    """
    bearers: dict[str, list[Known]] = {}
    for known in answer.known:
        for name in dict.fromkeys((known.name, *known.aliases)):
            bearers.setdefault(name, []).append(known)
    full = {known.name: known for known in answer.known}
    found: dict[str, Known] = {}
    for host in listed:
        for name in _plain(host.names):
            fitting = [full[name]] if name in full else bearers.get(name, [])
            if len(fitting) == 1:
                found[host.name] = fitting[0]
                break
    return found


def is_elsewhere(host: Listed, answer: DirectoryAnswer) -> bool:
    """Whether a host is in another domain than those that were asked for: as it says itself, else as its names do."""
    domains = {host.domain} if host.domain else {name.partition(".")[2] for name in _plain(host.names) if "." in name}
    return bool(domains) and not domains & set(answer.domains)


def left_over(host: Listed, answer: DirectoryAnswer) -> str:
    """Returns what the directory says of a host that is no domain controller any more; empty when nothing."""
    shorts = {name.partition(".")[0] for name in _plain(host.names)}
    return " ".join(sentence for name, sentence in answer.leftovers if name in shorts)


def _plain(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip().rstrip(".").lower() for name in names if name.strip())


def _known(item: Mapping[str, Any]) -> Known:
    name, domain = str(item["dns_name"]), str(item["domain"])
    short = str(item["netbios_name"] or name.partition(".")[0]).lower()
    return Known(
        name=name,
        aliases=(f"{short}.{domain}", short, name.partition(".")[0]),
        domain=domain,
        site=str(item["site"]),
        read_only=bool(item["read_only"]),
        promoted_at=str(item["promoted_at"]),
        enabled=item["enabled"],
        problems=tuple(str(text) for text in item["problems"]),
    )
