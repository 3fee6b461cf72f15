# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How people and services name an account, taken apart; what it is in the directory is looked up elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn


class Form(StrEnum):
    """The forms of a name."""

    DISTINGUISHED = "distinguished name"
    DOWN_LEVEL = "DOMAIN\\name"
    PRINCIPAL = "user principal name"
    PLAIN = "sAMAccountName"


_MACHINE = frozenset({"localsystem", "system", "networkservice", "network service", "localservice", "local service"})
_MACHINE_DOMAINS = frozenset({"nt authority", "nt service"})
"""Accounts that every Windows has for itself, as Win32_Service names them in StartName."""


@dataclass(frozen=True)
class AccountName:
    """The name of an account.

    Attributes:
        text: As it was given.
        form: Its form.
        name: The part that names the account.
        domain: The part that names its domain; empty when there is none.
    """

    text: str
    form: Form
    name: str
    domain: str = ""


def account_name(subject: str, text: str) -> AccountName:
    """Takes the name of an account apart.

    Args:
        subject: The host of the task, for the sentence.
        text: Distinguished name, `DOMAIN\\name`, `name@domain` or sAMAccountName.

    Raises:
        PlanError: It is none of them, or names an account that a directory does not have.
    """
    given = text.strip()
    relative = _ldap_dn.parts(given)
    domain, slash, name = given.partition("\\")
    if "=" in given and all("=" in part for part in relative):
        return AccountName(given, Form.DISTINGUISHED, given)
    if not slash:
        domain, name = "", given
    if domain == "." or domain.lower() in _MACHINE_DOMAINS or (not domain and name.lower() in _MACHINE):
        raise PlanError(
            subject,
            f"{given} is an account of one machine, and the directory has no such account to hold an SPN.",
            "A service that runs as one that Windows has for itself logs on as its computer: give the computer's "
            "account in `account`, for example SSO01$.",
        )
    if slash and domain and name and "\\" not in name:
        return AccountName(given, Form.DOWN_LEVEL, name, domain)
    prefix, at, suffix = name.rpartition("@")
    if at and prefix and suffix:
        return AccountName(given, Form.PRINCIPAL, prefix, suffix.lower())
    if not name or slash or at:
        raise PlanError(
            subject,
            f"{given!r} is not the name of an account.",
            "Give a distinguished name, DOMAIN\\name, name@domain or a sAMAccountName in `account`.",
        )
    return AccountName(given, Form.PLAIN, name)
