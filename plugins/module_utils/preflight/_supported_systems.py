# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which Windows a version of PCNS is supported, as far as public sources say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import Check, Name, Verdict

NAMES = {
    9200: "Windows Server 2012",
    9600: "Windows Server 2012 R2",
    14393: "Windows Server 2016",
    17763: "Windows Server 2019",
    20348: "Windows Server 2022",
    26100: "Windows Server 2025",
}
"""Build numbers ("Windows Server release information" at learn.microsoft.com)."""

_SP3 = frozenset({17763, 20348})
"""MIM 2016 SP3, whose version is 4.7.3.0: Server 2019 and 2022; 2025 "isn't yet supported" (pcns.md 2, C2)."""

_BEFORE_SP3 = frozenset({9200, 9600, 14393, 17763, 20348})
"""MIM 2016 up to SP2, version 4.6: Server 2012 to 2022 (pcns.md 2, table M3)."""


@dataclass(frozen=True)
class PackageVersion:
    """A package that is to be installed: its name for people, and its version."""

    name: str
    version: str


def judge_operating_system(
    version: str, caption: str, packages: Sequence[PackageVersion], *, allow_unsupported: bool
) -> Check:
    """Judges whether the packages are supported on the Windows of a host.

    Args:
        version: Version of Windows, such as `10.0.20348`.
        caption: Its name, for the sentence.
        packages: What is to be installed.
        allow_unsupported: Whether somebody decided to install on a Windows that is not supported.
    """
    build = _build(version)
    name = NAMES.get(build, caption or f"Windows {version}")
    if build == 0:
        return Check(
            Name.OPERATING_SYSTEM,
            Verdict.UNKNOWN,
            f"The version of Windows is not understood: {version or 'it tells none'}.",
            "Repair WMI on the host.",
        )
    refused = [item for item in packages if build not in _supported(item.version)]
    if refused:
        told = " and ".join(f"{item.name} {item.version}" for item in refused)
        supported = sorted(frozenset.intersection(*(_supported(item.version) for item in refused)))
        listed = ", ".join(NAMES[number] for number in supported)
        sentence = f"{name} (build {build}) is not supported by {told}, which is supported on {listed}."
        if allow_unsupported:
            return Check(Name.OPERATING_SYSTEM, Verdict.WARNING, f"{sentence} allow_unsupported_os is set.")
        return Check(
            Name.OPERATING_SYSTEM,
            Verdict.NO_GO,
            sentence,
            "Exempt this domain controller, use a package that supports it, or set allow_unsupported_os after a test "
            "of your own.",
        )
    unlisted = [item for item in packages if not _is_listed(item.version)]
    if unlisted:
        told = " and ".join(f"{item.name} {item.version}" for item in unlisted)
        return Check(
            Name.OPERATING_SYSTEM,
            Verdict.WARNING,
            f"No public source says which Windows {told} supports; PCNS of MIM 2016 supports {name}.",
            "Ask the vendor of the package, or test it on such a domain controller first.",
        )
    return Check(Name.OPERATING_SYSTEM, Verdict.GO, f"{name} (build {build}) is supported.")


def _supported(version: str) -> frozenset[int]:
    return _SP3 if _parts(version)[:2] >= (4, 7) and _is_listed(version) else _BEFORE_SP3


def _is_listed(version: str) -> bool:
    return _parts(version)[:1] == (4,) and _parts(version)[:2] <= (4, 7)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split("."))


def _build(version: str) -> int:
    parts = version.split(".")
    return int(parts[2]) if len(parts) >= 3 and parts[2].isdecimal() else 0
