# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of a rollout know of the hosts: Ansible's variables, with what the run registered."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from ansible.errors import AnsibleActionFail

from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import Problem

_MOST_TOLD = 10


class HostVariables(Mapping[str, Mapping[str, Any]]):
    """Ansible's `hostvars` as a mapping that is asked only for the hosts that matter, since each answer takes time.

    Args:
        hostvars: Ansible's variable of that name.
        only: Hosts whose variables matter; those of the others look empty. `None` is all.
    """

    def __init__(self, hostvars: Any, only: Container[str] | None = None) -> None:
        self._hostvars = hostvars
        self._only = only
        self._names = dict.fromkeys(str(name) for name in hostvars)

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name not in self._names:
            raise KeyError(name)
        if self._only is not None and name not in self._only:
            return {}
        found: Mapping[str, Any] = self._hostvars[name]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def refuse(what: str, problems: Sequence[Problem]) -> NoReturn:
    """Fails with the problems in words, and with all of them in the result."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        grouped.setdefault((problem.subject, problem.remedy), []).append(problem.reason)
    joined = [Problem(subject, "; ".join(reasons), remedy) for (subject, remedy), reasons in grouped.items()]
    told = " ".join(str(problem) for problem in joined[:_MOST_TOLD])
    more = len(joined) - _MOST_TOLD
    raise AnsibleActionFail(
        f"{what}: {told}" + (f" {count(more, 'more problem')}: see `problems`." if more > 0 else ""),
        result={
            "changed": False,
            "problems": [
                {"subject": problem.subject, "reason": problem.reason, "remedy": problem.remedy} for problem in problems
            ],
        },
    )
