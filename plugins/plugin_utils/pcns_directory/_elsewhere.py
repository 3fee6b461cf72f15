# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes that would compete with what other domain controllers have and this one has not received yet.

Of two objects that were created with one name on two domain controllers, one gets another name when they replicate
(MS-DRSR 4.1.10.6.12), and of two values the one stays that was written more often, then later (MS-DRSR 5.11): what is
written on a domain controller that is behind may undo what works on all others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_objects import PcnsObjects
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._directory_view import DirectoryView


@dataclass(frozen=True)
class Competing:
    """What a write would compete with.

    Attributes:
        what: What is to be written, for the sentence.
        there: What it is on the others, with the preposition.
        here: What it is on this one, likewise.
        verb: What the write does to it.
        seen: Whether a domain controller has what the write would compete with.
    """

    what: str
    there: str
    here: str
    verb: str
    seen: Callable[[PcnsObjects], bool]


@dataclass(frozen=True)
class Elsewhere:
    """What the other domain controllers say of a write.

    Attributes:
        clause: Why it would compete with them, one sentence without its full stop; empty when it would not.
        remedy: What to do.
        unknown: Of which it is not known, each with the reason, as a clause; empty when all were asked.
    """

    clause: str = ""
    remedy: str = ""
    unknown: str = ""

    def refusal(self, domain: str) -> PlanError:
        """Returns the refusal of the write."""
        return PlanError(domain, f"{self.clause}; nothing was written.", self.remedy)


def look_elsewhere(view: DirectoryView, server: str, write: Competing) -> Elsewhere:
    """Asks all other writable domain controllers of the domain; raises as `DirectoryView.ask_others`.

    Args:
        view: The directory of the domain controller that would be written to.
        server: Its full name.
        write: What would be written.
    """
    found, silent = view.ask_others(lambda theirs: write.there if write.seen(theirs) else "")
    clause = remedy = unknown = ""
    if found:
        clause = (
            f"{write.what} is {write.there} {', '.join(found)} and {write.here} {server}, where it would be "
            f"{write.verb}: replication between them is behind"
        )
        remedy = f"Look at the replication of {server} (repadmin /showrepl), and run again when they have the same."
    if silent:
        reasons = "; ".join(f"{name}: {reason.strip().rstrip('.')}" for name, reason in silent.items())
        unknown = f"whether {write.what[0].lower()}{write.what[1:]} is {write.there} these is not known ({reasons})"
    return Elsewhere(clause, remedy, unknown)
