# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SSO system: what is in the SSO database, the same for all its servers (entsso.md 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from lab.tracking import Arrival

ALREADY_EXISTS = 0x800700B7
"""HRESULT of Win32 183. Which code ENTSSO gives for a name that exists is not in entsso.md 6.3."""

ADAPTER_FLAGS = {
    "allowLocalAccounts": False,
    "syncFromAdapter": False,
    "verifyOldPassword": True,
    "changeWindowsPassword": False,
    "syncToAdapter": False,
    "sendOldPassword": False,
    "allowMappingConflicts": False,
}
"""Flags with their documented defaults (entsso.md 2.4); `enableApp` is `Adapter.enabled`."""

MESSAGES = {
    10756: "The application does not exist.",
    10786: "The account name is not valid or does not exist. See the event log for more details.",
    10806: "The application cannot be deleted because it is currently assigned to an adapter.",
    10821: "The adapter cannot be deleted because it is currently assigned to a group adapter.",
    10822: "The specified adapter does not exist.",
    10823: "Invalid application type for application. Valid application types are 'Individual', 'Group' or "
    "'Host Group'.",
    10825: "The application is already assigned to an adapter.",
    10826: "The specified group adapter does not exist.",
    10828: "The adapter is already assigned to a group adapter.",
    10830: "The specified adapter must be on the same computer as the group adapter.",
    10835: "The specified mapping could not be found.",
    10841: "Mappings can be created for Windows domain accounts only (not local accounts).",
    10844: "The mapping already exists. See the event log for more details.",
    10849: "An application cannot be created with the 'direct password sync' flag specified.",
    10851: "The application cannot be assigned to a password sync adapter because it has the 'direct password sync' "
    "flag set.",
    10853: "The mapping cannot be created because the specified user is not a member of the Application Users account.",
}
"""entsso.md 6.3."""


class SsoError(Exception):
    """A call that the SSO system refused.

    Attributes:
        code: HRESULT.
    """

    def __init__(self, number: int, message: str = "") -> None:
        """Takes the number of a message of entsso.md 6.3, or an HRESULT and its text."""
        self.code = number if number > 0xFFFF else 0xC0000000 | number
        super().__init__(message or MESSAGES.get(number, "The operation failed."))


@dataclass
class Application:
    """An affiliate application."""

    name: str
    description: str = ""
    contact: str = ""
    user_account: str = ""
    admin_account: str = ""
    fields: tuple[tuple[str, bool], ...] = (("User Id", False), ("Password", True))
    """Label and whether masked."""
    flags: dict[str, bool] = field(default_factory=dict)
    enabled: bool = False

    @property
    def kind(self) -> str:
        """Individual, Group or Config Store."""
        if self.flags.get("configStoreApp"):
            return "Config Store"
        return "Group" if self.flags.get("groupApp") else "Individual"


@dataclass
class Adapter:
    """A password sync adapter, or a group adapter."""

    name: str
    description: str = ""
    contact: str = ""
    computer: str = ""
    user_account: str = ""
    admin_account: str = ""
    flags: dict[str, bool] = field(default_factory=lambda: dict(ADAPTER_FLAGS))
    enabled: bool = False
    group_adapter: bool = False
    group: str | None = None
    applications: list[str] = field(default_factory=list)
    retry_count: int = 1
    """The command line page's default; the UI pages say 5 (entsso.md 2.4)."""
    retry_delay_minutes: int = 5
    """The command line page's default; the UI pages say 1."""
    maximum_pending: int = 8
    store_offline: bool = True
    server: str = ""
    port: int = 0


@dataclass
class Mapping:
    """A Windows account's account in an application."""

    domain: str
    user: str
    application: str
    external_user: str
    enabled: bool = True


@dataclass
class SsoSystem:
    """One SSO system. Names of adapters and applications are the keys, in lower case."""

    enabled: bool = True
    windows_sync: bool = False
    """From Windows to adapters, `ssomanage -enable winsync` (entsso.md 4.1)."""
    external_sync: bool = False
    """From adapters to the SSO database, `-enable extsync`."""
    host_initiated: bool = False
    tickets_allowed: bool = False
    tickets_validated: bool = True
    global_info: dict[str, str] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    adapters: dict[str, Adapter] = field(default_factory=dict)
    mappings: list[Mapping] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)

    def application(self, name: str) -> Application:
        """Returns an application.

        Raises:
            SsoError: There is none.
        """
        found = self.applications.get(name.lower())
        if found is None:
            raise SsoError(10756)
        return found

    def adapter(self, name: str) -> Adapter:
        """Returns an adapter of either kind.

        Raises:
            SsoError: There is none.
        """
        found = self.adapters.get(name.lower())
        if found is None:
            raise SsoError(10822)
        return found

    def adapter_of(self, application: str) -> Adapter | None:
        """Returns the adapter that an application is assigned to."""
        name = application.lower()
        return next((item for item in self.adapters.values() if name in map(str.lower, item.applications)), None)

    def add_application(self, application: Application) -> None:
        """Adds an application.

        Raises:
            SsoError: It exists, or is created with direct password sync.
        """
        if application.name.lower() in self.applications:
            raise SsoError(ALREADY_EXISTS, "Cannot create a file when that file already exists.")
        if application.flags.get("directPasswordSync"):
            raise SsoError(10849)
        self.applications[application.name.lower()] = application

    def delete_application(self, name: str) -> None:
        """Deletes an application with its mappings.

        Raises:
            SsoError: There is none, or it is assigned to an adapter.
        """
        self.application(name)
        if self.adapter_of(name) is not None:
            raise SsoError(10806)
        del self.applications[name.lower()]
        self.mappings = [item for item in self.mappings if item.application.lower() != name.lower()]

    def add_adapter(self, adapter: Adapter) -> None:
        """Adds an adapter.

        Raises:
            SsoError: It exists.
        """
        if adapter.name.lower() in self.adapters:
            raise SsoError(ALREADY_EXISTS, "Cannot create a file when that file already exists.")
        self.adapters[adapter.name.lower()] = adapter

    def delete_adapter(self, name: str) -> None:
        """Deletes an adapter.

        Raises:
            SsoError: There is none, or it is in a group.
        """
        if self.adapter(name).group is not None:
            raise SsoError(10821)
        del self.adapters[name.lower()]

    def assign(self, adapter_name: str, application_name: str) -> None:
        """Assigns an application to an adapter (`ssops -addapp`).

        Raises:
            SsoError: One of them is absent, or the application can't be assigned.
        """
        adapter, application = self.adapter(adapter_name), self.application(application_name)
        if self.adapter_of(application.name) is not None:
            raise SsoError(10825)
        if application.kind == "Config Store":
            raise SsoError(10823)
        if application.flags.get("directPasswordSync"):
            raise SsoError(10851)
        adapter.applications.append(application.name)

    def unassign(self, application_name: str) -> None:
        """Takes an application from its adapter (`ssops -deleteapp`).

        Raises:
            SsoError: There is no such application, or no adapter has it.
        """
        self.application(application_name)
        adapter = self.adapter_of(application_name)
        if adapter is None:
            raise SsoError(10822)
        adapter.applications = [item for item in adapter.applications if item.lower() != application_name.lower()]

    def add_to_group(self, adapter_name: str, group_name: str) -> None:
        """Puts an adapter into a group.

        Raises:
            SsoError: One of them is absent, or they do not fit.
        """
        adapter = self.adapter(adapter_name)
        group = self.adapters.get(group_name.lower())
        if group is None or not group.group_adapter:
            raise SsoError(10826)
        if adapter.group is not None:
            raise SsoError(10828)
        if adapter.computer.lower() != group.computer.lower():
            raise SsoError(10830)
        adapter.group = group.name

    def remove_from_group(self, adapter_name: str, group_name: str) -> None:
        """Takes an adapter out of a group.

        Raises:
            SsoError: It is not in that group.
        """
        adapter = self.adapter(adapter_name)
        if adapter.group is None or adapter.group.lower() != group_name.lower():
            raise SsoError(10826)
        adapter.group = None

    def add_mapping(self, mapping: Mapping, is_application_user: Callable[[Mapping, Application], bool]) -> None:
        """Adds a mapping.

        Raises:
            SsoError: The application is absent, the mapping exists, or the user may not have it.
        """
        application = self.application(mapping.application)
        if self.find_mapping(mapping.domain, mapping.user, mapping.application) is not None:
            raise SsoError(10844)
        if not is_application_user(mapping, application):
            raise SsoError(10853)
        mapping.application = application.name
        self.mappings.append(mapping)

    def find_mapping(self, domain: str, user: str, application: str) -> Mapping | None:
        """Returns a mapping, None when there is none."""
        wanted = (domain.lower(), user.lower(), application.lower())
        for item in self.mappings:
            if (item.domain.lower(), item.user.lower(), item.application.lower()) == wanted:
                return item
        return None

    def mappings_of(self, domain: str, user: str) -> list[Mapping]:
        """Returns all mappings of a Windows account."""
        return [
            item for item in self.mappings if (item.domain.lower(), item.user.lower()) == (domain.lower(), user.lower())
        ]

    def map_user(self, domain: str, user: str, application: str, external_user: str) -> None:
        """Adds a mapping as a help desk would with the tools of the SSO server; for tests and demonstrations.

        Raises:
            SsoError: As `add_mapping`.
        """
        self.add_mapping(Mapping(domain, user, application, external_user), lambda _mapping, _application: True)

    def dump(self) -> dict[str, object]:
        """Returns everything in a form for JSON."""
        return {
            "enabled": self.enabled,
            "windows_sync": self.windows_sync,
            "external_sync": self.external_sync,
            "host_initiated": self.host_initiated,
            "tickets": [self.tickets_allowed, self.tickets_validated],
            "global_info": dict(self.global_info),
            "applications": {name: asdict(item) for name, item in sorted(self.applications.items())},
            "adapters": {name: asdict(item) for name, item in sorted(self.adapters.items())},
            "mappings": [asdict(item) for item in self.mappings],
            "arrivals": [asdict(item) for item in self.arrivals],
        }
