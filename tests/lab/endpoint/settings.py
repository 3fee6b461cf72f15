# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a WinRM service is configured with, and what the public record leaves open about its behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .access import Access


class CbtHardeningLevel(Enum):
    """What happens to a client's channel binding token over TLS."""

    NONE = "None"
    """It is not looked at."""
    RELAXED = "Relaxed"
    """A wrong one is refused, none at all is accepted."""
    STRICT = "Strict"
    """Only the right one is accepted."""


@dataclass(frozen=True)
class EndpointSettings:
    """Configuration of one endpoint; the defaults are those of Windows where wsman.md knows them."""

    max_envelope_size: int = 512_000
    """Largest envelope in bytes: a longer request gets HTTP 413, answers are cut at half as many characters (1.5)."""

    max_timeout: float = 60.0
    """MaxTimeoutms in seconds: caps the OperationTimeout of every request but Pull (1.3)."""

    enumeration_timeout: float = 240.0
    """EnumerationTimeoutms in seconds: an idle enumeration is then forgotten (1.5)."""

    idle_connection_timeout: float = 120.0
    """Seconds after which an idle HTTP connection is closed (2.3)."""

    allow_unencrypted: bool = False
    """AllowUnencrypted: accept clear XML over http (5)."""

    basic: bool = False
    """Accept Basic authentication, over TLS only (5)."""

    kerberos: bool = True
    """Accept the scheme Kerberos, where the endpoint has a keytab (5, MS-WSMV 2.2.4.34)."""

    negotiate: bool = True
    """Accept the scheme Negotiate: Kerberos where the endpoint has a keytab, and NTLM (5)."""

    credssp: bool = False
    """Accept CredSSP (5)."""

    certificate: bool = False
    """Accept a client's TLS certificate, where the https listener has authorities for them (5)."""

    certificate_mapping: Mapping[str, str] = field(default_factory=dict)
    """Local account for a user principal name in a certificate, in lower case (MS-WSMV 3.1.4.1.35)."""

    cbt_hardening_level: CbtHardeningLevel = CbtHardeningLevel.RELAXED
    """How much channel binding tokens matter over TLS (5)."""

    ntlm: bool = True
    """Whether Negotiate may end with NTLM; domains can restrict it, and later releases do by default (5)."""

    protected_users: tuple[str, ...] = ()
    """Accounts for which NTLM is refused as for members of Protected Users, by name as they log on."""

    max_shells: int = 30
    """MaxShellsPerUser (3.1)."""

    shell_idle_timeout: float = 7200.0
    """Idle time-out of a shell in seconds where the client asks for none (3.1, PT7200.000S as recorded)."""

    first_items: int | None = 1
    """Items in an optimised EnumerateResponse: 1 as WinRM 2.0 and 3.0, None fills it as 1.1; newer is unknown (1.5)."""

    activity_id: bool = False
    """Whether every answer carries p:ActivityId, as some servers from 2012 on do (1.3, the recorded unicode.yml)."""

    location_in_get: bool = False
    """Whether a Get answers with cim:Location as the sample of MS-WSMV 4.1.1 does; real traffic is unknown (1.4)."""

    event_wait: float = 0.0
    """Longest wait in seconds of an event Pull for new events; 0 answers at once with what is there."""

    event_end_is_timeout: bool = False
    """Answer an event Pull that found nothing with fault 2150858793 and not with empty Items; both are seen (1.12)."""

    limited: Mapping[str, Access] = field(default_factory=dict)
    """What accounts may not do, by name in lower case as they log on; everybody else may do everything (5)."""
