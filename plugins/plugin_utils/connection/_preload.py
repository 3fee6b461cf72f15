# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports what every task needs once, before Ansible forks.

Ansible imports an action in its main process and runs each task in a fork. Libraries that are imported there already
cost a task nothing; imported in the fork they cost each task more than all the rest (docs/architecture.md).
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

from ansible.plugins.loader import connection_loader, filter_loader, test_loader

LIBRARIES = (
    "winrm.protocol",
    "winrm.exceptions",
    "pypsrp.wsman",
    "requests_ntlm",
    "spnego",
    "xmltodict",
    "sansldap",
    "dns.resolver",
    "dns.rdtypes.IN.A",
    "dns.rdtypes.IN.AAAA",
    "dns.rdtypes.IN.SRV",
    "encodings.utf_16_le",
    "encodings.utf_8_sig",
)
CONNECTIONS = ("ansible.builtin.winrm", "ansible.builtin.psrp")
FILTERS = (
    "ansible.builtin.flatten",
    "ansible.builtin.regex_escape",
    "entsso.password_sync.domain_writers",
    "entsso.password_sync.hosts_to_observe",
    "entsso.password_sync.targets_of",
)
TESTS = ("ansible.builtin.defined", "ansible.builtin.contains")


def preload() -> None:
    """Imports the libraries; one that is missing is told when it is needed, by whoever needs it.

    The connection plugins are loaded as well: reading their documentation, where Ansible keeps the options, costs a
    fork more than connecting does. So are the filters and tests of templates: loading one loads its whole file. So is
    OpenSSL's RC4, with which NTLM seals: it is in a module of its own (legacy).
    """
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    with suppress(ImportError):
        _load_rc4()
    loader: Any = connection_loader
    for name in CONNECTIONS:
        loader.get(name, class_only=True)
    for loader, names in ((filter_loader, FILTERS), (test_loader, TESTS)):
        for name in names:
            # Where Ansible itself does not run, it knows no collection.
            with suppress(KeyError):
                loader.get(name)


def _load_rc4() -> None:
    """Makes OpenSSL load it; a build without RC4 says so when NTLM needs it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    from cryptography.hazmat.primitives.ciphers import Cipher

    with suppress(UnsupportedAlgorithm):
        Cipher(ARC4(bytes(16)), mode=None).encryptor()
