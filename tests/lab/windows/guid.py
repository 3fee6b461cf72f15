# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Product and upgrade codes as Windows Installer writes them into the names of its registry keys."""

from __future__ import annotations


def packed(code: str) -> str:
    """Returns a GUID in braces in the packed form: 32 digits, each field of the GUID turned round.

    The first three fields are reversed digit by digit, the other eight bytes have their two digits exchanged.
    """
    digits = code.strip("{}").replace("-", "").upper()
    fields = [digits[0:8], digits[8:12], digits[12:16], *(digits[index : index + 2] for index in range(16, 32, 2))]
    return "".join(field[::-1] for field in fields)
