# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that says where pcnscfg is."""

from __future__ import annotations


class ModuleDocFragment:
    """One option, and what is known of the tool."""

    DOCUMENTATION = r"""
options:
  pcnscfg:
    description:
      - Full path of C(pcnscfg.exe) on the domain controller.
      - The default is where Microsoft's package puts it.
      - Where neither the tool nor the PCNS service exists, PCNS counts as not installed, and the task fails unless an
        earlier task of a check mode run would bring the tool. Where only the tool is missing, the state is unknown,
        and the task fails.
    type: str
    default: C:\Program Files\Microsoft Password Change Notification\pcnscfg.exe
notes:
  - To read, C(pcnscfg list) is run on the domain controller, through the WinRM command shell; it changes nothing. To
    write, C(pcnscfg) is run with C(/Server) naming this very domain controller. Active Directory replicates the
    result to the others; when their services read it is not known from public sources.
  - PCNS configuration and targets belong to the domain, so run this module on one domain controller of each domain.
  - The messages and exit codes of C(pcnscfg) are not public. Every change is verified by listing again. The labels of
    C(pcnscfg list) are read as Microsoft's help shows them in English; whether they are ever translated is not known.
    Output that can't be understood fails the task.
"""
