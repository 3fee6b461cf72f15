# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what was read on a host itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import (
    Check,
    Name,
    Unread,
    Verdict,
    unread,
)

AUDIT = 8
"""AuditLevel with which LSASS logs what it would refuse under protection (pcns.md 6d, P2)."""

WINDOWS_PACKAGES = ("rassfm", "scecli")
"""Notification packages that a domain controller has by default (pcns.md 1)."""

_GIB = 1 << 30


@dataclass(frozen=True)
class LsaProtection:
    """How LSA is protected.

    Attributes:
        run_as_ppl: RunAsPPL; None when it is not set, which is off.
        audit_level: AuditLevel of LSASS.exe; None when it is not set.
        protected_since_start: Whether Wininit logged since the last start that LSASS is protected (event 12); None
            where the log can't be read. It may be without RunAsPPL, since firmware remembers it (P2).
    """

    run_as_ppl: Union[int, None]
    audit_level: Union[int, None]
    protected_since_start: Union[bool, None]

    @property
    def on(self) -> bool:
        """Whether LSA is protected now, or will be after the next start."""
        return bool(self.run_as_ppl) or bool(self.protected_since_start)


def judge_lsa_protection(protection: Union[LsaProtection, Unread], *, loaded: bool) -> Check:
    """Judges whether LSA would refuse the capture component.

    Args:
        protection: How LSA is protected.
        loaded: Whether LSA has loaded a capture component already since its last start.
    """
    name = Name.LSA_PROTECTION
    if isinstance(protection, Unread):
        return unread(name, "Whether LSA is protected is not known", protection)
    audits = protection.audit_level == AUDIT
    if not protection.on:
        audit = " Audit mode is on (AuditLevel 8)." if audits else ""
        return Check(name, Verdict.GO, f"LSA protection is off.{audit}")
    signs = [f"RunAsPPL is {protection.run_as_ppl}"] if protection.run_as_ppl else []
    if protection.protected_since_start:
        signs.append("event 12 of Wininit says that LSASS runs protected")
    elif protection.protected_since_start is False:
        signs.append("LSASS was not protected at its last start, so it begins with the next")
    how = ", ".join(signs)
    if loaded:
        return Check(
            name,
            Verdict.WARNING,
            f"LSA protection is on ({how}), and LSA has loaded the capture component that is installed now. Another "
            "version may be signed differently.",
        )
    return Check(
        name,
        Verdict.NO_GO,
        f"LSA protection is on ({how}): LSA then loads only what has a Microsoft signature of its level, and no public "
        "source says whether the capture component has one. Refused, it captures nothing after the restart.",
        "Install it on one domain controller in audit mode (AuditLevel 8, events 3065 and 3066), then accept "
        "lsa_protection with what you found.",
    )


def judge_rights(may_write: Union[bool, Unread], unreadable: Mapping[str, str]) -> Check:
    """Judges whether the account may do more than read.

    Args:
        may_write: Whether it may write to the key of LSA, as an installation does.
        unreadable: Event logs that it may not read, with reasons.
    """
    name = Name.RIGHTS
    if isinstance(may_write, Unread):
        return unread(name, "Whether the account may change this host is not known", may_write)
    if not may_write:
        return Check(
            name,
            Verdict.NO_GO,
            r"The account may read this host and not change it: it may not write to "
            r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa.",
            "Connect as a member of Domain Admins.",
        )
    if unreadable:
        told = "; ".join(f"{channel}: {reason.rstrip('.')}" for channel, reason in sorted(unreadable.items()))
        return Check(
            name,
            Verdict.WARNING,
            f"Not every event log can be read ({told}), so whether LSA loaded the capture component may only be "
            "inferred after the restart.",
            "Make the account a member of Event Log Readers.",
        )
    return Check(name, Verdict.GO, "The account may read and change this host.")


def judge_free_space(free: Union[int, Unread], minimum: int, drive: str) -> Check:
    """Judges the free space of the system drive.

    Args:
        free: Bytes.
        minimum: Bytes that are wanted.
        drive: The drive, such as `C:`.
    """
    name = Name.FREE_SPACE
    if isinstance(free, Unread):
        return unread(name, f"How much is free on {drive} is not known", free)
    if free < minimum:
        return Check(
            name,
            Verdict.NO_GO,
            f"{drive} has {_size(free)} free, and at least {_size(minimum)} is wanted.",
            "Make room on it, or lower minimum_free_bytes if the packages need less.",
        )
    return Check(name, Verdict.GO, f"{drive} has {_size(free)} free.")


def judge_notification_packages(listed: Union[Sequence[str], Unread], own: str) -> Check:
    """Judges what LSA loads besides the capture component, which a rollback must find again.

    Args:
        listed: What `Notification Packages` has.
        own: Entry of the capture component.
    """
    name = Name.NOTIFICATION_PACKAGES
    if isinstance(listed, Unread):
        return unread(name, "Which notification packages are registered is not known", listed)
    told = ", ".join(listed) or "nothing"
    known = {entry.lower() for entry in (*WINDOWS_PACKAGES, own)}
    others = [entry for entry in listed if entry.lower() not in known]
    if others:
        return Check(
            name,
            Verdict.WARNING,
            f"Notification Packages has {told}. Recorded for a rollback; {', '.join(others)} "
            f"{'is' if len(others) == 1 else 'are'} not Windows' own, so test the restart with "
            f"{'it' if len(others) == 1 else 'them'} first.",
        )
    return Check(name, Verdict.GO, f"Notification Packages has {told}. Recorded for a rollback.")


def _size(number: int) -> str:
    return f"{number / _GIB:.1f} GiB" if number >= _GIB // 10 else f"{number / (1 << 20):.1f} MiB"
