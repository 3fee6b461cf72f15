# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the directory side on a lab of two domain controllers and an SSO server, with LDAP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from unit.lab.estate_kit import install, restart
from unit.lab_host import Lab, Result, running, settings

from lab.directory import PcnsObjects
from lab.forest import Forest
from lab.inventory import directory_variables
from lab.settings import PcnsDirectorySettings, PcnsSettings

JUDGE = {"password_sync_observe_only": True}
SSO = {
    "password_sync_adapters_observation": {
        "service_account": "CORP\\svc-entsso",
        "system": {"name": "sso01.corp.example", "domain": "corp.example"},
    }
}


class WithDirectory:
    """Runs modules with the variables that say where the directory is."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def variables(self, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {**directory_variables(self.lab.forest), **(more or {})}

    def run(self, module: str, host: str = "dc01", more: Mapping[str, Any] | None = None, **given: Any) -> Result:
        return self.lab.run(module, host, variables=self.variables(more), **{"replication_timeout": 5, **given})

    def refused(self, module: str, host: str = "dc01", more: Mapping[str, Any] | None = None, **given: Any) -> str:
        given = {"replication_timeout": 5, **given}
        return str(self.lab.refused(module, host, variables=self.variables(more), **given))

    def judged(self, module: str = "pcns_target", **given: Any) -> dict[str, Any]:
        result = self.lab.run(module, "dc01", check=True, variables=self.variables(JUDGE), **given)
        return {item["control"]: item for item in result["findings"]}


@contextmanager
def started(pcns_directory: PcnsDirectorySettings | None = None, pcns: PcnsSettings | None = None) -> Iterator[Lab]:
    """Starts dc01 with PCNS, dc02, and sso01."""
    made = settings(pcns)
    forest = Forest(replace(made, pcns_directory=pcns_directory or made.pcns_directory), populate=False)
    for name in ("DC01", "DC02"):
        forest.add_domain_controller(name, "Paris")
    forest.add_sso_server("SSO01", "Paris")
    host = forest.host("dc01")
    assert install(host) == 3010
    restart(forest, host)
    with running(forest) as lab:
        yield lab


def emptied(lab: Lab) -> Iterator[WithDirectory]:
    """Yields a domain without PCNS objects, and takes back what a test has done to it."""
    lab.forest.directory.set_pcns(PcnsObjects())
    lab.forget()
    yield WithDirectory(lab)
    lab.simulated("dc01").faults.tool_output.clear()
    for name in ("DC01", "DC02"):
        lab.forest.directory.release_replication(name)
