# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module pcns_service; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pcns_service
short_description: Manages the Password Change Notification Service on a domain controller
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Starts or stops the Password Change Notification Service (PCNS) on a domain controller, sets how it starts and how
    much it logs. The package installs the service; this module never does.
  - A service that runs does not prove that password changes are captured. That is the work of the capture component,
    which LSA loads only when Windows starts; see M(entsso.password_sync.notification_package).
options:
  name:
    description:
      - Name of the service.
      - The default is the name in every source but one; a support text of Microsoft for MIM 2016 SP3 has C(FIMPCNS).
    type: str
    default: PCNSSVC
  state:
    description:
      - The default V(running) starts the service, V(stopped) stops it.
      - PCNS stops by itself, with event 6000, as long as the domain has no PCNS configuration.
    type: str
    choices: [running, stopped]
    default: running
  start_mode:
    description:
      - When Windows starts the service. The default V(auto) is what the package sets up.
    type: str
    choices: [auto, manual, disabled]
    default: auto
  event_log_level:
    description:
      - How much PCNS writes to the Application log, from V(0) (minimal) through V(1) (normal) and V(2) (high) to V(3)
        (verbose). A running service is restarted for a new level.
      - Without it, the level is left alone. A level that was never set counts as V(1).
      - Events 2100 (delivered) and 2201 (received from the filter) probably need V(2) or more; this is not certain.
        Put the level back after a rollout.
    type: int
    choices: [0, 1, 2, 3]
  deadline:
    description:
      - Seconds to wait for each start and stop. The default is two minutes.
    type: int
    default: 120
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
notes:
  - No program is started on the host; the service is read and changed through WMI, the level through WMI in the
    registry.
  - The account of the service (LocalSystem) is observed and not managed.
seealso:
  - module: entsso.password_sync.msi_package
  - module: entsso.password_sync.pcns_configuration
  - module: entsso.password_sync.pcns_info
"""

EXAMPLES = r"""
- name: Make sure that PCNS runs and starts automatically
  entsso.password_sync.pcns_service:

- name: Let PCNS tell more during a rollout
  entsso.password_sync.pcns_service:
    event_log_level: 2

- name: Stop PCNS before its package is upgraded
  entsso.password_sync.pcns_service:
    state: stopped
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
      resource: pcns_service
      name: PCNSSVC
      operation: update
      old:
        state: stopped
      new:
        state: running
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
    - scope: dc01.corp.example
      resource: pcns_service
      name: pcnssvc
      observed:
        state: running
        start_mode: auto
        event_log_level: null
        account: LocalSystem
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "dc01.corp.example changed: update pcns_service PCNSSVC (state=running)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "dc01.corp.example: pcns_service PCNSSVC"
      after_header: "dc01.corp.example: pcns_service PCNSSVC (update)"
      before: |
        state: "stopped"
      after: |
        state: "running"
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
          resource: pcns_service
          name: pcnssvc
          values:
            state: running
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.PCNS_SERVICE_ARGUMENTS,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("pcns_service"))


if __name__ == "__main__":
    main()
