# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the modules reach a host, and with which rights."""

from __future__ import annotations


class ModuleDocFragment:
    """Notes on the connection; the variants tell of rights."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - pywinrm on the control node, or pypsrp for the C(psrp) connection
notes:
  - The host is reached over the C(winrm) or C(psrp) connection of the inventory, with its variables. Every other
    connection, and another C(ansible_psrp_configuration_name) than the default, is refused with a sentence that says
    what to set.
  - C(become) is refused. It has no effect on WS-Management and would be ignored silently; connect with the account
    that has the rights.
  - For hosts of the group C(domain_controllers), transports that hand the password to the host (C(basic),
    C(plaintext), C(credssp), and C(ssl) without a client certificate) are refused unless the variable
    C(password_sync_allow_exposed_password) is true. So is HTTP without message encryption; and C(basic) over HTTP,
    which shows the password to anybody on the way, for every host.
  - After a host has rejected the password, nothing is tried again with that account on any host of the run, so that
    no account is locked out.
  - No PowerShell runs on the host, with the C(psrp) connection neither. WMI and WS-Eventing are asked directly;
    programs are started only as this page says.
"""

    DOMAIN_CONTROLLER = r"""
options: {}
notes:
  - To observe a domain controller the account needs membership in Remote Management Users and Event Log Readers, the
    rights Enable Account, Execute Methods and Remote Enable on the WMI namespace C(root/cimv2), and the right to
    query the services. Without rights on the service control manager, WMI shows no services at all; this is reported
    as access denied and never as absent. Whether more is needed to read the Security log in a network logon is not
    known from public sources.
  - Remote Management Users is one group for all domain controllers of a domain; its members can also start programs
    there, as themselves.
  - To change a domain controller, connect as a member of Domain Admins. Microsoft's documentation names this group
    for the installation, and Domain Admins or Enterprise Admins for C(pcnscfg).
"""

    SSO_SERVER = r"""
options: {}
notes:
  - The account must be able to log on over WinRM, to read WMI, and be a member of the SSO Administrators group of the
    SSO system. Microsoft's documentation lets only these create adapters and enable password synchronization.
  - No exit code, no quiet switch and hardly any output of the ENTSSO command line tools is documented. Success is
    therefore never taken from an exit code alone; what can be read back is read back. An exit code other than 0 is a
    failure.
"""

    MARKERS = r"""
options: {}
notes:
  - What can be written and not read back is remembered on the host, with value and time, in the registry key
    C(HKLM\SOFTWARE\entsso.password_sync\Markers). It holds no secret. Without the key the setting counts as never
    made.
"""
