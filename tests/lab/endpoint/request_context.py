# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every part of the service gets along with a request."""

from __future__ import annotations

from dataclasses import dataclass

from .settings import EndpointSettings
from .soap import SoapRequest


@dataclass(frozen=True)
class Call:
    """One request, who sent it, and the limits that hold for its answer."""

    request: SoapRequest
    user: str
    client_address: str
    settings: EndpointSettings

    @property
    def character_limit(self) -> int:
        """Longest answer in characters: the size is counted as UTF-16 (wsman.md 1.5)."""
        return min(self.request.max_envelope_size, self.settings.max_envelope_size) // 2

    @property
    def timeout(self) -> float:
        """Seconds after which the operation times out: never under half a second (wsman.md 1.3)."""
        wanted = self.request.operation_timeout
        limit = self.settings.max_timeout
        return max(0.5, min(limit, limit if wanted is None else wanted))
