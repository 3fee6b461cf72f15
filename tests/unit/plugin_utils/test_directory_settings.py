# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the directory is, said once in the inventory."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_settings import (
    directory_variables,
)


def test_templates_and_text_become_what_the_options_take() -> None:
    variables = {
        "inventory_hostname": "dc01.corp.example",
        "password_sync_ldap_domain": trust_as_template("{{ inventory_hostname.partition('.')[2] }}"),
        "password_sync_ldap_port": "10389",
        "password_sync_ldap_name_servers": "192.0.2.1,192.0.2.2",
        "password_sync_ldap_timeout": 5,
        "password_sync_ldap_forest": True,
    }
    assert directory_variables(variables, Templar(DataLoader(), variables).template) == {
        "domain": "corp.example",
        "port": 10389,
        "name_servers": ["192.0.2.1", "192.0.2.2"],
        "timeout": 5.0,
    }


def test_an_empty_variable_is_none() -> None:
    variables = {
        "password_sync_ldap_domain": "",
        "password_sync_ldap_server": None,
        "password_sync_ldap_name_servers": [],
    }
    assert directory_variables(variables, lambda value: value) == {}


@pytest.mark.parametrize(("name", "value"), [("port", "ldaps"), ("auth_protocol", "basic"), ("timeout", "soon")])
def test_a_wrong_value_is_told_with_its_name(name: str, value: str) -> None:
    with pytest.raises(UnsupportedConnection) as caught:
        directory_variables({f"password_sync_ldap_{name}": value}, lambda item: item)
    assert name in str(caught.value)
    assert "password_sync_ldap_" in str(caught.value)


def test_a_wrong_password_variable_does_not_show_it() -> None:
    with pytest.raises(UnsupportedConnection) as caught:
        directory_variables(
            {"password_sync_ldap_password": "Secret-Passw0rd", "password_sync_ldap_port": "x"}, lambda item: item
        )
    assert "Secret-Passw0rd" not in str(caught.value)
