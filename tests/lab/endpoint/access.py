# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts that may do less than an administrator: what each layer of Windows refuses them (wsman.md 5).

How Windows words a refusal of WMI is not public (wsman.md 1.9 (g)), so its code is a field: tests run with all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from lab import backend as lab

WMI_REFUSALS = (2150859012, 2150859013, 2150859014)
"""WMI service, provider, connection: access denied (wsman.md 1.9)."""
_REGISTRY_DENIED = 5
_WRITING = 2 | 4
"""KEY_SET_VALUE and KEY_CREATE_SUB_KEY, as CheckAccess takes them (learn.microsoft.com, StdRegProv)."""
_SENTENCE = "The WS-Management service cannot process the request. The WMI service returned an 'access denied' error. "


class Services(Enum):
    """What an account without rights on the service control manager gets; both are reported (wsman.md 5)."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    REFUSED = "refused"


@dataclass(frozen=True)
class Access:
    """What an account may not do; everything that is not named is allowed.

    Attributes:
        namespaces: WMI namespaces without Enable Account or Remote Enable.
        execute: Execute Methods, and GENERIC_EXECUTE on the WMI plugin: without it no method runs.
        keys: Keys of HKLM, with all below them, whose permissions let the account read nothing.
        services: What Win32_Service shows.
        channels: Event logs that can't be read.
        shell: GENERIC_EXECUTE on the shell (MS-WSMV 3.1.4.1.28).
        writes: Whether the permissions of the keys of HKLM let the account write.
        refusal: Code of the fault with which WMI refuses.
    """

    namespaces: tuple[str, ...] = ()
    execute: bool = True
    keys: tuple[str, ...] = ()
    services: Services = Services.SHOWN
    channels: tuple[str, ...] = ()
    shell: bool = True
    writes: bool = True
    refusal: int = WMI_REFUSALS[0]


class LimitedBackend:
    """A machine as an account with limited rights sees it."""

    def __init__(self, whole: lab.Backend, access: Access) -> None:
        """Stand in front of the machine."""
        self._whole = whole
        self._access = access
        self.computer_name = whole.computer_name

    def is_on(self) -> bool:
        """See ``Backend``."""
        return self._whole.is_on()

    def accounts(self) -> Mapping[str, str]:
        """See ``Backend``."""
        return self._whole.accounts()

    def wmi_instances(self, namespace: str, class_name: str) -> Sequence[Mapping[str, lab.CimValue]] | None:
        """See ``Backend``."""
        self._check_namespace(namespace)
        if class_name.lower() == "win32_service":
            if self._access.services is Services.HIDDEN:
                return ()
            if self._access.services is Services.REFUSED:
                raise lab.WmiProviderError(self._access.refusal, _SENTENCE)
        return self._whole.wmi_instances(namespace, class_name)

    def wmi_key_names(self, namespace: str, class_name: str) -> Sequence[str]:
        """See ``Backend``."""
        return self._whole.wmi_key_names(namespace, class_name)

    def wmi_invoke(
        self,
        namespace: str,
        class_name: str,
        method: str,
        instance: Mapping[str, lab.CimValue] | None,
        parameters: Mapping[str, Sequence[str]],
    ) -> Mapping[str, lab.CimValue]:
        """See ``Backend``."""
        self._check_namespace(namespace)
        if not self._access.execute:
            raise lab.WmiProviderError(self._access.refusal, _SENTENCE)
        wanted = [name.lower() for name in parameters.get("sSubKeyName", ())]
        if class_name.lower() == "stdregprov" and any(_within(name, self._access.keys) for name in wanted):
            return {"ReturnValue": _REGISTRY_DENIED}
        if class_name.lower() == "stdregprov" and not self._access.writes:
            if method == "CheckAccess" and int("".join(parameters.get("uRequired", ("3",))[:1])) & _WRITING:
                return {"bGranted": False, "ReturnValue": _REGISTRY_DENIED}
            if method.startswith(("Set", "Create", "Delete")):
                return {"ReturnValue": _REGISTRY_DENIED}
        return self._whole.wmi_invoke(namespace, class_name, method, instance, parameters)

    def event_channel(self, channel: str) -> Sequence[lab.EventRecord] | lab.ChannelUnreadable:
        """See ``Backend``."""
        if channel.lower() in (name.lower() for name in self._access.channels):
            return lab.ChannelUnreadable("Access is denied. ")
        return self._whole.event_channel(channel)

    def start_process(
        self, command_line: str, working_directory: str | None, environment: Mapping[str, str]
    ) -> lab.Process:
        """See ``Backend``."""
        return self._whole.start_process(command_line, working_directory, environment)

    def _check_namespace(self, namespace: str) -> None:
        if namespace.lower().replace("\\", "/") in (name.lower() for name in self._access.namespaces):
            raise lab.WmiProviderError(self._access.refusal, _SENTENCE)


def _within(key: str, refused: Sequence[str]) -> bool:
    return any(f"{key}\\".startswith(f"{name.lower()}\\") for name in refused)
