# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module rollout_lock; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_lock
short_description: Lets one rollout run at a time
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Takes, prolongs or frees a lock on a host that all control nodes work with, an SSO server for example, so that two
    rollouts never restart domain controllers at the same time.
  - A second run that finds the lock held fails with the name of the run that holds it, and until when.
  - The lock expires by itself. A lock whose run is dead is taken over at once from the control node where that run was,
    and from any other when it has expired.
options:
  state:
    description:
      - With the default V(held) the lock is this run's afterwards; one that it already has is prolonged in the second
        half of its time.
      - With V(free) this run does not hold it any more; somebody else's lock is left alone.
    type: str
    choices: [held, free]
    default: held
  minutes:
    description:
      - How long the lock lasts when it is not prolonged, by the clock of the host. More than the worst case of one
        domain controller, since it is prolonged between two of them. The default is two hours.
    type: int
    default: 120
  force:
    description:
      - Takes over, or frees, a lock that somebody else holds. Only when that run is known to be dead. By default it is
        left alone.
    type: bool
    default: false
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
notes:
  - The lock is a folder below C(C:\Program Files\entsso.password_sync), which only administrators may write to, made by
    C(mkdir) in the WinRS command shell, which succeeds for one run only, and a value in the registry that says who
    holds it. Both are read through WMI.
  - The account of the run must be an administrator of the host.
seealso:
  - module: entsso.password_sync.domain_controller_restart
"""

EXAMPLES = r"""
- name: Take the lock before the first domain controller is touched
  entsso.password_sync.rollout_lock:
  delegate_to: "{{ groups['sso_servers'] | first }}"
  run_once: true

- name: Give it back
  entsso.password_sync.rollout_lock:
    state: free
  delegate_to: "{{ groups['sso_servers'] | first }}"
  run_once: true
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
    - subject: sso01.corp.example
      resource: rollout_lock
      name: rollout
      operation: create
      old: {}
      new:
        number: 1
        owner: "deploy on control.corp.example (process 4711, 123456)"
        expires: "2026-11-22T14:00:00Z"
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
    - scope: sso01.corp.example
      resource: rollout_lock
      name: rollout
      observed:
        state: present
        number: 1
        owner: "deploy on control.corp.example (process 4711, 123456)"
        expires: "2026-11-22T14:00:00Z"
        ended: false
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: sso01.corp.example is as wanted.
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "sso01.corp.example: rollout_lock rollout"
      after_header: "sso01.corp.example: rollout_lock rollout (create)"
      before: ""
      after: |
        number: 1
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
        - scope: sso01.corp.example
          resource: rollout_lock
          name: rollout
          values:
            number: 1
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.ROLLOUT_LOCK,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("rollout_lock"))


if __name__ == "__main__":
    main()
