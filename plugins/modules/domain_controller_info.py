# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module domain_controller_info; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_controller_info
short_description: Finds every domain controller of a domain or forest in its directory
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Reads from Active Directory which domain controllers there are, with site, Windows, roles, and whether they are
    writable. A domain controller that the inventory does not have loses the password changes that are made on it, so
    compare the two.
  - Read-only domain controllers are found too, which the filter on C(userAccountControl) bit 8192 alone does not do.
  - Objects that stand for a domain controller and are none are in RV(leftovers).
  - Nothing is changed, and nothing runs on a domain controller.
options:
  forest:
    description:
      - Whether the domain controllers of all domains of the forest are wanted.
      - Each domain is asked at a domain controller of its own, with the same account. What only a domain itself says
        is null when it can't be read, and RV(unread) has the reason.
      - The default V(false) is for one domain alone, which must be readable then.
    type: bool
    default: false
  probe:
    description:
      - Whether each domain controller is to be asked whether it is up. M(entsso.password_sync.rollout_plan) needs that
        for those that a run does not look at, for example with C(--limit).
      - Each is asked for its rootDSE over LDAP without logging on, many at the same time. To find its address, to
        connect and to answer may take O(connection_timeout) each. All must listen at O(port), if that is given.
      - The default V(false) asks none but those that the directory is read from.
    type: bool
    default: false
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.directory
  - entsso.password_sync.ldap
  - entsso.password_sync.ldap.variables
notes:
  - These questions are asked. The rootDSE; the C(crossRef) objects below C(CN=Partitions); the objects of the classes
    C(server) and C(nTDSDSA) below C(CN=Sites); C(fSMORoleOwner) of the schema, of C(CN=Partitions), and for each
    domain of its own object, its RID manager and its infrastructure object; and the computer accounts of domain
    controllers of each domain.
seealso:
  - module: entsso.password_sync.pcns_info
  - name: microsoft.ad.ldap
    description: An inventory plugin that reads hosts from Active Directory.
    link: https://docs.ansible.com/ansible/latest/collections/microsoft/ad/ldap_inventory.html
"""

EXAMPLES = r"""
- name: Find every domain controller with the ticket of the user who runs Ansible
  entsso.password_sync.domain_controller_info:
    domain: corp.example
  delegate_to: localhost
  run_once: true
  register: directory

- name: Name those that the inventory does not have
  ansible.builtin.debug:
    msg: >-
      {{ directory.domain_controllers | map(attribute='dns_name')
      | difference(groups['domain_controllers'] | map('lower')) }}
  run_once: true

- name: Read all domains of the forest with an account, sealed by NTLM
  entsso.password_sync.domain_controller_info:
    server: dc01.corp.example
    forest: true
    auth_protocol: ntlm
    username: CORP\svc-read
    password: "{{ vault_read_password }}"

- name: Read over LDAPS
  entsso.password_sync.domain_controller_info:
    server: dc01.corp.example
    auth_protocol: simple
    tls_mode: ldaps
    ca_cert: /etc/pki/corp-ca.pem
    username: svc-read@corp.example
    password: "{{ vault_read_password }}"
"""

RETURN = r"""
domain_controllers:
  description:
    - The domain controllers, by domain and name. What is null could not be read, see RV(unread).
  returned: success
  type: list
  elements: dict
  contains:
    dns_name:
      description: Full name in lower case.
      type: str
      sample: dc01.corp.example
    netbios_name:
      description: Name of its account without the dollar sign.
      type: str
      sample: DC01
    domain:
      description: DNS name of its domain.
      type: str
      sample: corp.example
    netbios_domain:
      description: NetBIOS name of its domain.
      type: str
      sample: CORP
    site:
      description: Its site.
      type: str
      sample: Paris
    read_only:
      description: Whether it is a read-only domain controller.
      type: bool
      sample: false
    global_catalog:
      description: Whether it is a global catalog.
      type: bool
      sample: true
    roles:
      description:
        - The roles that it holds alone. V(schema_master) and V(domain_naming_master) are of the forest,
          V(pdc_emulator), V(rid_master) and V(infrastructure_master) of its domain.
      type: list
      elements: str
      sample:
        - pdc_emulator
    promoted_at:
      description: When it became a domain controller, UTC; C(whenCreated) of its C(nTDSDSA) object.
      type: str
      sample: "2026-11-19T22:01:44Z"
    operating_system:
      description: Product name of its operating system; empty when the directory has none.
      type: str
      sample: Windows Server 2022 Standard
    operating_system_version:
      description: Its version.
      type: str
      sample: 10.0 (20348)
    enabled:
      description: Whether its account is enabled.
      type: bool
      sample: true
    distinguished_name:
      description: Its computer object.
      type: str
      sample: CN=DC01,OU=Domain Controllers,DC=corp,DC=example
    in_default_container:
      description: Whether its computer object is in the container Domain Controllers.
      type: bool
      sample: true
    problems:
      description: What the directory says of it that contradicts itself, sentences.
      type: list
      elements: str
      sample: []
    available:
      description:
        - Whether it answered over LDAP as itself, and did not say that it is not synchronized. Nothing proves who
          answered, unless O(tls_mode) is given.
      returned: with O(probe=true)
      type: bool
      sample: true
    synchronized:
      description: Whether it says that its directory is synchronized; null when it did not say.
      returned: with O(probe=true)
      type: bool
      sample: true
    unavailable_reason:
      description: Why it is not available; empty when it is.
      returned: with O(probe=true)
      type: str
      sample: ""
leftovers:
  description: Objects that stand for a domain controller and are none.
  returned: success
  type: list
  elements: dict
  contains:
    distinguished_name:
      description: The object.
      type: str
      sample: CN=DC09,CN=Servers,CN=Lyon,CN=Sites,CN=Configuration,DC=corp,DC=example
    name:
      description: Its name.
      type: str
      sample: DC09
    domain:
      description: DNS name of its domain; empty when nothing tells.
      type: str
      sample: corp.example
    site:
      description: Its site; empty for a computer.
      type: str
      sample: Lyon
    kind:
      description:
        - V(no_ntds_settings) is a server without directory service, as a demotion leaves it. V(no_computer) is a
          directory service without a computer account. V(no_server) is the account of a domain controller without a
          server in any site.
      type: str
      sample: no_ntds_settings
    created_at:
      description: When it was made, UTC.
      type: str
      sample: "2024-03-02T09:11:00Z"
    message:
      description: What it is and what to do.
      type: str
      sample: >-
        CN=DC09,CN=Servers,CN=Lyon,CN=Sites,CN=Configuration,DC=corp,DC=example has no NTDS Settings: a demoted domain
        controller, or an object of another service. Delete it once nothing else is below it.
domains:
  description: The domains that were looked for, those of the whole forest with O(forest).
  returned: success
  type: list
  elements: dict
  contains:
    dns_name:
      description: DNS name in lower case.
      type: str
      sample: corp.example
    netbios_name:
      description: NetBIOS name.
      type: str
      sample: CORP
    distinguished_name:
      description: Distinguished name.
      type: str
      sample: DC=corp,DC=example
vacant_roles:
  description: Roles that no domain controller holds, sentences.
  returned: success
  type: list
  elements: str
  sample: []
unread:
  description: By DNS name of a domain, why what is in it could not be read. Only with O(forest).
  returned: success
  type: dict
  sample: {}
asked:
  description: The domain controllers that answered.
  returned: success
  type: list
  elements: str
  sample:
    - dc01.corp.example
authentication:
  description: The protocol that was used to log on.
  returned: success
  type: str
  sample: kerberos
msg:
  description: How many there are, in one line.
  returned: always
  type: str
  sample: "Domain controllers of corp.example: 5 writable, 1 read-only."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.DOMAIN_CONTROLLER_INFO,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("domain_controller_info"))


if __name__ == "__main__":
    main()
