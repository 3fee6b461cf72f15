# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a package that wixl built a fixed package code and fixed times, so that each build gives the same bytes.

Usage: python3 settle.py PACKAGE.msi {PACKAGE-CODE}
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

_SUMMARY_FORMAT = bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9")  # MS-OLEPS 3.1.1, FMTID_SummaryInformation
_VT_LPSTR, _VT_FILETIME = 30, 64
_PACKAGE_CODE = 9
_NEW_YEAR_2024 = 133485408000000000  # 2024-01-01T00:00:00Z in units of 100 ns since 1601


def settle(content: bytearray, package_code: str) -> None:
    """Rewrites the summary in place; lengths do not change."""
    if content.count(_SUMMARY_FORMAT) != 1:
        raise SystemExit("the summary information was not found exactly once")
    header = content.index(_SUMMARY_FORMAT)
    start = header - 28 + struct.unpack_from("<L", content, header + 16)[0]
    count = struct.unpack_from("<L", content, start + 4)[0]
    settled = 0
    for index in range(count):
        identifier, offset = struct.unpack_from("<LL", content, start + 8 + 8 * index)
        kind = struct.unpack_from("<L", content, start + offset)[0]
        if kind == _VT_FILETIME:
            struct.pack_into("<Q", content, start + offset + 4, _NEW_YEAR_2024)
            settled += 1
        elif identifier == _PACKAGE_CODE and kind == _VT_LPSTR:
            old = bytes(content[start + offset + 8 : start + offset + 8 + 38])
            if not (old.startswith(b"{") and old.endswith(b"}") and len(package_code) == 38):
                raise SystemExit("the package code is not where it should be")
            content[start + offset + 8 : start + offset + 8 + 38] = package_code.encode()
            settled += 1
    if settled != 3:
        raise SystemExit(f"{settled} values were settled instead of package code and two times")


if __name__ == "__main__":
    _path = Path(sys.argv[1])
    _content = bytearray(_path.read_bytes())
    settle(_content, sys.argv[2])
    _path.write_bytes(_content)
