# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module pcns_queue; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pcns_queue
short_description: Tells whether password changes wait on a domain controller
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Each domain controller keeps the password changes that could not be delivered yet in a queue of its own. A target
    that is disabled or deleted loses them. This module tells what is known of the queue of one domain controller; give
    what it returns on all of them to M(entsso.password_sync.pcns_target).
  - The queue can be read by LocalSystem alone, so the events of the service have to tell. When the service starts, it
    logs how many changes it found (events 2003 and 2004). After that trouble is logged always, and success only at a
    higher event log level.
  - It is proved that nothing waits where the service has just been started with an empty queue (O(restart_service)),
    where it was started so and everything since is logged (event log level 3) and was delivered, or where PCNS is not
    installed. Everything else is not proved.
options:
  targets:
    description:
      - Friendly names of the targets.
    type: list
    elements: str
    required: true
  restart_service:
    description:
      - Whether the service may be restarted where its events prove nothing, so that it tells what it finds.
      - The service is down for that moment, and what happens to a password that is changed meanwhile is not known from
        public sources.
      - The default is V(false).
    type: bool
    default: false
  deadline:
    description:
      - Seconds for the service to stop, to start, and to tell. The default is two minutes.
    type: int
    default: 120
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing the host.
    support: full
    details: The service is not restarted, and RV(queues[].waiting) is then V(after_restart).
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: none
  platform:
    description: Platforms of the hosts that can be observed.
    support: full
    platforms: windows
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
notes:
  - Events are read from the start of Windows on, through WS-Eventing. Without O(restart_service) nothing is changed.
  - A password that is changed after the proof is delivered at once while the server of the target answers.
seealso:
  - module: entsso.password_sync.pcns_target
  - module: entsso.password_sync.pcns_service
"""

EXAMPLES = r"""
- name: Ask every domain controller what waits for a target
  entsso.password_sync.pcns_queue:
    targets:
      - ENTSSO
    restart_service: true
  register: pcns_queue

- name: Disable the target where nothing waits for it
  entsso.password_sync.pcns_target:
    name: ENTSSO
    enabled: false
    queues: "{{ ansible_play_hosts | map('extract', hostvars, ['pcns_queue', 'queues']) | flatten }}"
  run_once: true
"""

RETURN = r"""
queues:
  description: What is known, one item for each of O(targets).
  returned: success
  type: list
  elements: dict
  contains:
    target:
      description: Friendly name of the target.
      type: str
      sample: ENTSSO
    server:
      description: Full name of the domain controller in lower case.
      type: str
      sample: dc01.corp.example
    waiting:
      description:
        - V(none) where it is proved that nothing waits, V(some) where changes wait, V(unknown) where it is not known,
          and in check mode V(after_restart) where the restart of the service would tell.
      type: str
      sample: none
    evidence:
      description: What that rests on.
      type: str
      sample: the queue was empty when the service started (event 2004 of 2026-11-20T02:10:31Z), which was just now
    observed_at:
      description: When, by the clock of the domain controller; UTC.
      type: str
      sample: "2026-11-20T02:10:31Z"
msg:
  description: The same for people, or why it could not be found out.
  returned: always
  type: str
  sample: "ENTSSO: no change waits (PCNS is not installed there)"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.PCNS_QUEUE,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("pcns_queue"))


if __name__ == "__main__":
    main()
