# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_remains: takes what this collection keeps on a domain controller away again."""

from __future__ import annotations

import ntpath
from collections.abc import Mapping

from ansible_collections.entsso.password_sync.plugins.module_utils import _host_remains
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    OperationFailed,
    WsmanFault,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._host_remains import HostRemainsState
from ansible_collections.entsso.password_sync.plugins.module_utils._names import (
    MARKERS_KEY,
    ROLLOUT_LOCK_FOLDER,
    ROLLOUT_LOCK_KEY,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Observation,
    Present,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim import wql_string
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import is_empty_key
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, unknown
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import PROTECTED_ROOT
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._system_task_remains import (
    remove_leftovers,
    said,
)

MARKER_PREFIX = "notification_package_"
"""Those of password capture. Markers on ENTSSO stay: on a machine with both roles its settings are not removed."""

_STEP = 60.0


class HostRemainsResource(Resource):
    """Our own remains on one host."""

    def observe(self) -> Mapping[Key, Observation]:
        return {_host_remains.key(self.task.subject): observe_remains(self.host)}

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _host_remains.plan(self.task.subject, estate)

    def apply(self, change: Change) -> None:
        remove_leftovers(self.host, own="")
        lock = ntpath.basename(ROLLOUT_LOCK_FOLDER)
        for name in _folders(self.host) or ():
            # A lock that another run takes at this moment makes the folder not empty, and it stays.
            self._rmdir(ntpath.join(PROTECTED_ROOT, name), everything=name != lock)
        if not _children(self.host, PROTECTED_ROOT):
            self._rmdir(PROTECTED_ROOT)
        for name in _markers(self.host) or ():
            self.host.registry.delete_value(MARKERS_KEY, name)
        for key in (MARKERS_KEY, ROLLOUT_LOCK_KEY, ntpath.dirname(MARKERS_KEY)):
            if is_empty_key(self.host, key):
                self.host.registry.delete_key(key)

    def _rmdir(self, path: str, *, everything: bool = False) -> None:
        removed = self.host.run(f"rmdir {'/s /q ' if everything else ''}{cmd_path(path)}", deadline=_STEP)
        # Whether it is there counts, not the exit code: a file that is held open is only told.
        if everything and _children(self.host, path) is not None:
            reason = f"it could not be removed ({said(removed)})"
            raise OperationFailed(
                self.task.subject, f"folder {path}", reason, "Find out on the host what holds it open, then run again"
            )


def observe_remains(host: Host) -> Observation:
    """Observes what is kept: four reads where there is nothing."""
    try:
        markers, folders = _markers(host), _folders(host)
        lock = is_empty_key(host, ROLLOUT_LOCK_KEY)
    except (AccessDenied, WsmanFault) as error:
        return unknown(error)
    if markers is None and folders is None and not lock:
        return Absent()
    return Present(HostRemainsState(markers or (), folders or ()))


def _markers(host: Host) -> tuple[str, ...] | None:
    """Returns the names of our markers; None where there are none and the key is not an empty one either."""
    values = host.registry.values(MARKERS_KEY)
    if values is None:
        return None
    found = tuple(sorted(name for name in values if name.startswith(MARKER_PREFIX)))
    return None if values and not found else found


def _folders(host: Host) -> tuple[str, ...] | None:
    """Returns the folders of ours, without that of a lock that is held; None where ours holds only that, or is not."""
    children = _children(host, PROTECTED_ROOT)
    if children is None:
        return None
    lock = ntpath.basename(ROLLOUT_LOCK_FOLDER)
    found = tuple(name for name in children if name != lock or not _children(host, ROLLOUT_LOCK_FOLDER))
    return None if children and not found else found


def _children(host: Host, path: str) -> tuple[str, ...] | None:
    """Returns the names of the folders in a folder, None when it is not there."""
    if not host.wmi.query(f"SELECT Name FROM Win32_Directory WHERE Name = {wql_string(path)}"):
        return None
    drive, folder = ntpath.splitdrive(path)
    found = host.wmi.query(
        f"SELECT Name FROM Win32_Directory WHERE Drive = {wql_string(drive)} AND Path = {wql_string(folder + chr(92))}"
    )
    return tuple(sorted(ntpath.basename(item.string("Name")) for item in found))
