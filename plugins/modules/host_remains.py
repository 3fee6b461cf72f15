# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module host_remains; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_remains
short_description: Removes what this collection itself keeps on a domain controller
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Removes the remarks that this collection made on a domain controller on its own work (values below
    C(HKLM\SOFTWARE\entsso.password_sync\Markers)) and its folder C(C:\Program Files\entsso.password_sync) with the logs
    of Windows Installer.
  - It is the last step of a removal. What the remarks are needed for, to restore C(Notification Packages) exactly
    above all, is lost afterwards.
  - The folder of M(entsso.password_sync.rollout_lock) stays while a run holds the lock, and remarks on ENTSSO stay.
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
notes:
  - Nothing is started on the host to observe. Folders are removed with C(rmdir) in the WinRS command shell, registry
    values and keys through WMI; a key only when nothing is in it any more.
  - A command of a run that was cut off and that still runs as SYSTEM fails the task.
seealso:
  - module: entsso.password_sync.notification_package
  - module: entsso.password_sync.msi_package
"""

EXAMPLES = r"""
- name: Remove our own remarks and logs, last
  entsso.password_sync.host_remains:
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
      resource: host_remains
      name: entsso.password_sync
      operation: delete
      old:
        markers:
          - notification_package_PCNSFLT_previous
        folders:
          - logs
      new: {}
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
      resource: host_remains
      name: entsso.password_sync
      observed:
        state: absent
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "dc03.corp.example changed: delete host_remains entsso.password_sync."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "dc03.corp.example: host_remains entsso.password_sync"
      after_header: "dc03.corp.example: host_remains entsso.password_sync (delete)"
      before: |
        folders: ["logs"]
        markers: ["notification_package_PCNSFLT_previous"]
      after: ""
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
          resource: host_remains
          name: entsso.password_sync
          values: null
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.HOST_REMAINS,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("host_remains"))


if __name__ == "__main__":
    main()
