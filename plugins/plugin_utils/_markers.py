# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markers in a host's registry: what was set where Windows offers no way to read it back."""

from __future__ import annotations

import ntpath
from collections.abc import Mapping
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils._marker import Marker
from ansible_collections.entsso.password_sync.plugins.module_utils._names import MARKERS_KEY
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host


def read_marker(host: Host, name: str) -> Marker | None:
    """Returns a marker, `None` where there is none or its text is not ours."""
    return Marker.from_text(host.registry.string(MARKERS_KEY, name))


def write_marker(host: Host, name: str, value: str, set_at: datetime) -> None:
    """Remembers a setting.

    Args:
        host: The host that the setting belongs to.
        name: Marker name.
        value: What was set.
        set_at: The host's own time, so that it can be compared with its events.
    """
    host.registry.create_key(MARKERS_KEY)
    host.registry.set_string(MARKERS_KEY, name, Marker(value, set_at).to_text())


def delete_marker(host: Host, name: str) -> None:
    """Forgets a setting."""
    host.registry.delete_value(MARKERS_KEY, name)


def is_empty_key(host: Host, key: str) -> bool:
    """Whether a registry key is there and nothing in it."""
    return host.registry.values(key) == {} and host.registry.keys(key) == ()


def restore_markers(host: Host, before: Mapping[str, Marker | None]) -> None:
    """Makes markers what they were; a key of ours with nothing in it goes with the last of them.

    Args:
        host: The host.
        before: Name to what the marker was, None where there was none.
    """
    for name, marker in before.items():
        if marker is None:
            delete_marker(host, name)
        else:
            write_marker(host, name, marker.value, marker.set_at)
    for key in (MARKERS_KEY, ntpath.dirname(MARKERS_KEY)):
        if None in before.values() and is_empty_key(host, key):
            host.registry.delete_key(key)
