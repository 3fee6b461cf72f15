# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout without hosts: what a run has observed, and the actions that plan on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from unit.lab_host import HostVariables, Spoken, module_class

from ansible_collections.entsso.password_sync.plugins.plugin_utils import (
    _action,
    _rollout_plan,
    _rollout_wave,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_report import DC_OBSERVATION
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import changes, possible

Variables = dict[str, dict[str, Any]]
UNUSED = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/none"))
"""A connection that can do nothing."""


def fqdn(name: str) -> str:
    return f"{name}.corp.example"


def entry(name: str, site: str, *roles: str, **more: Any) -> dict[str, Any]:
    """Returns a domain controller as `domain_controller_info` does; what the plan does not need is there too."""
    return {
        "dns_name": fqdn(name),
        "site": site,
        "domain": "corp.example",
        "roles": list(roles),
        "global_catalog": True,
        "read_only": False,
        "operating_system": "Windows Server 2022 Standard",
        **more,
    }


def observed(name: str, *planned: Any, **more: Any) -> dict[str, Any]:
    """Returns the variables of a host on which `pcns_info` was registered."""
    result = {
        "planned": [change.to_json() for change in planned],
        "possible": [],
        "problems": {},
        "system": {"name": fqdn(name)},
        **more,
    }
    return {DC_OBSERVATION: result}


def bare(name: str) -> dict[str, Any]:
    return observed(name, *changes(fqdn(name)), possible=[item.to_json() for item in possible(fqdn(name))])


DIRECTORY = [
    entry("dc01", "Paris", "pdc_emulator", "schema_master"),
    entry("dc02", "Paris"),
    entry("dc03", "Lyon"),
    entry("dc04", "Lyon"),
    entry("rodc", "Lyon", read_only=True),
]


def bare_forest() -> Variables:
    """Four bare domain controllers, and a read-only one that nobody looked at."""
    return {**{fqdn(name): bare(name) for name in ("dc01", "dc02", "dc03", "dc04")}, fqdn("rodc"): {}}


class Runner:
    """Runs the action as Ansible does, and keeps what was said."""

    def __init__(self, **more: str) -> None:
        self.spoken = Spoken()
        self.more = more

    def __call__(self, hosts: Variables, *, check: bool = False, diff: bool = False, **given: Any) -> dict[str, Any]:
        names = [name for name in hosts if not name.startswith("rodc")]
        arguments = {"domain_controllers": names, "directory": DIRECTORY, **given}
        return self.task("rollout_plan", hosts, arguments, check=check, diff=diff)

    def task(
        self, module: str, hosts: Variables, arguments: Mapping[str, Any], *, check: bool = False, diff: bool = False
    ) -> dict[str, Any]:
        task = SimpleNamespace(
            action=f"entsso.password_sync.{module}",
            args={name: value for name, value in arguments.items() if value is not None},
            check_mode=check,
            diff=diff,
            async_val=0,
            delegate_to=None,
        )
        action = module_class(module)(task, UNUSED, None, DataLoader(), None)
        action._load_name = module
        variables = {"inventory_hostname": "localhost", "hostvars": HostVariables(hosts), **self.more}
        shown = (patch.object(place, "display", self.spoken) for place in (_action, _rollout_plan, _rollout_wave))
        with ExitStack() as stack:
            for replaced in shown:
                stack.enter_context(replaced)
            result: dict[str, Any] = action.run(None, variables)
        json.dumps(result)
        return result

    def refused(self, hosts: Variables, **given: Any) -> str:
        with pytest.raises(AnsibleActionFail) as caught:
            self(hosts, **given)
        return str(caught.value)


def waves(result: Mapping[str, Any]) -> list[list[str]]:
    return [[name.partition(".")[0] for name in wave["domain_controllers"]] for wave in result["waves"]]
