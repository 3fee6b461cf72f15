# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module pcns_schema; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pcns_schema
short_description: Gives the schema of a forest the classes and attributes of PCNS
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - PCNS keeps its configuration and its targets in Active Directory, as objects of two classes of its own. The schema
    of the forest must have them before the package can be installed on any domain controller.
  - Reads over LDAP what the schema master has, by OID, and whether every writable domain controller of the forest has
    it already. Two classes and twelve attributes have public OIDs and are wanted. What else is there under a name of
    PCNS is listed and never wanted, since no public source tells what it is.
  - Extends the schema with the PCNS package itself, in its schema-only mode (C(SCHEMAONLY=TRUE)), and only on the
    schema master. Nothing else of the package is installed. This is done once for a forest, and what is added stays for
    good; Active Directory has no way to remove it.
  - On another domain controller the task fails where something is missing, and names the schema master and the command.
options:
  path:
    description:
      - The MSI file of PCNS. A relative path is looked for as Ansible looks for files. With O(remote_src=true) it is an
        absolute path on the host, or a UNC path; an C(https) URL is fetched by the host itself. See
        O(entsso.password_sync.msi_package#module:path).
      - Without it, the schema is looked at, and a task that would have to extend it fails.
    type: str
  sha256:
    description:
      - SHA-256 of the file, in hexadecimal digits. It is compared on the control node, and again on the host before
        anything is executed.
      - Required together with O(path).
    type: str
  remote_src:
    description:
      - Whether the file is already on the host.
      - With the default V(false) the control node reads it, and pushes it only when the schema is extended.
    type: bool
    default: false
  properties:
    description:
      - Public properties of the MSI, such as C(ACCEPT_EULA). C(SCHEMAONLY) is added.
      - The default is to set none. The values stand on a command line and in the log, so never put a secret here.
    type: dict
    default: {}
  complete_partial:
    description:
      - Whether a schema that has some of the classes and attributes and lacks others is completed, by running the
        schema-only mode again.
      - With the default V(false) the task fails and names what is missing, since somebody should first find out why.
        What the package does with such a schema is not known from public sources; what is there afterwards is looked
        at, and what is still missing fails the task.
      - A domain controller that lacks what the schema master has is no such case. It is behind, and is waited for.
    type: bool
    default: false
  replication_servers:
    description:
      - Names of the domain controllers that must have the schema before the task ends.
      - The default is every writable domain controller of the forest whose account is enabled.
    type: list
    elements: str
    default: []
  replication_timeout:
    description:
      - Seconds to wait for them altogether. One that does not have the schema by then, or can't be asked, is named and
        fails the task; what was written stays. In a run that writes nothing, one that can't be asked is a warning.
      - The default is two minutes. Between sites replication may take hours, as its schedule says. V(0) does not ask
        them at all.
    type: float
    default: 120.0
  deadline:
    description:
      - Seconds to wait for C(msiexec) to end. The default is two hours.
      - The installation is never cut short. When the time is over the task fails and says that it still runs; the next
        run looks first.
    type: int
    default: 7200
  busy_wait:
    description:
      - Seconds to wait for another installation on the host to end (1618).
      - The default is fifteen minutes.
    type: int
    default: 900
  busy_interval:
    description:
      - Seconds between two attempts while another installation is in progress.
      - The default is 15 seconds.
    type: float
    default: 15.0
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.ldap.variables
  - entsso.password_sync.transfer
notes:
  - The directory must be configured (C(password_sync_ldap_domain) or C(password_sync_ldap_server)). A check without it
    reports C(PCNS-010) as unknown.
  - Reading needs any account of the forest. Extending needs an account of the connection that is in both Schema Admins
    and Domain Admins. When the directory says that it is not, nothing is run, and the group that it lacks is named.
    Where the directory does not say, the package decides.
  - C(msiexec) runs with the network logon of the connection. Whether the package's schema-only mode works with such a
    logon is not known from public sources; where it does not, run the command on the schema master by hand, and this
    module sees it.
  - Take a system state backup of the schema master first.
seealso:
  - module: entsso.password_sync.msi_package
  - module: entsso.password_sync.domain_controller_info
  - name: Deploying the MIM Password Change Notification Service on a domain controller
    description: Microsoft on the schema and the package.
    link: https://learn.microsoft.com/en-us/microsoft-identity-manager/deploying-mim-password-change-notification-service-on-domain-controller
"""

EXAMPLES = r"""
- name: Extend the schema, on the schema master
  entsso.password_sync.pcns_schema:
    path: Password Change Notification Service.msi
    sha256: 4A7C1F0F6B4C6E0F2B6D1B1C7D7A8C95E6E4F1D2A3B4C5D6E7F8091A2B3C4D5E
    properties:
      ACCEPT_EULA: "1"

- name: Only look, and do not ask every domain controller of the forest
  entsso.password_sync.pcns_schema:
    replication_timeout: 0
  check_mode: true
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
      resource: pcns_schema
      name: PCNS
      operation: create
      old: {}
      new:
        missing: []
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
      resource: pcns_schema
      name: pcns
      observed:
        state: present
        missing: []
        discovered:
          - MS-MIIS-PCNS-ServiceMaxNotificationRetries
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "dc01.corp.example is as wanted."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "corp.example: pcns_schema PCNS"
      after_header: "corp.example: pcns_schema PCNS (create)"
      before: ""
      after: |
        missing: []
ansible_facts:
  description: Host facts for later tasks of the same run.
  returned: in check mode
  type: dict
  contains:
    entsso_password_sync_planned:
      description:
        - What the changes of this run in check mode would leave behind so far, those of this task included.
        - Later tasks plan on it; it is of no use to anything else.
      type: list
      elements: dict
      sample:
        - scope: corp.example
          resource: pcns_schema
          name: pcns
          values:
            missing: []
forest:
  description: DNS name of the forest; that of the host's domain where the directory could not be read.
  returned: success
  type: str
  sample: corp.example
schema_master:
  description: Full name of the schema master; empty where it is not known.
  returned: success
  type: str
  sample: dc01.corp.example
state:
  description:
    - What the schema master has after the task, in check mode before it. It is V(present), V(absent), V(partial) or
      V(unknown).
  returned: success
  type: str
  sample: present
missing:
  description: Common names of wanted classes and attributes that a schema with a part of them lacks.
  returned: success
  type: list
  elements: str
  sample: []
discovered:
  description: Common names of what else the schema master has under a name of PCNS.
  returned: success
  type: list
  elements: str
  sample:
    - MS-MIIS-PCNS-ServiceMaxNotificationRetries
conflicts:
  description: What no package can mend, such as an OID that something else has, each as a clause.
  returned: success
  type: list
  elements: str
  sample: []
seen_by:
  description: The domain controllers that were asked and have all that the schema master has.
  returned: success
  type: list
  elements: str
  sample:
    - dc01.corp.example
    - dc02.corp.example
not_seen_by:
  description: The domain controllers that were asked and are behind; only in check mode, since a run waits for them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Full name.
      type: str
      sample: dc03.corp.example
    missing:
      description: What it lacks, by common name.
      type: list
      elements: str
      sample:
        - MS-MIIS-PCNS-Target
  sample: []
not_asked:
  description: The domain controllers that could not be asked, and domains whose domain controllers could not be listed.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Full name of the domain controller, or DNS name of the domain.
      type: str
      sample: dc04.corp.example
    reason:
      description: Why, and what to do.
      type: str
      sample: "LDAP on dc04.corp.example: the connection was refused. Check that it runs."
  sample: []
findings:
  description:
    - The control C(PCNS-010), judged on the forest and on each domain controller that is behind or could not be asked.
    - RV(entsso.password_sync.pcns_info#module:findings) tells what a finding holds.
  returned: success
  type: list
  elements: dict
  sample:
    - control: PCNS-010
      title: The schema has PCNS, on every domain controller
      severity: high
      status: compliant
      subject: corp.example
      site: ""
      message: The schema has the classes and attributes of PCNS.
      consequence: ""
      evidence: directory
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
        argument_spec=_arguments.PCNS_SCHEMA,
        supports_check_mode=True,
        required_together=_arguments.PACKAGE_REQUIRED_TOGETHER,
    )
    module.fail_json(msg=started_as_module("pcns_schema"))


if __name__ == "__main__":
    main()
