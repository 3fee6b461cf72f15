# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the errors of the Kerberos libraries mean for a logon to a directory, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AuthenticationRejected
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings

_TABLE = -1765328384
"""Base of the error table krb5 of MIT Kerberos (krb5.h); the first 128 are those of RFC 4120 7.5.9."""


@dataclass(frozen=True)
class _Meaning:
    reason: str
    remedy: str
    presented: bool = False
    unusable: bool = False


_TICKET = "Get a new one with kinit, or give `username` and `password`"
_ACCOUNT = "Correct `username` or `password`; it was tried once and not again"
_KDC = "Check that the control node reaches a KDC of the realm (krb5.conf or DNS), or set `auth_protocol` to ntlm"
_EXPIRED = _Meaning("the Kerberos ticket has expired", _TICKET)
_NO_CACHE = _Meaning("there is no Kerberos ticket", _TICKET, unusable=True)
_REALM = _Meaning("the realm of the account is not known here", _KDC, unusable=True)

_MEANINGS: Mapping[int, _Meaning] = {
    6: _Meaning("the KDC knows no such account", "Correct `username`, which is name@REALM for Kerberos", unusable=True),
    7: _Meaning(
        "the KDC knows no service ldap/{host}",
        "Give the domain controller's full DNS name in `server`, not an address or alias",
        unusable=True,
    ),
    18: _Meaning(
        "the account is disabled, expired or locked out", "Look at the account in the directory", presented=True
    ),
    23: _Meaning("the password has expired", "Change the password of the account", presented=True),
    24: _Meaning("name or password is wrong", _ACCOUNT, presented=True),
    31: _Meaning("name or password is wrong", _ACCOUNT, presented=True),
    32: _EXPIRED,
    33: _Meaning("the Kerberos ticket is not valid yet", _TICKET),
    37: _Meaning(
        "the clocks of the control node and of the domain controller are too far apart for Kerberos",
        "Set the control node's clock (NTP); five minutes are usually allowed",
    ),
    141: _NO_CACHE,
    154: _REALM,
    156: _Meaning("no KDC of the realm answers", _KDC, unusable=True),
    195: _NO_CACHE,
    220: _REALM,
    224: _Meaning("the account has no realm, and krb5.conf no default one", "Write `username` as name@REALM"),
}
"""By number in the table: 24 is KDC_ERR_PREAUTH_FAILED, 31 KRB_AP_ERR_BAD_INTEGRITY, 37 KRB_AP_ERR_SKEW; above 127 they
are MIT's own."""


class _Unusable(AuthenticationRejected):
    """Kerberos could not be tried; no password was looked at."""


def kerberos_unusable(error: AuthenticationRejected) -> bool:
    """Whether an error means that Kerberos could not be tried at all, and no password was looked at."""
    return isinstance(error, _Unusable)


def logon_failure(error: Exception, host: str, settings: LdapSettings) -> AuthenticationRejected:
    """Returns what an exception of the Kerberos or NTLM libraries means.

    Args:
        error: The exception.
        host: Name of the domain controller.
        settings: The account.
    """
    meaning = _meaning(error)
    kind = _Unusable if meaning.unusable else AuthenticationRejected
    return kind(
        host,
        f"LDAP logon of {settings.account}",
        meaning.reason.format(host=host),
        meaning.remedy,
        credentials_presented=meaning.presented,
    )


def _meaning(error: Exception) -> _Meaning:
    chain = list(_chain(error))
    if any(isinstance(item, ImportError) for item in chain):
        return _Meaning(
            "Kerberos needs the Python libraries gssapi and krb5 on the control node",
            "Install them there (pip install pyspnego[kerberos]), or set `auth_protocol` to ntlm",
            unusable=True,
        )
    for number in (code for item in chain for code in _numbers(item)):
        if number in _MEANINGS:
            return _MEANINGS[number]
    names = {type(item).__name__ for item in chain}
    if names & {"ExpiredCredentialsError", "CredentialsExpiredError"}:
        return _EXPIRED
    if names & {"MissingCredentialsError", "NoCredentialError"}:
        return _NO_CACHE
    return _Meaning(
        f"the security libraries of the control node refused it ({_text(chain[-1])})",
        "Mend what their words name, or choose another `auth_protocol`",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields an exception and what it came from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = getattr(current, "base_error", None) or current.__cause__ or current.__context__


def _numbers(error: BaseException) -> Iterator[int]:
    """Yields numbers in the table: krb5 gives them signed, gssapi its minor code unsigned."""
    for name in ("err_code", "min_code"):
        number = getattr(error, name, None)
        if isinstance(number, int):
            signed = number - (1 << 32) if number >= 1 << 31 else number
            if 0 <= signed - _TABLE < 256:
                yield signed - _TABLE


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
