# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a directory means by a result code, in sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    DirectoryError,
    DirectoryReferral,
    HostError,
)

SUCCESS = 0
TIME_LIMIT_EXCEEDED = 3
SIZE_LIMIT_EXCEEDED = 4
AUTHENTICATION_METHOD_NOT_SUPPORTED = 7
STRONG_AUTHENTICATION_REQUIRED = 8
REFERRAL = 10
ADMINISTRATIVE_LIMIT_EXCEEDED = 11
CONFIDENTIALITY_REQUIRED = 13
BIND_IN_PROGRESS = 14
NO_SUCH_ATTRIBUTE = 16
CONSTRAINT_VIOLATION = 19
ATTRIBUTE_OR_VALUE_EXISTS = 20
NO_SUCH_OBJECT = 32
INVALID_NAME = 34
INVALID_CREDENTIALS = 49
INSUFFICIENT_ACCESS_RIGHTS = 50
BUSY = 51
UNAVAILABLE = 52
UNWILLING = 53

_DATA = re.compile(r"\bdata ([0-9a-fA-F]+)\b")
_LOGON_FAILURES: Mapping[int, tuple[str, str]] = {
    0x525: ("the directory knows no such account", "Correct `username`"),
    0x52E: ("name or password is wrong", "Correct `username` or `password`; it was tried once and not again"),
    0x530: ("the account may not log on at this hour", "Use another account, or change its logon hours"),
    0x531: ("the account may not log on from here", "Use another account, or let it log on to the domain controllers"),
    0x532: ("the password has expired", "Change the password of the account"),
    0x533: ("the account is disabled", "Enable the account, or use another"),
    0x701: ("the account has expired", "Extend the account, or use another"),
    0x773: ("the password must be changed before the first logon", "Change the password of the account"),
    0x775: ("the account is locked out", "Unlock the account, and find out what locked it"),
}
"""Win32 error numbers behind `data` in the text of invalidCredentials (winerror.h: ERROR_NO_SUCH_USER 1317 and on)."""


def bind_failure(host: str, account: str, code: int, name: str, text: str, *, by_ticket: bool = False) -> HostError:
    """Returns what a refused bind means.

    Args:
        host: The domain controller.
        account: The account, for the sentence.
        code: LDAP result code.
        name: Its name.
        text: The directory's own text.
        by_ticket: Whether a Kerberos ticket was shown instead of a password.
    """
    subject = f"LDAP logon of {account}"
    if code == INVALID_CREDENTIALS and by_ticket:
        return AuthenticationRejected(
            host,
            subject,
            f"the domain controller rejected the Kerberos ticket ({clean(text) or name})",
            "Compare the clocks of the control node and of the domain controller, check that the SPN "
            f"ldap/{host} is on its account alone, and get a new ticket with kinit",
            credentials_presented=False,
        )
    if code == INVALID_CREDENTIALS:
        found = _DATA.search(text)
        number = int(found[1], 16) if found else 0
        reason, remedy = _LOGON_FAILURES.get(
            number, (f"the directory rejected it ({clean(text) or name})", "Correct `username` or `password`")
        )
        return AuthenticationRejected(host, subject, reason, remedy)
    if code in (STRONG_AUTHENTICATION_REQUIRED, CONFIDENTIALITY_REQUIRED, UNWILLING):
        return DirectoryError(
            host,
            subject,
            f"the domain controller refuses this kind of logon ({name}: {clean(text)})",
            "Leave `tls_mode` out, so that `auth_protocol` kerberos or ntlm signs and seals, or use `auth_protocol` "
            "simple with `tls_mode` ldaps",
            code=code,
        )
    if code == AUTHENTICATION_METHOD_NOT_SUPPORTED:
        return DirectoryError(
            host,
            subject,
            f"the server does not offer this kind of logon ({clean(text) or name})",
            "Choose another `auth_protocol`, and check that `server` is a domain controller",
            code=code,
        )
    return result_failure(host, subject, code, name, text)


def result_failure(
    host: str, subject: str, code: int, name: str, text: str, referrals: tuple[str, ...] = ()
) -> HostError:
    """Returns what a refused operation means.

    Args:
        host: The domain controller.
        subject: What was asked for.
        code: LDAP result code.
        name: Its name.
        text: The directory's own text.
        referrals: The LDAP URIs that came with it.
    """
    said = f"{name}{': ' if text else ''}{clean(text)}"
    if code == REFERRAL:
        return DirectoryReferral(
            host,
            subject,
            f"the domain controller does not hold it and refers to {', '.join(referrals) or 'nobody'}",
            "Name a domain controller of the right domain in `server`",
            uris=referrals,
        )
    reason, remedy = {
        NO_SUCH_OBJECT: ("there is no such object", "Correct the name, and check that the account may read it"),
        INVALID_NAME: (f"this is no distinguished name ({said})", "Correct it: it looks like DC=corp,DC=example"),
        TIME_LIMIT_EXCEEDED: (
            "the domain controller's time limit for a search was exceeded",
            "Run again when it is less busy, or name another one in `server`",
        ),
        SIZE_LIMIT_EXCEEDED: (
            "the domain controller's limit for the size of an answer was exceeded",
            "Raise MaxPageSize of its LDAP policy, or ask a narrower question",
        ),
        ADMINISTRATIVE_LIMIT_EXCEEDED: (
            f"a limit of the domain controller was exceeded ({said})",
            "Look at its LDAP policy, or ask a narrower question",
        ),
        BUSY: ("the domain controller is too busy", "Run again later, or name another one in `server`"),
        UNAVAILABLE: (f"the domain controller is not available ({said})", "Name another one in `server`"),
    }.get(code, (f"the directory refused it ({said})", "Mend what the directory's own words name"))
    if code == INSUFFICIENT_ACCESS_RIGHTS:
        return AccessDenied(host, subject, f"the account may not do this ({said})", "Give it the right, or use another")
    return DirectoryError(host, subject, reason, remedy, code=code)


def clean(text: str) -> str:
    """Returns the directory's own text on one line; Active Directory ends it with a zero byte."""
    return " ".join(text.replace("\0", " ").split()).rstrip(". ")
