# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a real directory share: settings, and what is asked of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_forest import (
    ForestRead,
    read_forest,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import (
    LdapSession,
    open_session,
)
from lab.samba.directory import Domain

PASSWORD = "Reader-Passw0rd"


def kerberos(domain: Domain, **more: Any) -> LdapSettings:
    settings = LdapSettings("corp.example", name_servers=(domain.address,), protocol=Protocol.KERBEROS, timeout=10)
    return replace(settings, **more)


def read_as(settings: LdapSettings, folder: Path, *, whole: bool = False) -> ForestRead:
    with Directory(settings, str(folder)) as directory:
        return read_forest(directory, whole=whole)


def session_as(settings: LdapSettings, folder: Path) -> LdapSession:
    return open_session(settings, settings.server or "dc1.corp.example", str(folder))


def refused(settings: LdapSettings, folder: Path, kind: type[HostError] = HostError) -> str:
    with pytest.raises(kind) as caught:
        read_as(settings, folder)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert PASSWORD not in text
    return text
