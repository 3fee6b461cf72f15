# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at an endpoint of the lab as a stranger: without credentials, and without encryption."""

from __future__ import annotations

import http.client


def refuses_strangers(address: str, port: int = 5985) -> bool:
    """Returns whether an endpoint refuses a request without credentials and offers Negotiate."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request(
            "POST", "/wsman", body=b"<x/>", headers={"Content-Type": "application/soap+xml;charset=UTF-8"}
        )
        response = connection.getresponse()
        response.read()
        offered = response.headers.get_all("WWW-Authenticate") or []
        return response.status == 401 and any(value.startswith("Negotiate") for value in offered)
    finally:
        connection.close()
