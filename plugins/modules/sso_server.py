# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module sso_server; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sso_server
short_description: Manages the password synchronization switches of an SSO server
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Sets whether an SSO server accepts password changes from domain controllers (PCNS), and how old a change may be.
    Both belong to this one server; the switches of the SSO system and of the adapters must be on as well.
  - For C(allow_pcns) there is no documented way to read it back. What this collection sets is written once and
    remembered with value and time on the host. From then on the newest evidence decides. Event 10662 (a change was
    received) proves that the switch is on, event 11069 (a change was refused) that it is off, as far as they are
    newer than the last start of Windows and than what was remembered.
  - What was set and is not proved yet is not written again at each run. M(entsso.password_sync.sso_info) reports it
    as unknown until evidence comes, never as compliant.
options:
  allow_pcns:
    description:
      - Whether password changes from PCNS are accepted. Until it is set, ENTSSO refuses every change (event 11069).
      - V(true) is documented (C(ssoconfig -allowPS PCNS yes)). That C(no) is what V(false) needs is likely and not
        documented.
      - Without it, the switch is left alone.
    type: bool
  password_sync_age:
    description:
      - Hours after which a password change is too old and is discarded (event 10712).
      - It is read with C(ssoconfig -syncage), of which Microsoft says that it displays or changes the value and not
        how. The output counts when it holds exactly one whole number; otherwise what was remembered counts.
      - Without it, the age is left alone. Its default in ENTSSO is not published.
    type: int
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.sso_server
  - entsso.password_sync.connection.markers
  - entsso.password_sync.installation_directory
notes:
  - To observe O(allow_pcns), nothing is started on the host. To observe O(password_sync_age), C(ssoconfig -syncage)
    is run. To change, C(ssoconfig) is run with the value.
  - The switches of the SSO system (C(ssomanage -enable winsync)) are not managed by this module.
seealso:
  - module: entsso.password_sync.sso_feature
  - module: entsso.password_sync.sso_info
  - module: entsso.password_sync.pcns_target
  - name: How to Configure Password Synchronization
    description: Microsoft on ssoconfig.
    link: https://learn.microsoft.com/en-us/biztalk/core/how-to-configure-password-synchronization
"""

EXAMPLES = r"""
- name: Accept password changes from domain controllers, as long as they are not older than three days
  entsso.password_sync.sso_server:
    allow_pcns: true
    password_sync_age: 72
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
      resource: sso_server
      name: password sync
      operation: update
      old:
        allow_pcns: null
      new:
        allow_pcns: true
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
      resource: sso_server
      name: password sync
      observed:
        state: present
        allow_pcns: true
        password_sync_age: 72
        allow_pcns_proved: false
        allow_pcns_evidence: set by us on 2026-11-20 02:10Z, no evidence yet
        password_sync_age_proved: true
        password_sync_age_evidence: ssoconfig -syncage
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "sso01.corp.example changed: update sso_server password sync (allow_pcns=true)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "sso01.corp.example: sso_server password sync"
      after_header: "sso01.corp.example: sso_server password sync (update)"
      before: |
        allow_pcns: null
      after: |
        allow_pcns: true
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
          resource: sso_server
          name: password sync
          values:
            allow_pcns: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.SSO_SERVER,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("sso_server"))


if __name__ == "__main__":
    main()
