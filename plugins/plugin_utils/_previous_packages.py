# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record on a host of what `Notification Packages` was before an installation: a marker of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ansible_collections.entsso.password_sync.plugins.module_utils._names import LSA_KEY, NOTIFICATION_PACKAGES_VALUE
from ansible_collections.entsso.password_sync.plugins.module_utils._previous_packages import (
    PreviousPackages,
    after_installation,
    to_record,
    without,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msiexec import MsiOutcome
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import (
    read_marker,
    restore_markers,
    write_marker,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

PREVIOUS_MARKER = "notification_package_{}_previous"


def read_previous(host: Host, name: str) -> PreviousPackages | None:
    """Returns the record of an entry, None where there is none."""
    marker = read_marker(host, PREVIOUS_MARKER.format(name))
    return PreviousPackages.from_text(marker.value) if marker is not None else None


def recorded_installation(host: Host, names: Sequence[str], install: Callable[[], MsiOutcome]) -> MsiOutcome:
    """Installs, and records the value before and after; before is written before anything is installed.

    Where the installation failed and left the value alone, nothing of the record stays.
    """
    if not names:
        return install()
    markers = {PREVIOUS_MARKER.format(name): read_marker(host, PREVIOUS_MARKER.format(name)) for name in names}
    before = _listed(host)
    for name in names:
        _write(host, name, to_record(before, name, read_previous(host, name)))
    outcome = install()
    after = _listed(host)
    if not outcome.succeeded and after == before:
        restore_markers(host, markers)
        return outcome
    for name in names:
        _write(host, name, after_installation(before, after, read_previous(host, name)))
    return outcome


@contextmanager
def kept_by_removal(host: Host, task: Task, names: Sequence[str]) -> Iterator[None]:
    """Keeps the value as it is while a package is removed whose entries have been taken out already.

    What a removal does to the value is not public (pcns.md 2). With the entry gone there is nothing left for it to do.
    """
    before = _listed(host) if names else ()
    yield
    if not names or any(without(before, name) != before for name in names):
        return
    after = _listed(host)
    if after != before:
        host.registry.set_multi_string(LSA_KEY, NOTIFICATION_PACKAGES_VALUE, before)
        task.warn(
            f"The removal wrote {' '.join(after) or 'nothing'} to {NOTIFICATION_PACKAGES_VALUE}, which had been "
            f"restored before. {' '.join(before)} is there again."
        )


def _listed(host: Host) -> tuple[str, ...]:
    return host.registry.multi_string(LSA_KEY, NOTIFICATION_PACKAGES_VALUE) or ()


def _write(host: Host, name: str, record: PreviousPackages | None) -> None:
    if record is not None:
        write_marker(host, PREVIOUS_MARKER.format(name), record.to_text(), read_system(host).local_time)
