# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a machine is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HostRole(StrEnum):
    """What a machine is in its domain."""

    MEMBER_SERVER = "member server"
    WRITABLE_DC = "writable domain controller"
    READ_ONLY_DC = "read-only domain controller"

    @property
    def is_dc(self) -> bool:
        """Whether the machine is a domain controller of either kind."""
        return self is not HostRole.MEMBER_SERVER


@dataclass(frozen=True)
class HostIdentity:
    """Name, domain, role and Windows of one machine."""

    name: str
    """Computer name in upper case."""
    domain: str
    """DNS name of its domain."""
    netbios_domain: str
    role: HostRole
    site: str
    is_pdc_emulator: bool = False
    caption: str = "Microsoft Windows Server 2022 Standard"
    version: str = "10.0.20348"
    revision: int = 2700

    @property
    def fqdn(self) -> str:
        """Full name, lower case."""
        return f"{self.name}.{self.domain}".lower()

    @property
    def account(self) -> str:
        """Its computer account, DOMAIN\\NAME$."""
        return f"{self.netbios_domain}\\{self.name}$"

    @property
    def build(self) -> str:
        """Build number."""
        return self.version.rpartition(".")[2]

    @property
    def domain_role(self) -> int:
        """Win32_ComputerSystem.DomainRole (wsman.md 4): 3 member server, 4 backup DC, 5 PDC emulator."""
        if not self.role.is_dc:
            return 3
        return 5 if self.is_pdc_emulator else 4

    @property
    def product_type(self) -> int:
        """Win32_OperatingSystem.ProductType: 2 domain controller, 3 server."""
        return 2 if self.role.is_dc else 3
