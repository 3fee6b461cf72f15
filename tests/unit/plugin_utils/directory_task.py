# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of modules that change a directory: check mode, the run, and the run after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from unit.lab_host import Result, Spoken, module_class, multiset

from ansible_collections.entsso.password_sync.plugins.plugin_utils import _action

UNUSED = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/none"))
"""The connection of the play's host: nothing is asked of it."""


class DirectoryTasks:
    """Runs one module against one directory."""

    def __init__(self, module: str, **common: Any) -> None:
        self.module = module
        self.common = common
        self.spoken = Spoken()

    def run(
        self,
        *,
        check: bool = False,
        diff: bool = False,
        facts: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> Result:
        """Runs the module as a task of localhost; its password must not be in the result."""
        name = f"entsso.password_sync.{self.module}"
        task = SimpleNamespace(
            action=name, args={**self.common, **given}, check_mode=check, diff=diff, async_val=0, delegate_to=None
        )
        action = module_class(self.module)(task, UNUSED, None, DataLoader(), Templar(DataLoader()))
        action._load_name = name
        known = {"inventory_hostname": "localhost", "ansible_facts": dict(facts or {}), **(variables or {})}
        with patch.object(_action, "display", self.spoken):
            result: Result = action.run(None, known)
        assert str(self.common["password"]) not in json.dumps(result)
        return result

    def refused(self, **given: Any) -> AnsibleActionFail:
        """Runs the module, which must fail with sentences."""
        with pytest.raises(AnsibleActionFail) as caught:
            self.run(**given)
        text = str(caught.value)
        assert text.endswith(".")
        assert "\n" not in text
        assert str(self.common["password"]) not in f"{text} {caught.value.result}"
        return caught.value

    def converge(self, snapshot: Callable[[], Any], **given: Any) -> Result:
        """Runs the module in check mode, for real, and again; returns the result of the real run.

        Asserts that check mode changes nothing and predicts exactly what is done, and that the second run has nothing
        to do.
        """
        before = snapshot()
        predicted = self.run(check=True, diff=True, **given)
        assert snapshot() == before
        done = self.run(diff=True, **given)
        assert multiset(done) == multiset(predicted)
        assert done["diff"] == predicted["diff"]
        after = snapshot()
        again = self.run(**given)
        assert (again["changed"], again["changes"]) == (False, [])
        assert snapshot() == after
        return done
