# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module domain_controller_restart; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_controller_restart
short_description: Restarts a domain controller when LSA has to load or unload a notification package
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Restarts a domain controller when a notification package is registered and LSA has not loaded it, and returns when
    the domain controller serves again and LSA has loaded it.
  - Whether a restart is needed follows from what is observed, never from the exit code of an installer. A domain
    controller that needs none is left alone, so the task can run as often as you like.
  - Nothing restarts unless O(allowed=true). Run one host at a time (C(serial) or C(throttle)); this module does not
    look at other domain controllers.
  - When LSA refused the package at the last start, the task fails, since another restart does not help. When it is
    not known whether LSA runs the package, the task fails as well.
options:
  notification_packages:
    description:
      - Notification packages that LSA must run, without extension. One that is not registered is none of this
        module's business.
      - The default is the capture component of PCNS.
    type: list
    elements: str
    default: [PCNSFLT]
  state:
    description:
      - What LSA should have done with them. The default V(loaded) restarts for a package that is registered and not
        loaded.
      - V(unloaded) restarts for a package that was taken out of C(Notification Packages) and that LSA still runs,
        before the file is removed. One that is still registered fails the task.
    type: str
    choices: [loaded, unloaded]
    default: loaded
  allowed:
    description:
      - Whether this domain controller may restart. The roles of this collection give the variable
        C(pcns_restart_allowed) here.
      - The default V(false) fails the task when a restart is needed, before anything is done. In check mode it is a
        warning.
    type: bool
    default: false
  comment:
    description:
      - What users who are logged on see, and what the System log says of the restart.
      - The default names the reason.
    type: str
    default: Restart to load the password capture component
  delay:
    description:
      - Seconds between the command and the restart, so that the answer still reaches the control node. The default is
        enough for that.
    type: int
    default: 5
  required_services:
    description:
      - Services that must run before the domain controller counts as serving again. Those that it does not have are
        left out.
      - The default is the directory service, Netlogon and the Kerberos key distribution center.
    type: list
    elements: str
    default: [NTDS, Netlogon, Kdc]
  deadline:
    description:
      - Seconds within which it must serve again. The default is half an hour. After that the task fails and says what
        it was still waiting for.
    type: int
    default: 1800
  interval:
    description:
      - Seconds between two looks while it waits.
      - The default is short, since a look costs the domain controller little.
    type: float
    default: 5.0
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
notes:
  - To observe, nothing is started on the host. To restart, C(shutdown.exe /r /d p:4:1) is run, which the System log
    shows as planned. A restart that somebody else has already ordered is left alone and waited for.
  - The same domain controller must answer again over WinRM, with a later start of Windows, the required services
    running and the package loaded or refused. Whether it serves and is replicated is for
    M(entsso.password_sync.domain_controller_health), which runs after the last change.
seealso:
  - module: entsso.password_sync.domain_controller_health
  - module: entsso.password_sync.msi_package
  - module: entsso.password_sync.notification_package
  - name: Deploying PCNS on a domain controller
    description: Microsoft on the restart after the installation.
    link: https://learn.microsoft.com/en-us/microsoft-identity-manager/deploying-mim-password-change-notification-service-on-domain-controller
"""

EXAMPLES = r"""
- name: Restart every domain controller that needs it, one at a time
  hosts: domain_controllers
  serial: 1
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - name: Restart until LSA has loaded the capture component
      entsso.password_sync.domain_controller_restart:
        allowed: "{{ pcns_restart_allowed | default(false) }}"
        comment: Change 4711, load the password capture component
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
    - subject: dc01.corp.example
      resource: domain_controller_restart
      name: dc01.corp.example
      operation: restart
      old:
        loaded: "no"
      new:
        loads: PCNSFLT
      implies:
        - host restart
observed:
  description:
    - What is there after the task; in check mode what would be there.
    - For each object its C(scope) (a host or a domain), C(resource) and C(name), and what was C(observed), whose
      C(state) is V(present) with the attributes of the object, V(absent), or V(unknown) with the C(reason).
  returned: success
  type: list
  elements: dict
  sample:
    - scope: dc01.corp.example
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
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "dc01.corp.example changed: restart domain_controller_restart dc01.corp.example (loads=PCNSFLT)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "dc01.corp.example: domain_controller_restart dc01.corp.example"
      after_header: "dc01.corp.example: domain_controller_restart dc01.corp.example (restart)"
      before: |
        loaded: "no"
      after: |
        loads: "PCNSFLT"
        # implies: host restart
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
        - scope: dc01.corp.example
          resource: notification_package
          name: pcnsflt
          values:
            loaded: "yes"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.DOMAIN_CONTROLLER_RESTART,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("domain_controller_restart"))


if __name__ == "__main__":
    main()
