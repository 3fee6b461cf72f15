# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary information of a package: for which platform and languages it is, and who made it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_container import damaged

_MAX_PROPERTIES = 256
_VT_I2, _VT_I4, _VT_LPSTR, _VT_FILETIME = 2, 3, 30, 64
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SummaryInformation:
    """What the summary stream says (Windows Installer, "Summary Information Stream Property Set"). Empty: not given.

    Attributes:
        title: Kind of package, for example `Installation Database`.
        subject: Name of the product.
        author: Manufacturer.
        keywords: Search words.
        comments: Remarks of the maker.
        template: Platform and languages, for example `x64;1033`.
        package_code: Identifier of exactly this file (`Revision Number` property), in braces.
        installer_version: Least Windows Installer version times 100 (`Page Count`), for example 500.
        source_type: Bits of the `Word Count` property; bit 2 (4) says that nothing needs elevation.
        created: When it was built.
    """

    title: str = ""
    subject: str = ""
    author: str = ""
    keywords: str = ""
    comments: str = ""
    template: str = ""
    package_code: str = ""
    installer_version: int | None = None
    source_type: int | None = None
    created: datetime | None = None

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms of the template, for example `("x64",)`; none given means Intel."""
        text = self.template.partition(";")[0]
        return tuple(part.strip() for part in text.split(",") if part.strip())

    @property
    def languages(self) -> tuple[int, ...]:
        """The language identifiers of the template; 0 is neutral."""
        text = self.template.partition(";")[2]
        return tuple(int(part) for part in text.split(",") if part.strip().isascii() and part.strip().isdigit())


def read_summary(content: bytes, name: str) -> SummaryInformation:
    """Reads the property set of the summary stream (MS-OLEPS 2.20 and following).

    Raises:
        MsiError: The stream is there but cannot be followed.
    """
    if not content:
        return SummaryInformation()
    try:
        numbers, texts, times = _properties(content)
    except (struct.error, ValueError, OverflowError) as error:
        raise damaged(name, f"its summary information cannot be read ({error})") from None
    return SummaryInformation(
        title=texts.get(2, ""),
        subject=texts.get(3, ""),
        author=texts.get(4, ""),
        keywords=texts.get(5, ""),
        comments=texts.get(6, ""),
        template=texts.get(7, ""),
        package_code=texts.get(9, ""),
        installer_version=numbers.get(14),
        source_type=numbers.get(15),
        created=times.get(12),
    )


def _properties(content: bytes) -> tuple[dict[int, int], dict[int, str], dict[int, datetime]]:
    (start,) = struct.unpack_from("<L", content, 44)
    section_size, count = struct.unpack_from("<LL", content, start)
    section = content[start : start + section_size]
    if count > _MAX_PROPERTIES or len(section) != section_size:
        raise ValueError("its sizes do not fit")
    numbers: dict[int, int] = {}
    raw: dict[int, bytes] = {}
    times: dict[int, datetime] = {}
    for index in range(count):
        identifier, offset = struct.unpack_from("<LL", section, 8 + 8 * index)
        (kind,) = struct.unpack_from("<L", section, offset)
        if kind == _VT_I2:
            (numbers[identifier],) = struct.unpack_from("<h", section, offset + 4)
        elif kind == _VT_I4:
            (numbers[identifier],) = struct.unpack_from("<l", section, offset + 4)
        elif kind == _VT_LPSTR:
            (length,) = struct.unpack_from("<L", section, offset + 4)
            text = section[offset + 8 : offset + 8 + length]
            if len(text) != length:
                raise ValueError("a text is cut short")
            raw[identifier] = text.partition(b"\0")[0]
        elif kind == _VT_FILETIME:
            (ticks,) = struct.unpack_from("<Q", section, offset + 4)
            times[identifier] = _EPOCH + timedelta(microseconds=ticks // 10)
    code_page = numbers.get(1, 0) & 0xFFFF  # stored as a signed number: 65001 appears as -535
    codec = {0: "cp1252", 28591: "iso8859_1", 65001: "utf_8"}.get(code_page, f"cp{code_page}")
    try:
        texts = {identifier: text.decode(codec, "replace") for identifier, text in raw.items()}
    except LookupError:
        texts = {identifier: text.decode("cp1252", "replace") for identifier, text in raw.items()}
    return numbers, texts, times
