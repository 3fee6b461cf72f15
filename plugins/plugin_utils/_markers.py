# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markers in a host's registry: what was set where Windows offers no way to read it back."""

from __future__ import annotations

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
