# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an MSI on the control node is, read once in a run and not once for each host."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import read_msi
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_package import summarize
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_signature import read_signer
from ansible_collections.entsso.password_sync.plugins.plugin_utils._run_folder import run_folder


@dataclass(frozen=True)
class MsiIdentity:
    """What tells one package from another.

    Attributes:
        product_code: In braces.
        version: Product version.
        upgrade_code: In braces; empty when the package has none.
        signed: Whether it has an Authenticode signature, which nobody verified here.
        signer: Subject of the certificate that it names; empty when it can't be read.
    """

    product_code: str
    version: str
    upgrade_code: str
    signed: bool = False
    signer: str = ""


def identify(data: bytes, sha256: str) -> MsiIdentity:
    """Reads an MSI's identity, or finds it in the private folder that all workers of a run share.

    Args:
        data: The file.
        sha256: Its hash, already compared; it names what is remembered.

    Raises:
        MsiError: It is no usable MSI.
    """
    remembered = Path(run_folder()) / f"entsso-msi-{sha256}.json"
    try:
        return MsiIdentity(**json.loads(remembered.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        database = read_msi(data)
        package = summarize(database)
    signed = bool(database.signature)
    signer = read_signer(database.signature) if signed else ""
    identity = MsiIdentity(package.product_code, package.version, package.upgrade_code, signed, signer)
    if remembered.parent.is_dir():
        fresh = remembered.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(asdict(identity)), encoding="utf-8")
        fresh.replace(remembered)
    return identity
