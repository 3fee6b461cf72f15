# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say where pcnscfg is, and who must see what it writes."""

from __future__ import annotations


class ModuleDocFragment:
    """Options, and what is known of the tool."""

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
  replication_servers:
    description:
      - Full names of the domain controllers that must have what is written before the task ends.
      - The default is every writable domain controller of the domain whose account is enabled.
    type: list
    elements: str
    default: []
  replication_timeout:
    description:
      - Seconds to wait for them altogether. One that does not have it by then, or can't be asked, is named and fails
        the task; what was written stays. Only where the directory is configured can they be asked.
      - The default is two minutes. Between sites replication may take hours, as its schedule says. V(0) does not wait
        for them.
    type: float
    default: 120.0
notes:
  - Where the directory is configured, the objects are read over LDAP too, from this very domain controller, and
    compared with what C(pcnscfg list) prints. Whether an object exists must not be in doubt, and a contradiction there
    fails the task. Where a value differs, that of C(pcnscfg) counts and the difference is told, except for groups,
    whose SIDs only the directory has. Where it is not configured, C(pcnscfg) alone is believed.
  - Before something is created, or a target is enabled or disabled, all other writable domain controllers of the domain
    are asked over LDAP where the directory is configured. Where one of them has it already, or has it the other way,
    replication is behind and the task fails before anything is written, since what is written on a domain controller
    that is behind may undo what works on the others. One that does not answer is told as a warning.
  - Attributes are found in the schema by OID. Names of some are not public; they are looked for by the words of
    C(pcnscfg)'s own switches, and where none or several fit they are not read.
  - To read, C(pcnscfg list) is run on the domain controller, through the WinRM command shell; it changes nothing. To
    write, C(pcnscfg) is run with C(/Server) naming this very domain controller. Active Directory replicates the
    result to the others; when their services read it is not known from public sources.
  - PCNS configuration and targets belong to the domain, so run this module on one domain controller of each domain.
  - The messages and exit codes of C(pcnscfg) are not public. Every change is verified by listing again. The labels of
    C(pcnscfg list) are read as Microsoft's help shows them in English; whether they are ever translated is not known.
    Output that can't be understood fails the task.
"""
