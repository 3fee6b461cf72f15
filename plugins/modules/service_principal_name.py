# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module service_principal_name; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_principal_name
short_description: Manages service principal names of an account, unique in the forest
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Sees to it that an account has service principal names (SPNs), and that no other account of the forest has them. A
    domain controller sends password changes only to a server whose SPN is on exactly one account, the one that the
    service runs as; otherwise PCNS logs event 6025.
  - An SPN that another account has is never taken from it without O(force), and the accounts that have it are named.
  - Other SPNs of the account are never touched.
options:
  name:
    description:
      - The SPNs, for example V(ENTSSO/sso01.corp.example) and V(ENTSSO/sso01). Give the short and the full form when
        both are used. Their case does not count, and one that is there in another case is left as it is.
      - Which SPN PCNS needs for ENTSSO is not known from public sources. Microsoft documents C(ENTSSO/<name>) for
        ENTSSO with other software, and C(PCNSCLNT/<name>) is the custom with Microsoft Identity Manager. Find out on a
        test system, and give the same name in O(entsso.password_sync.pcns_target#module:service_principal_name).
    type: list
    elements: str
    required: true
  account:
    description:
      - The account that the service runs as, a user, a computer or a (group) managed service account. It is a
        distinguished name, C(DOMAIN\name) as Windows shows it for a service, C(name@domain), or a C(sAMAccountName) in
        O(domain). The names of computers and managed service accounts end with a dollar sign.
      - For a service that runs as LocalSystem or NetworkService, this is the account of its computer.
    type: str
    required: true
  state:
    description:
      - The default V(present) gives the account the SPNs.
      - V(absent) takes them from this account, and from no other.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - Whether an SPN may be taken from other accounts. It is removed there first, and then added here; if that is
        refused, it is given back.
      - With the default V(false) the task fails when another account has it.
    type: bool
    default: false
  replication_servers:
    description:
      - Names of the domain controllers, of the domain of the account, that must have the SPNs before the task ends.
      - The default is every writable domain controller of that domain whose account is enabled.
    type: list
    elements: str
    default: []
  replication_timeout:
    description:
      - Seconds to wait for them altogether. One that does not have the SPNs by then, or can't be asked, is named and
        fails the task; what was written stays.
      - The default is two minutes. Between sites replication may take hours, as its schedule says. V(0) does not ask
        them at all.
    type: float
    default: 120.0
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.directory_resource
  - entsso.password_sync.ldap
  - entsso.password_sync.ldap.variables
notes:
  - Reading needs any account of the forest. Writing needs the right C(Write servicePrincipalName) on the account, which
    administrators of its domain have. C(Validated write to service principal name) is enough only for a computer or
    managed service account and its own host names. With O(force) it is needed on the other accounts too.
  - Every domain of the forest is searched, at a domain controller of its own, or where none can be asked at the global
    catalog of the one that is asked first. What can't be searched fails the task.
  - C(HOST/<name>) stands for many other service classes on Windows, which are in C(sPNMappings) of the forest. Such an
    SPN does not count as a duplicate. A domain controller refuses one all the same unless an administrator writes it,
    and the account that has the C(HOST) name is then named.
  - With O(state=absent) only the domain of the account is looked at.
  - In a run that changes nothing the domain controllers are asked too.
seealso:
  - module: entsso.password_sync.pcns_target
  - module: entsso.password_sync.domain_controller_info
  - name: Uniqueness constraints
    description: What a domain controller refuses (MS-ADTS 3.1.1.5.1.3).
    link: https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-adts/3c154285-454c-4353-9a99-fb586e806944
"""

EXAMPLES = r"""
- name: Register both forms on the service account with the ticket of the user who runs Ansible
  entsso.password_sync.service_principal_name:
    domain: corp.example
    name:
      - ENTSSO/sso01.corp.example
      - ENTSSO/sso01
    account: CORP\svc-sso
  delegate_to: localhost
  run_once: true

- name: Move an SPN to a managed service account, and wait for two domain controllers only
  entsso.password_sync.service_principal_name:
    server: dc01.corp.example
    username: CORP\adm-spn
    password: "{{ vault_spn_password }}"
    name: PCNSCLNT/sso01.corp.example
    account: svc-sso$
    force: true
    replication_servers:
      - dc01.corp.example
      - dc02.corp.example

- name: Remove what a decommissioned server left
  entsso.password_sync.service_principal_name:
    domain: corp.example
    name:
      - ENTSSO/sso00.corp.example
      - ENTSSO/sso00
    account: CN=svc-sso,OU=Services,DC=corp,DC=example
    state: absent
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
      resource: service_principal_name
      name: ENTSSO/sso01.corp.example
      operation: create
      old: {}
      new:
        accounts:
          - CN=svc-sso,OU=Services,DC=corp,DC=example
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
      resource: service_principal_name
      name: entsso/sso01.corp.example
      observed:
        state: present
        accounts:
          - CN=svc-sso,OU=Services,DC=corp,DC=example
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "localhost is as wanted."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "corp.example: service_principal_name ENTSSO/sso01"
      after_header: "corp.example: service_principal_name ENTSSO/sso01 (create)"
      before: ""
      after: |
        accounts: ["CN=svc-sso,OU=Services,DC=corp,DC=example"]
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
          resource: service_principal_name
          name: entsso/sso01
          values:
            accounts:
              - CN=svc-sso,OU=Services,DC=corp,DC=example
account:
  description: Distinguished name of the account.
  returned: success
  type: str
  sample: CN=svc-sso,OU=Services,DC=corp,DC=example
domain:
  description: DNS name of the domain that the account is in.
  returned: success
  type: str
  sample: corp.example
forest:
  description: DNS name of the forest.
  returned: success
  type: str
  sample: corp.example
findings:
  description:
    - The control PCNS-012, judged for each of O(name) that the account is to have. With O(force) in check mode, names
      that others have are V(manual) and not an error.
    - RV(entsso.password_sync.pcns_info#module:findings) tells what a finding holds.
  returned: success
  type: list
  elements: dict
  sample:
    - control: PCNS-012
      title: "SPN of a PCNS target is on the service's account and on no other: ENTSSO/sso01.corp.example"
      severity: high
      status: compliant
      subject: corp.example
      site: ""
      message: CN=svc-sso,OU=Services,DC=corp,DC=example alone has the SPN ENTSSO/sso01.corp.example.
      consequence: ""
      evidence: directory
      observed_at: "2026-11-20T02:10:31Z"
      repair: ""
      restarts: 0
seen_by:
  description: The domain controllers that were asked and have it as wanted; none in check mode.
  returned: success
  type: list
  elements: str
  sample:
    - dc01.corp.example
    - dc02.corp.example
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.SERVICE_PRINCIPAL_NAME,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("service_principal_name"))


if __name__ == "__main__":
    main()
