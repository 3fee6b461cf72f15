# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules in this process against hosts of the lab: real action, real connection, real endpoint, thin task."""

from __future__ import annotations

import hashlib
import importlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from unit.lab.endpoint_kit import no_bugs
from unit.plugin_utils.ansible_connection import connection

from ansible_collections.entsso.password_sync.plugins.plugin_utils import _action
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import connection_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import Exposure
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_exchange import HttpExchange
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from lab.endpoint import Endpoint
from lab.example import MEDIA_FOLDER
from lab.forest import Forest
from lab.settings import LabSettings, PcnsSettings, SsoSettings, WindowsSettings
from lab.windows.host import SimulatedHost

QUICK: dict[str, Any] = {"install_seconds": 0.0, "setup_seconds": 0.0, "reboot_seconds": 0.05, "time_scale": 0.01}
"""The lab's own speed, for tests."""

Result = dict[str, Any]


def settings(pcns: PcnsSettings | None = None, sso: SsoSettings | None = None, **windows: Any) -> LabSettings:
    """Returns settings of a lab that does not let tests wait."""
    speed = WindowsSettings(**QUICK, **windows)
    return LabSettings(pcns=pcns or PcnsSettings(), sso=sso or SsoSettings(), windows=speed)


def media(name: str, *, path: str | None = None, **more: Any) -> dict[str, Any]:
    """Returns the arguments of msi_package that name one of the lab's packages.

    Args:
        name: Its file.
        path: Where it is instead, on the host.
        **more: Further arguments.
    """
    local = MEDIA_FOLDER / name
    return {"path": path or str(local), "sha256": hashlib.sha256(local.read_bytes()).hexdigest(), **more}


def module_class(module: str) -> Any:
    """Returns the action class of a module."""
    return importlib.import_module(f"ansible_collections.entsso.password_sync.plugins.action.{module}").ActionModule


def validated(module: str, /, **given: Any) -> dict[str, Any]:
    """Returns arguments as the module sees them, defaults included."""
    found = ArgumentSpecValidator(dict(module_class(module).argument_spec)).validate(given)
    assert not found.error_messages, found.error_messages
    arguments: dict[str, Any] = found.validated_parameters
    return arguments


@dataclass
class HostVariables:
    """What Ansible's `hostvars` is to an action."""

    variables: dict[str, dict[str, Any]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.variables[name]

    def raw_get(self, name: str) -> dict[str, Any]:
        """Returns the variables of a host as they are."""
        return self.variables[name]


@dataclass
class Spoken:
    """Stands in for Ansible's display; keeps what the user would see."""

    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def display(self, text: str, color: str | None = None) -> None:
        """Keeps a line."""
        del color
        self.said.append(text)

    def warning(self, text: str) -> None:
        """Keeps a warning."""
        self.warned.append(text)


class Lab:
    """A forest that is started, and the modules that are run on it.

    What modules return as facts is kept, as Ansible does within a run; `forget` begins a new run.
    """

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.spoken = Spoken()
        self._folder = tempfile.TemporaryDirectory()
        self._facts: dict[str, dict[str, Any]] = {}

    @property
    def said(self) -> str:
        """Everything that the user saw, warnings aside."""
        return "\n".join(self.spoken.said)

    @property
    def warned(self) -> str:
        """All warnings."""
        return "\n".join(self.spoken.warned)

    def forget(self) -> None:
        """Forgets facts, what was said and what is known of accounts: a new run begins."""
        self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory()
        self._facts.clear()
        self.spoken.said.clear()
        self.spoken.warned.clear()

    def simulated(self, name: str) -> SimulatedHost:
        """Returns the lab's side of a host."""
        return self.forest.host(name)

    def endpoint(self, name: str) -> Endpoint:
        """Returns a host's endpoint."""
        return self.forest.endpoints[self.forest.host(name).identity.fqdn]

    def connection(self, name: str, **variables: Any) -> Any:
        """Returns Ansible's own connection to a host."""
        endpoint = self.endpoint(name)
        return connection(
            **{
                "ansible_host": endpoint.address,
                "ansible_port": endpoint.port,
                "ansible_winrm_scheme": "http",
                "ansible_winrm_transport": ["ntlm"],
                "ansible_user": self.forest.operator,
                "ansible_password": self.forest.operator_password,
                **variables,
            }
        )

    def open(self, name: str) -> Host:
        """Opens a host; use it as a context manager."""
        fqdn = self.forest.host(name).identity.fqdn
        found = connection_settings(self.connection(name), fqdn, exposure=Exposure.NOBODY)
        return Host(fqdn, HttpExchange(found, fqdn, AuthenticationGuard(self._folder.name, found.account)))

    def task(self, module: str, host: str, /, *, check: bool = False, **given: Any) -> Task:
        """Returns what a resource knows of a task."""
        return Task(
            subject=self.forest.host(host).identity.fqdn,
            arguments=validated(module, **given),
            check_mode=check,
            say=self.spoken.said.append,
            warn=self.spoken.warned.append,
            find_file=lambda path: path,
        )

    def action(self, module: str, host: str, /, *, check: bool = False, diff: bool = False, **given: Any) -> Any:
        """Returns a module's action, for a task with these arguments."""
        task = SimpleNamespace(
            action=f"entsso.password_sync.{module}",
            args=given,
            check_mode=check,
            diff=diff,
            async_val=0,
            delegate_to=None,
            get_search_path=lambda: [str(MEDIA_FOLDER.parent)],
        )
        found = module_class(module)(task, self.connection(host), None, DataLoader(), Templar(DataLoader()))
        found._load_name = f"ansible_collections.entsso.password_sync.plugins.action.{module}"
        return found

    def variables(self, name: str, **more: Any) -> dict[str, Any]:
        """Returns a host's variables as an action sees them."""
        everybody = {
            host: {"inventory_hostname": host, "ansible_facts": self._facts.setdefault(host, {})}
            for host in self.forest.hosts
        }
        own = everybody[self.forest.host(name).identity.fqdn]
        own.update(more)
        groups = {"domain_controllers": self.forest.domain_controllers}
        return {**own, "hostvars": HostVariables(everybody), "groups": groups}

    def run(
        self,
        module: str,
        host: str,
        /,
        *,
        check: bool = False,
        diff: bool = False,
        variables: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> Result:
        """Runs a module as a task; returns its result, which Ansible can send as JSON."""
        action = self.action(module, host, check=check, diff=diff, **given)
        with (
            patch.object(_action, "display", self.spoken),
            patch.object(constants, "DEFAULT_LOCAL_TMP", self._folder.name),
        ):
            result: Result = action.run(None, self.variables(host, **(variables or {})))
        json.dumps(result)
        self._facts[self.forest.host(host).identity.fqdn].update(result.get("ansible_facts", {}))
        return result

    def refused(self, module: str, host: str, /, **more: Any) -> AnsibleError:
        """Runs a module that must fail; returns the error, whose text is what the user reads."""
        with pytest.raises(AnsibleError) as caught:
            self.run(module, host, **more)
        assert "Traceback" not in str(caught.value)
        return caught.value

    def converge(self, module: str, host: str, /, **given: Any) -> Result:
        """Runs a module in check mode, for real, and again.

        Asserts what every resource promises: check mode changes not one bit and predicts exactly what is then done,
        and the second run has nothing to do.

        Returns:
            The result of the real run.
        """
        self.forget()
        before = self.snapshot()
        predicted = self.run(module, host, check=True, diff=True, **given)
        assert self.snapshot() == before
        self.forget()
        done = self.run(module, host, **given)
        assert multiset(done) == multiset(predicted)
        after = self.snapshot()
        kept = Spoken(list(self.spoken.said), list(self.spoken.warned))
        again = self.run(module, host, **given)
        assert again["changes"] == []
        assert again["changed"] is False
        assert self.snapshot() == after
        self.spoken = kept
        return done

    def snapshot(self) -> dict[str, Any]:
        """Returns the state of the whole estate."""
        return json.loads(json.dumps(self.forest.snapshot()))  # type: ignore[no-any-return]

    def restart(self, name: str) -> None:
        """Restarts a host as somebody does by hand, and waits until it is back."""
        host = self.simulated(name)
        boots = host.boot_count
        host.run("shutdown /r /t 0")
        wait_for(lambda: host.boot_count > boots and self.endpoint(name).is_up)

    def install(self, name: str, *packages: str, restart: bool = True) -> None:
        """Installs packages of the lab as somebody does by hand."""
        host = self.simulated(name)
        for package in packages or ("pcns-all-in-one.msi",):
            path = rf"C:\Windows\Temp\{package}"
            host.files.write(path, (MEDIA_FOLDER / package).read_bytes(), host.now())
            code, _output, errors = host.run(f'msiexec /i "{path}" /qn /norestart ACCEPT_EULA=1')
            assert code in (0, 3010), errors
            host.files.delete(path)
        if restart:
            self.restart(name)


def multiset(result: Result) -> list[str]:
    """Returns the changes of a result in a form in which two runs are compared (see `Change`)."""
    compared = ("subject", "resource", "name", "operation", "new")
    return sorted(json.dumps({key: change[key] for key in compared}, sort_keys=True) for change in result["changes"])


def changes(result: Result) -> list[tuple[str, str, dict[str, Any]]]:
    """Returns resource, operation and new values of the changes."""
    return [(change["resource"], change["operation"], change["new"]) for change in result["changes"]]


def observed(result: Result, resource: str, name: str = "") -> dict[str, Any]:
    """Returns what a result says of one object; its name only where there are several of the resource."""
    found = [
        item["observed"]
        for item in result["observed"]
        if item["resource"] == resource and name.lower() in ("", item["name"])
    ]
    assert len(found) == 1, result["observed"]
    values: dict[str, Any] = found[0]
    return values


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Waits until a condition holds.

    Raises:
        TimeoutError: It did not in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)


@contextmanager
def running(forest: Forest | LabSettings | None = None) -> Iterator[Lab]:
    """Starts a forest; a forest that was prepared, or a new one with the given settings.

    At the end no endpoint may have met an error of its own: that would be a bug of the lab.
    """
    prepared = forest if isinstance(forest, Forest) else Forest(forest or settings())
    with prepared, no_bugs(*prepared.endpoints.values()):
        yield Lab(prepared)


def folder_names(host: SimulatedHost, under: str = r"C:\Windows\Temp") -> list[str]:
    """Returns the folders below a folder: what staging would leave."""
    _files, folders = host.files.checkpoint()
    return sorted(name for name in folders.values() if name.lower().startswith(under.lower() + "\\"))


def local_copy(folder: Path, name: str, content: bytes) -> dict[str, str]:
    """Writes a file on the control node; returns its path and hash as module arguments."""
    path = folder / name
    path.write_bytes(content)
    return {"path": str(path), "sha256": hashlib.sha256(content).hexdigest()}
