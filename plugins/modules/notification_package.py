# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module notification_package; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: notification_package
short_description: Verifies and repairs an entry in LSA's Notification Packages
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Verifies that a domain controller has an entry in the registry value C(Notification Packages) of
    C(HKLM\SYSTEM\CurrentControlSet\Control\Lsa), and puts it back where it was removed.
  - The entry belongs to the package that installs the DLL. This module repairs what somebody took out by hand, and
    rolls back; it does not install. Putting the entry back changes no other entry.
  - LSA loads what the value names only when Windows starts. Registered and loaded are therefore different things, and
    both are returned. The module does not restart the host.
options:
  name:
    description:
      - The entry, without extension. Its DLL must be in the System32 directory.
      - The default is the capture component of PCNS.
    type: str
    default: PCNSFLT
  state:
    description:
      - The default V(present) puts the entry back when it is missing. Where its DLL is missing the task fails, since
        LSA would be refused the DLL at every start.
      - V(absent) takes the entry out. LSA keeps the DLL loaded until the next restart.
      - The value is then exactly what it was before M(entsso.password_sync.msi_package) installed the entry, as
        recorded on the host at that time. Where others changed it since, or nothing is recorded, only this entry is
        taken out, what others did stays, and a warning says so.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
  - entsso.password_sync.connection.markers
notes:
  - Nothing is started on the host, neither to observe nor to change; the registry is written through WMI.
  - That LSA runs the package is V(proved) by events since the last start of Windows (4614 in the Security log, 2201
    of C(PCNSSVC) in the Application log), refuted by event 16953 in the System log, and otherwise V(inferred) from
    the age of the DLL. The process of LSA is never opened, since that looks like an attack. Event 4614 needs the
    audit subcategory Security System Extension.
  - LSA protection refuses DLLs without a signature that it accepts. Whether it accepts the DLL of PCNS is not known
    from public sources; event 16953 with error 577 says that it did not.
seealso:
  - module: entsso.password_sync.msi_package
  - module: entsso.password_sync.domain_controller_restart
  - name: Event 4614
    description: Microsoft on the event that LSA's notification packages leave.
    link: https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-10/security/threat-protection/auditing/event-4614
"""

EXAMPLES = r"""
- name: Put the capture component back where it was removed by hand
  entsso.password_sync.notification_package:

- name: Take the capture component out before its package is removed
  entsso.password_sync.notification_package:
    name: PCNSFLT
    state: absent
"""

RETURN = r"""
changes:
  description:
    - The changes that were made, or in check mode would be made, in this order; empty when everything is as wanted.
    - Each says to which C(subject) and C(resource) it is done, the C(name) of the object, the C(operation), the
      attributes before (C(old)) and written (C(new)), and what it makes necessary (C(implies), V(service restart) or
      V(host restart)).
  returned: success
  type: list
  elements: dict
  sample:
    - subject: dc03.corp.example
      resource: notification_package
      name: PCNSFLT
      operation: update
      old:
        registered: false
      new:
        registered: true
      implies: []
observed:
  description:
    - What is there after the task; in check mode what would be there.
    - For each object its C(scope) (a host or a domain), C(resource) and C(name), and what was C(observed), whose
      C(state) is V(present) with the attributes of the object, V(absent), or V(unknown) with the C(reason).
  returned: success
  type: list
  elements: dict
  sample:
    - scope: dc03.corp.example
      resource: notification_package
      name: pcnsflt
      observed:
        state: present
        registered: true
        installed: true
        loaded: "yes"
        blocked: false
        grade: proved
        evidence: event 4614 of 2026-11-20T02:10:31Z
        others:
          - rassfm
          - scecli
        version: 4.6.673.0
        restored: null
        kept: ""
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "dc03.corp.example changed: update notification_package PCNSFLT (registered=true)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "dc03.corp.example: notification_package PCNSFLT"
      after_header: "dc03.corp.example: notification_package PCNSFLT (update)"
      before: |
        registered: false
      after: |
        registered: true
ansible_facts:
  description: Host facts for later tasks of the same run.
  returned: in check mode
  type: dict
  contains:
    entsso_password_sync_planned:
      description:
        - What the changes of this run in check mode would leave behind on this host so far, those of this task
          included.
        - Later tasks and M(entsso.password_sync.pcns_info) plan on it; it is of no use to anything else.
      type: list
      elements: dict
      sample:
        - scope: dc03.corp.example
          resource: notification_package
          name: pcnsflt
          values:
            registered: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.NOTIFICATION_PACKAGE_ARGUMENTS,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("notification_package"))


if __name__ == "__main__":
    main()
