# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module pcns_target; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pcns_target
short_description: Manages a PCNS target of a domain
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Defines where the domain controllers of a domain send password changes. The target is an object in Active
    Directory and holds for all domain controllers of the domain.
  - Targets that are not named are never touched; Windows Server Essentials keeps targets in the same container.
  - A new target is created disabled unless O(enabled=true), since an enabled target makes every domain controller
    that already has the capture component queue and send at once. Enable it when every domain controller works.
options:
  name:
    description:
      - Friendly name of the target, unique in the domain.
    type: str
    required: true
  state:
    description:
      - The default V(present) creates the target or brings it to the given settings.
      - V(absent) deletes it. This discards the changes that wait for it on every domain controller, so an enabled
        target needs O(queues) or O(discard_queue=true).
    type: str
    choices: [present, absent]
    default: present
  address:
    description:
      - Fully qualified name or address of the server that password changes are sent to, for ENTSSO the SSO server. An
        SSO server accepts changes only from the domain controllers of its own domain (event 10709). One that this run
        has observed (C(sso_info)) in another domain is refused.
      - What happens to the changes that wait when the address changes is not public, so an enabled target that moves
        needs O(queues) or O(discard_queue=true). It is disabled for that moment; changes made meanwhile are not
        queued. A second target that is enabled before the first is removed loses none.
      - Without it, the address is left alone; a new target needs it.
    type: str
  service_principal_name:
    description:
      - Service principal name that the domain controllers authenticate the server by. It must be registered on
        exactly one account, the one that the service runs as, with the fully qualified name of the server; otherwise
        PCNS logs event 6025.
      - Which name PCNS needs for ENTSSO is not known from public sources. Microsoft documents C(ENTSSO/<name>) for
        ENTSSO with other software, and C(PCNSCLNT/<name>) is the custom with Microsoft Identity Manager. Find out on
        a test system, register the name, and give exactly that name here.
      - Without it, the name is left alone; a new target needs it.
    type: str
  inclusion_group:
    description:
      - Only changes of members of this group are sent, for example V(CORP\\Domain Users). A name without a domain
        counts as the same group as the name with one. Which types of groups and which nesting PCNS takes is not known
        from public sources.
      - Where the directory is configured, a group that does not exist is refused before anything is written, and the
        name is written as the directory has it. A group that was deleted is written anew.
      - Without it, the group is left alone; a new target needs it.
    type: str
  exclusion_group:
    description:
      - Changes of members of this group are never sent, for example V(CORP\\Domain Admins). An empty string removes
        the group.
      - Without it, the group is left alone; a new target has none.
    type: str
  user_name_format:
    description:
      - How users are named to the server. V(nt4) is C(DOMAIN\user), the only form that ENTSSO takes (event 10750).
        V(fqdn) is what Microsoft Identity Manager uses.
      - Without it, the format is left alone; a new target gets V(nt4).
    type: str
    choices: [nt4, fqdn]
  keep_alive_interval:
    description:
      - Seconds between two signs of life to the server. Published examples have 15 and 600; the range is not known;
        only a negative number is refused here.
      - Without it, it is left alone; a new target gets the default of C(pcnscfg), which is not known from public
        sources.
    type: int
  queue_warning_level:
    description:
      - Number of waiting changes from which PCNS warns (event 4005). Published examples have 20 and 100; the range is
        not known.
      - Without it, it is left alone; a new target gets the default of C(pcnscfg), which is not known from public
        sources.
    type: int
  queue_warning_interval:
    description:
      - Minutes between two such warnings. Published examples have 30 and 60; the range is not known;
        only a negative number is refused here.
      - Without it, it is left alone; a new target gets the default of C(pcnscfg), which is not known from public
        sources.
    type: int
  enabled:
    description:
      - Whether password changes are queued for the target. V(false) discards the changes that wait for it, so an
        enabled target needs O(queues) or O(discard_queue=true).
      - With V(false) and no other setting, a target that does not exist is as wanted.
      - Without it, this is left alone; a new target is disabled.
    type: bool
  domain:
    description:
      - DNS name of the domain that the target belongs to. On a domain controller of another one the task fails.
      - Without it, the domain is that of the domain controller.
    type: str
  queues:
    description:
      - What RV(entsso.password_sync.pcns_queue#module:queues) says of every domain controller of the domain, one list
        for all.
      - An enabled target is disabled, deleted or moved only where it is proved on each of them that nothing waits for
        it, at most 30 minutes ago. Where the directory is configured, its writable domain controllers are the ones
        that count; else those that are named here, and a warning says so.
      - The default is an empty list, which proves nothing.
    type: list
    elements: dict
    default: []
  discard_queue:
    description:
      - Whether the changes that wait for the target may be lost. The default is V(false).
    type: bool
    default: false
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
  - entsso.password_sync.ldap.variables
  - entsso.password_sync.pcnscfg
  - entsso.password_sync.systems
notes:
  - Service principal names are the matter of M(entsso.password_sync.service_principal_name).
  - A domain has at most 50 targets; one more is refused.
  - C(addtarget) creates, C(modifytarget) changes settings, C(securetarget) groups, and C(enabletarget),
    C(disabletarget) and C(deletetarget) do what they are called.
seealso:
  - module: entsso.password_sync.pcns_configuration
  - module: entsso.password_sync.pcns_queue
  - module: entsso.password_sync.service_principal_name
  - module: entsso.password_sync.sso_server
  - name: Configuring ENTSSO for password synchronization with ILM
    description: Microsoft on the service principal name of ENTSSO, for other software than PCNS.
    link: https://learn.microsoft.com/en-us/host-integration-server/esso/how-to-configure-entsso-for-ilm-password-sync
"""

EXAMPLES = r"""
- name: Define the SSO server as target, disabled until every domain controller works
  entsso.password_sync.pcns_target:
    name: ENTSSO
    address: sso01.corp.example
    service_principal_name: ENTSSO/sso01.corp.example
    inclusion_group: CORP\Domain Users
    exclusion_group: CORP\Domain Admins
    user_name_format: nt4
    systems:
      - RACF
      - LDAP
  run_once: true

- name: Remove a target that nobody needs, once nothing waits for it
  entsso.password_sync.pcns_target:
    name: ENTSSO-old
    state: absent
    queues: "{{ ansible_play_hosts | map('extract', hostvars, ['pcns_queue', 'queues']) | flatten }}"
  run_once: true

- name: Go live
  entsso.password_sync.pcns_target:
    name: ENTSSO
    enabled: true
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
    - subject: corp.example
      resource: pcns_target
      name: ENTSSO
      operation: create
      old: {}
      new:
        address: sso01.corp.example
        service_principal_name: ENTSSO/sso01.corp.example
        inclusion_group: CORP\Domain Users
        user_name_format: 3
        enabled: false
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
      resource: pcns_target
      name: entsso
      observed:
        state: present
        address: sso01.corp.example
        service_principal_name: ENTSSO/sso01.corp.example
        inclusion_group: CORP\Domain Users
        exclusion_group: ""
        user_name_format: 3
        keep_alive_interval: 600
        queue_warning_level: 20
        queue_warning_interval: 60
        enabled: false
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "dc01.corp.example changed: update pcns_target ENTSSO (enabled=true)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "corp.example: pcns_target ENTSSO"
      after_header: "corp.example: pcns_target ENTSSO (update)"
      before: |
        enabled: false
      after: |
        enabled: true
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
          resource: pcns_target
          name: entsso
          values:
            enabled: true

domain:
  description: DNS name of the domain whose targets were looked at.
  returned: success
  type: str
  sample: corp.example
discards_queue:
  description: Whether a change that is still to be made discards what waits for the target; V(false) after a run.
  returned: success
  type: bool
  sample: false
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
    - The controls PCNS-007 (settings), PCNS-008 (enabled), PCNS-011 (groups exist) and PCNS-013 (the server is of the
      domain), judged on the domain. In check mode a change that a run would make is V(drift).
    - RV(entsso.password_sync.pcns_info#module:findings) tells what a finding holds.
  returned: success
  type: list
  elements: dict
  sample:
    - control: PCNS-008
      title: PCNS target is enabled
      severity: high
      status: drift
      subject: corp.example
      site: ""
      message: The target ENTSSO is disabled.
      consequence: >-
        While the target is disabled nothing is queued for it: password changes made in this domain never reach
        RACF and LDAP; those users must change again.
      evidence: pcnscfg list
      observed_at: "2026-11-20T02:10:31Z"
      repair: ansible-playbook playbooks/go_live.yml
      restarts: 0
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.PCNS_TARGET,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("pcns_target"))


if __name__ == "__main__":
    main()
