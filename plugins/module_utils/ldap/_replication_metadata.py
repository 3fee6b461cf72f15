# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an attribute was last changed and where: values of msDS-ReplAttributeMetaData.

Each value is XML of the form of DS_REPL_ATTR_META_DATA_2 (learn.microsoft.com, ntdsapi.h). A zero may follow it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Union

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._untrusted_xml import parse_untrusted


@dataclass(frozen=True)
class AttributeChange:
    """The last change of an attribute where it was made.

    Attributes:
        at: When, UTC.
        server: Distinguished name of the directory service; may be empty.
    """

    at: datetime
    server: str


def last_change(values: Iterable[bytes], attribute: str) -> Union[AttributeChange, None]:
    """Returns the last change of an attribute, None when the values do not tell of it.

    Raises:
        UnreadableOutput: A value is not of the form that is documented.
    """
    for value in values:
        try:
            root = parse_untrusted(value.rstrip(b"\0\r\n\t "))
            found = {child.tag: (child.text or "").strip() for child in root}
            if found["pszAttributeName"].lower() != attribute.lower():
                continue
            at = datetime.strptime(found["ftimeLastOriginatingChange"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except (ValueError, KeyError) as error:
            raise UnreadableOutput(
                "",
                "attribute msDS-ReplAttributeMetaData",
                f"a value can't be understood ({error})",
                "Look at it with repadmin /showobjmeta",
            ) from None
        return AttributeChange(at, found.get("pszLastOriginatingDsaDN", ""))
    return None
