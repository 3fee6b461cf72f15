# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain controller says of itself before anything else is asked (rootDSE, MS-ADTS 3.1.1.3.2)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry

ATTRIBUTES = (
    "configurationNamingContext",
    "defaultNamingContext",
    "dnsHostName",
    "rootDomainNamingContext",
    "schemaNamingContext",
)


@dataclass(frozen=True)
class RootDse:
    """Where things are in the directory.

    Attributes:
        host: DNS name of the domain controller.
        domain: Distinguished name of its domain.
        configuration: That of the configuration, which all domains of the forest share.
        schema: That of the schema.
        root_domain: That of the first domain of the forest.
    """

    host: str
    domain: str
    configuration: str
    schema: str
    root_domain: str


def root_dse(entry: Entry | None, host: str) -> RootDse:
    """Returns the rootDSE of what was read.

    Args:
        entry: The object; None when there was none.
        host: Name of the server, for the sentence.

    Raises:
        UnreadableOutput: It is not that of a domain controller.
    """
    found = {name: entry.text(name) if entry is not None else "" for name in ATTRIBUTES}
    missing = [name for name in ATTRIBUTES if not found[name]]
    if missing:
        raise UnreadableOutput(
            host,
            "LDAP",
            f"what answers is no domain controller of Active Directory (its rootDSE has no {', '.join(missing)})",
            "Check `server` and `port`",
        )
    return RootDse(
        host=found["dnsHostName"],
        domain=found["defaultNamingContext"],
        configuration=found["configurationNamingContext"],
        schema=found["schemaNamingContext"],
        root_domain=found["rootDomainNamingContext"],
    )
