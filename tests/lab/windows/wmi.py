# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The WMI classes of a machine, dispatched by namespace and name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lab.backend import CimValue
from lab.windows import wmi_domain_controller, wmi_files, wmi_registry, wmi_services, wmi_system

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

Instances = Callable[["SimulatedHost"], Sequence[Mapping[str, CimValue]]]

_CIMV2: Mapping[str, tuple[Instances, tuple[str, ...]]] = {
    "win32_operatingsystem": (wmi_system.operating_system, ()),
    "win32_computersystem": (wmi_system.computer_system, ("Name",)),
    "win32_logicaldisk": (wmi_system.logical_disks, ("DeviceID",)),
    "win32_process": (wmi_system.processes, ("Handle",)),
    "win32_service": (wmi_services.services, ("Name",)),
    "win32_share": (wmi_domain_controller.shares, ("Name",)),
    "cim_datafile": (wmi_files.data_files, ("Name",)),
    "win32_directory": (wmi_files.directories, ("Name",)),
    "stdregprov": (lambda _: (), ()),
}
_NAMESPACE: Mapping[str, tuple[Instances, tuple[str, ...]]] = {"__namespace": (lambda _: (), ("Name",))}
"""Every namespace has the class of its child namespaces; here none has any."""
_CLASSES: Mapping[str, Mapping[str, tuple[Instances, tuple[str, ...]]]] = {
    "root/cimv2": {**_CIMV2, **_NAMESPACE},
    "root/default": {"stdregprov": _CIMV2["stdregprov"], **_NAMESPACE},
    "root/microsoftactivedirectory": {
        "msad_replneighbor": (wmi_domain_controller.neighbours, ("NamingContextDN", "SourceDsaCN")),
        **_NAMESPACE,
    },
    "root/microsoftdfs": _NAMESPACE,
}


class Wmi:
    """What the WMI service of a machine answers."""

    def __init__(self, host: SimulatedHost) -> None:
        """Takes the machine."""
        self._host = host

    def instances(self, namespace: str, class_name: str) -> Sequence[Mapping[str, CimValue]] | None:
        """Returns all instances of a class, None when the namespace has no such class."""
        if namespace.lower().replace("\\", "/") in self._host.settings.windows.absent_namespaces:
            return None
        found = _find(namespace, class_name)
        return None if found is None else found[0](self._host)

    def key_names(self, namespace: str, class_name: str) -> Sequence[str]:
        """Returns the names of the key properties; none for a singleton."""
        found = _find(namespace, class_name)
        return () if found is None else found[1]

    def invoke(
        self,
        namespace: str,
        class_name: str,
        method: str,
        instance: Mapping[str, CimValue] | None,
        parameters: Mapping[str, Sequence[str]],
    ) -> Mapping[str, CimValue]:
        """Runs a method.

        Raises:
            LookupError: The class has no such method.
        """
        name = class_name.lower()
        if _find(namespace, class_name) is None:
            raise LookupError(class_name)
        if name == "stdregprov":
            return wmi_registry.invoke(self._host.registry, method, parameters)
        if name == "win32_service":
            return wmi_services.invoke(self._host, method, instance, parameters)
        if name == "win32_operatingsystem":
            return wmi_system.invoke(self._host, method, parameters)
        raise LookupError(method)


def _find(namespace: str, class_name: str) -> tuple[Instances, tuple[str, ...]] | None:
    return _CLASSES.get(namespace.lower().replace("\\", "/"), {}).get(class_name.lower())
