# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A WinRM endpoint that real clients can't tell from Windows: HTTP, authentication, message encryption, WS-Management,
WMI, WinRS and WS-Eventing in front of a backend.
"""

from __future__ import annotations

from .counters import Logon, Statistics
from .injection import FaultInjection
from .server import Endpoint, EndpointServer
from .settings import CbtHardeningLevel, EndpointSettings
from .tls import TlsListener, self_signed

__all__ = [
    "CbtHardeningLevel",
    "Endpoint",
    "EndpointServer",
    "EndpointSettings",
    "FaultInjection",
    "Logon",
    "Statistics",
    "TlsListener",
    "self_signed",
]
