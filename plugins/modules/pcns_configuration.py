# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module pcns_configuration; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pcns_configuration
short_description: Manages the queue and retry settings of PCNS in a domain
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Sets how long, how many and how often domain controllers keep and retry password changes that could not be
    delivered. The settings are in the PCNS service object of the domain in Active Directory and hold for all its
    domain controllers.
  - PCNS needs this object. Without it the service stops with event 6000.
  - The ranges are those of Microsoft's help on C(pcnscfg); a value outside fails the task before the host is asked.
options:
  max_queue_length:
    description:
      - Number of password changes that a domain controller keeps, from 0 to 4294967295; V(0) is unlimited. When the
        queue is full, the oldest change is lost.
      - Without it, the setting is left alone. Where it was never set it is unlimited.
    type: int
  max_queue_age:
    description:
      - Seconds after which a change that could not be delivered is lost, from 0 to 4294967295; V(0) is unlimited, and
        then the queue grows on the disk of the domain controller for as long as a target does not answer.
      - Without it, the setting is left alone. Where it was never set it is 259200 seconds, which are three days.
    type: int
  max_notification_retries:
    description:
      - How often a delivery is tried again, from 0 to 1000; V(0) is unlimited.
      - Without it, the setting is left alone. Where it was never set it is unlimited.
    type: int
  retry_interval:
    description:
      - Seconds between two attempts, from 10 to 3600.
      - Without it, the setting is left alone. Where it was never set it is 60 seconds.
    type: int
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
  - entsso.password_sync.ldap.variables
  - entsso.password_sync.pcnscfg
notes:
  - All settings that are given are written together. Where no configuration exists, C(pcnscfg service) is run with
    what is given, even if that is nothing; that this creates the object is the reading of Microsoft's help that this
    module rests on.
  - The schema of the forest must have been extended for PCNS before, and the account must be allowed to write below
    C(CN=System) of the domain.
seealso:
  - module: entsso.password_sync.pcns_target
  - module: entsso.password_sync.pcns_service
"""

EXAMPLES = r"""
- name: Keep changes for ten days while a target is down
  entsso.password_sync.pcns_configuration:
    max_queue_length: 0
    max_queue_age: 864000
    max_notification_retries: 0
    retry_interval: 60
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
    - subject: corp.example
      resource: pcns_configuration
      name: service
      operation: update
      old:
        max_queue_age: 259200
      new:
        max_queue_age: 864000
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
    - scope: corp.example
      resource: pcns_configuration
      name: service
      observed:
        state: present
        max_queue_length: 0
        max_queue_age: 864000
        max_notification_retries: 0
        retry_interval: 60
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "dc01.corp.example changed: update pcns_configuration service (max_queue_age=864000)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "corp.example: pcns_configuration service"
      after_header: "corp.example: pcns_configuration service (update)"
      before: |
        max_queue_age: 259200
      after: |
        max_queue_age: 864000
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
        - scope: corp.example
          resource: pcns_configuration
          name: service
          values:
            max_queue_age: 864000

domain:
  description: DNS name of the domain whose configuration was looked at.
  returned: success
  type: str
  sample: corp.example
seen_by:
  description:
    - The domain controllers that were asked and have it as wanted; none in check mode and where the directory is not
      configured.
  returned: success
  type: list
  elements: str
  sample:
    - dc01.corp.example
    - dc02.corp.example
findings:
  description:
    - The control PCNS-006, judged on the domain. In check mode a change that a run would make is V(drift). With
      C(password_sync_observe_only) also PCNS-014, whether C(pcnscfg) and the directory agree, and every writable
      domain controller has the same configuration and targets.
    - RV(entsso.password_sync.pcns_info#module:findings) tells what a finding holds.
  returned: success
  type: list
  elements: dict
  sample:
    - control: PCNS-006
      title: PCNS configuration exists in the directory
      severity: high
      status: compliant
      subject: corp.example
      site: ""
      message: The PCNS configuration is as wanted.
      consequence: ""
      evidence: pcnscfg list
      observed_at: "2026-11-20T02:10:31Z"
      repair: ""
      restarts: 0
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.PCNS_CONFIGURATION,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("pcns_configuration"))


if __name__ == "__main__":
    main()
