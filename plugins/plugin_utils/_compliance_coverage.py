# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report compares: the inventory's domain controllers, and the directory's answer as a task registered it."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._coverage import (
    DirectoryAnswer,
    Known,
    Listed,
    match,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_coverage import (
    NOT_ASKED,
    Coverage,
    judge_coverage,
    unread_coverage,
)


class Inventory:
    """The domain controllers of the inventory beside those of the directory.

    Args:
        listed: Those of the whole inventory.
        result: What the task that asked the directory registered; None when there was none.
    """

    def __init__(self, listed: Sequence[Listed], result: Mapping[str, Any] | None) -> None:
        self._listed = listed
        self._result = result or {}
        self._answer = DirectoryAnswer.from_result(self._result) if "domain_controllers" in self._result else None
        self._matches: Mapping[str, Known] = match(listed, self._answer) if self._answer else {}
        self._by_name = {host.name: host for host in listed}

    def read_only(self, name: str) -> bool:
        """Whether a host is an RODC: as the directory says, else as the inventory does."""
        known = self._matches.get(name)
        return known.read_only if known is not None else self._by_name[name].read_only

    def left_out(self, name: str) -> bool:
        """Whether no run looks at a host because the inventory wrongly has it as an RODC; its finding says so."""
        return self._by_name[name].read_only and not self.read_only(name)

    def judge(
        self, in_run: Collection[str], working: Collection[str], domain: str, systems: Sequence[str], stamp: str
    ) -> Coverage:
        """Judges whether the inventory is complete.

        Args:
            in_run: The domain controllers that the run was about.
            working: Those that it proved to work.
            domain: DNS name of a domain that was seen; empty when none was.
            systems: Names of the systems that password changes go to.
            stamp: UTC time of the report.
        """
        if self._answer is not None:
            return judge_coverage(self._listed, self._answer, working, systems, stamp)
        asked = bool(self._result) and not self._result.get("skipped")
        if not asked and not in_run:
            return Coverage(())  # a report on SSO servers alone
        reason = str(self._result.get("msg") or "no reason was given") if asked else NOT_ASKED
        # Ansible's own words in front of what the task said.
        reason = " ".join(reason.split()).removeprefix("Task failed: ")
        return unread_coverage(reason, domain, systems, asked=asked, observed_at=stamp)


def listed(name: str, variables: Mapping[str, Any], system: Mapping[str, Any], *, read_only: bool) -> Listed:
    """Returns a host of the inventory.

    Args:
        name: Its name there.
        variables: Its variables.
        system: What was observed of the machine itself; empty when it was not.
        read_only: Whether the inventory has it as an RODC.
    """
    computer = str(system.get("name") or "")
    # A machine knows best what it is called; what people write into an inventory is the next best.
    names = [computer] if computer else [name, str(variables.get("ansible_host") or "")]
    return Listed(
        name=name,
        site=str(variables.get("pcns_site") or ""),
        names=tuple(item for item in names if item and not _is_address(item)),
        domain=str(system.get("domain") or "").lower(),
        read_only=read_only,
        exempt=bool(variables.get("pcns_exempt")),
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
