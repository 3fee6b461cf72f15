# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module sso_adapter; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sso_adapter
short_description: Manages a password synchronization adapter in the SSO system
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Creates a password synchronization adapter from its definition, enables or disables it, and assigns applications
    to it.
  - No sample, schema or fragment of the definition file is public. Microsoft documents the names of its flags and a
    few values only. This module therefore makes no file. You give a finished one, for example from the vendor of the
    adapter or made after C(Createadapter_LoopbackAdapter.xml) of the ENTSSO SDK, or the output of a template of
    yours.
  - The definition is checked on the control node before anything is sent. It must be well-formed XML without a
    document type, have the name of the adapter as a value, V(yes) or V(no) in every documented flag, a fully
    qualified name in C(computer) and a group as C(DOMAIN\\group) in C(appUserAccount). More can't be checked, since
    more is not documented.
  - Adapters that are not named are never touched. Deletion, adapter groups and the properties of adapters are not
    there yet.
options:
  name:
    description:
      - Name of the adapter.
    type: str
    required: true
  definition:
    description:
      - Content of the definition file for C(ssops -create) and C(ssops -update), for example from the lookup
        P(ansible.builtin.file#lookup) or P(ansible.builtin.template#lookup).
      - ENTSSO can't give a definition back. The SHA-256 of what was last given to C(ssops) is remembered on the host,
        and another definition is a change. An adapter that was made by hand is therefore updated once.
      - C(ssops -update) changes settings and flags, not the properties of the adapter.
      - Without it, the definition is left alone; a new adapter needs it.
    type: str
  enabled:
    description:
      - Whether the adapter gets password changes. The switch of the SSO system must be on as well.
      - Without it, this is left alone. ENTSSO creates adapters disabled, and a new adapter stays so.
    type: bool
  applications:
    description:
      - Affiliate applications that the adapter must serve. They must exist. Others that it serves are left alone.
      - An application belongs to at most one adapter.
      - The default is an empty list, which assigns none and takes none away.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.sso_server
  - entsso.password_sync.connection.markers
  - entsso.password_sync.installation_directory
notes:
  - To observe, C(ssops -list) is run on the SSO server, and with O(applications), or when the list does
    not name the adapter, also C(ssops -display). Only that
    the list marks adapters with C((E)) or C((D)) is documented; output that can't be understood, or a name that was
    cut off, fails the task.
  - To write, the definition is pushed into a folder of its own (with C(findstr) and C(certutil)), C(ssops) is run,
    and folder and file are removed.
  - Where C(ssops) does not exist the task fails, unless an earlier task of a check mode run would install the
    feature.
  - The definition is not a place for passwords. It is not hidden in the log of Ansible, since O(definition) can be as
    long as a file; set C(no_log) on the task if yours must not be seen.
seealso:
  - module: entsso.password_sync.sso_feature
  - module: entsso.password_sync.sso_application
  - name: How to Administer Password Synchronization
    description: Microsoft on ssops and the flags of an adapter.
    link: https://learn.microsoft.com/en-us/biztalk/core/how-to-administer-password-synchronization
"""

EXAMPLES = r"""
- name: Create and enable the adapter for RACF from a template of yours
  entsso.password_sync.sso_adapter:
    name: RACF Adapter
    definition: "{{ lookup('ansible.builtin.template', 'racf_adapter.xml.j2') }}"
    applications:
      - RACF
    enabled: true

- name: Stop sending to LDAP while it is being serviced
  entsso.password_sync.sso_adapter:
    name: LDAP Adapter
    enabled: false
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
      resource: sso_adapter
      name: RACF Adapter
      operation: create
      old: {}
      new:
        definition: 5F70BF18A086007016E948B04AED3B82103A36BEA41755B6CDDFAF10ACE3C6EF
        applications:
          - RACF
        enabled: true
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
      resource: sso_adapter
      name: racf adapter
      observed:
        state: present
        enabled: true
        applications:
          - RACF
        definition: 5F70BF18A086007016E948B04AED3B82103A36BEA41755B6CDDFAF10ACE3C6EF
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "sso01.corp.example changed: update sso_adapter LDAP Adapter (enabled=false)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "sso01.corp.example: sso_adapter LDAP Adapter"
      after_header: "sso01.corp.example: sso_adapter LDAP Adapter (update)"
      before: |
        enabled: true
      after: |
        enabled: false
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
          resource: sso_adapter
          name: ldap adapter
          values:
            enabled: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.SSO_ADAPTER,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("sso_adapter"))


if __name__ == "__main__":
    main()
