# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""domain_controller_info: what a task gets, and how it fails."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from unit.lab_host import Spoken, module_class
from unit.plugin_utils.ldap_kit import PASSWORD, READER, server

from ansible_collections.entsso.password_sync.plugins.modules import domain_controller_info
from ansible_collections.entsso.password_sync.plugins.plugin_utils import _action
from lab.ldap import LdapServer
from lab.ldap.example import ADDITIONS, CHILD, example_forest, example_objects

NAME = "entsso.password_sync.domain_controller_info"
UNUSED = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/none"))
"""The connection of the play's host: nothing is asked of it."""


@pytest.fixture(scope="module")
def service() -> Iterator[LdapServer]:
    objects = example_objects(example_forest(), f"{ADDITIONS}\n{CHILD}")
    with server(lambda: objects) as started:
        yield started
    assert started.errors == []


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spoken]:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    found = Spoken()
    with patch.object(_action, "display", found):
        yield found


def usual(service: LdapServer) -> dict[str, Any]:
    return {
        "server": service.address,
        "port": service.port,
        "auth_protocol": "ntlm",
        "username": READER,
        "password": PASSWORD,
    }


def run(service: LdapServer, variables: Mapping[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    arguments = {**(usual(service) if variables is None else {}), **given}
    task = SimpleNamespace(
        action=NAME,
        args={name: value for name, value in arguments.items() if value is not None},
        check_mode=True,
        diff=False,
        async_val=0,
        delegate_to=None,
    )
    action = module_class("domain_controller_info")(task, UNUSED, None, DataLoader(), Templar(DataLoader()))
    action._load_name = NAME
    result: dict[str, Any] = action.run(None, {"inventory_hostname": "localhost", **(variables or {})})
    assert PASSWORD not in json.dumps(result)
    return result


def refused(service: LdapServer, **given: Any) -> str:
    with pytest.raises(AnsibleActionFail) as caught:
        run(service, **given)
    assert PASSWORD not in f"{caught.value} {caught.value.result}"
    assert caught.value.result["changed"] is False
    return str(caught.value)


@pytest.mark.usefixtures("spoken")
def test_one_domain(service: LdapServer) -> None:
    result = run(service)
    assert result["changed"] is False
    assert result["msg"] == "Domain controllers of corp.example: 4 writable, 2 read-only, 3 left over from others."
    found = {item["netbios_name"]: item for item in result["domain_controllers"]}
    assert list(found) == ["DC1", "DC2", "DC3", "DC4", "DC5", "RODC1"]
    assert found["DC2"]["site"] == "Köln"
    assert found["DC1"]["roles"] == [
        "schema_master",
        "domain_naming_master",
        "pdc_emulator",
        "rid_master",
        "infrastructure_master",
    ]
    assert [item["kind"] for item in result["leftovers"]] == ["no_ntds_settings", "no_computer", "no_server"]
    assert result["asked"] == ["dc1.corp.example"]


def test_the_whole_forest_with_a_part_that_cannot_be_read(service: LdapServer, spoken: Spoken) -> None:
    result = run(service, forest=True)
    assert list(result["unread"]) == ["child.corp.example"]
    (warning,) = spoken.warned
    assert warning.startswith("localhost: The domain child.corp.example could not be read. LDAP on kid1.child.corp.")
    child = next(item for item in result["domain_controllers"] if item["domain"] == "child.corp.example")
    assert (child["netbios_domain"], child["enabled"], child["operating_system"]) == ("KIDS", None, None)


@pytest.mark.usefixtures("spoken")
def test_what_is_returned_is_what_is_documented(service: LdapServer) -> None:
    result = run(service, forest=True)
    documented = yaml.safe_load(domain_controller_info.RETURN)
    assert set(result) - {"changed", "failed"} == set(documented)
    for name in ("domain_controllers", "leftovers", "domains"):
        for item in result[name]:
            # What only `probe` brings is in test_ldap_probe.py.
            always = {key for key, told in documented[name]["contains"].items() if "returned" not in told}
            assert set(item) == always


@pytest.mark.usefixtures("spoken")
def test_the_variables_say_where_the_directory_is(service: LdapServer) -> None:
    variables = {f"password_sync_ldap_{name}": value for name, value in usual(service).items()}
    assert run(service, variables) == run(service)
    assert run(
        service, {**variables, "password_sync_ldap_server": "192.0.2.1"}, server=service.address, port=service.port
    )


@pytest.mark.usefixtures("spoken")
def test_a_simple_bind_without_tls_sends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        nobody = SimpleNamespace(address="127.0.0.1", port=listener.getsockname()[1])
        text = refused(nobody, auth_protocol="simple")  # type: ignore[arg-type]
        with pytest.raises(TimeoutError):
            listener.accept()
    assert "would send the password as it is; nothing was sent. Set `tls_mode` to ldaps or start_tls" in text


@pytest.mark.usefixtures("spoken")
def test_a_directory_that_cannot_be_reached_fails_the_task(service: LdapServer) -> None:
    """The host of the play is not unreachable for that."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    text = refused(service, port=port)
    assert f"LDAP on 127.0.0.1: it can't be reached (127.0.0.1 port {port}: Connection refused)" in text


@pytest.mark.usefixtures("spoken")
def test_a_wrong_password(service: LdapServer) -> None:
    assert "name or password is wrong. Correct `username` or `password`" in refused(service, password="wrong")
    assert "was rejected by 127.0.0.1 in this run" in refused(service)
