# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory of every domain controller, from the directory."""

# The methods of Ansible's base classes are not annotated.
# mypy: disallow-untyped-calls=False
from __future__ import annotations

DOCUMENTATION = r"""
name: domain_controllers
short_description: Every domain controller of a domain or forest, from its directory
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Makes the inventory of the domain controllers out of what M(entsso.password_sync.domain_controller_info) reads, so
    that none is forgotten and the read-only ones are known. Nothing runs on a domain controller.
  - Each host is called by its full name. C(pcns_site) is its site, and C(password_sync_domain_controller) what
    RV(entsso.password_sync.domain_controller_info#module:domain_controllers) tells of it.
  - The groups are C(domain_controllers); within it C(rodc), the read-only ones; C(site_<name>) for each site; and for
    the roles C(schema_master), C(domain_naming_master), C(pdc_emulator), C(rid_master), C(infrastructure_master) and
    C(global_catalog). What is not a letter, digit or underscore becomes an underscore in the name of a site's group.
  - What is left over of demoted domain controllers is no host. With C(-v) it is shown.
  - Nothing is cached, since an old answer would hide the domain controller that is new.
options:
  plugin:
    description: Name of this plugin, V(entsso.password_sync.domain_controllers).
    required: true
    choices: [entsso.password_sync.domain_controllers, domain_controllers]
    type: str
  forest:
    description:
      - Whether the domain controllers of all domains of the forest are wanted.
      - The default V(false) is for one domain alone.
    type: bool
    default: false
  username:
    description:
      - The account, as C(name@REALM), or C(DOMAIN\name) with NTLM. Any user of the domain may read.
      - Without it, the owner of the Kerberos ticket.
    type: str
    env:
      - name: PASSWORD_SYNC_LDAP_USERNAME
  password:
    description:
      - Its password, in the environment or encrypted with Ansible Vault (C(!vault)). It is tried once in a run.
      - Without it, a Kerberos ticket is used.
    type: str
    env:
      - name: PASSWORD_SYNC_LDAP_PASSWORD
extends_documentation_fragment:
  - ansible.builtin.constructed
  - entsso.password_sync.ldap
notes:
  - The configuration is a file whose name ends with C(domain_controllers.yml) or C(domain_controllers.yaml).
seealso:
  - module: entsso.password_sync.domain_controller_info
  - name: microsoft.ad.ldap
    description: An inventory plugin for any computer of a domain.
    link: https://docs.ansible.com/ansible/latest/collections/microsoft/ad/ldap_inventory.html
"""

EXAMPLES = r"""
# inventory/corp.domain_controllers.yml, with the Kerberos ticket of the user who runs Ansible
plugin: entsso.password_sync.domain_controllers
domain: corp.example

---
# With an account, whose name and password are in PASSWORD_SYNC_LDAP_USERNAME and PASSWORD_SYNC_LDAP_PASSWORD
plugin: entsso.password_sync.domain_controllers
domain: corp.example
auth_protocol: ntlm

---
# All domains of the forest, grouped by domain too; one domain controller is left out on purpose
plugin: entsso.password_sync.domain_controllers
domain: corp.example
forest: true
keyed_groups:
  - prefix: domain
    key: password_sync_domain_controller.netbios_domain
compose:
  pcns_exempt: "'is demoted in May' if inventory_hostname == 'dc09.corp.example' else ''"
"""

from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import DomainController
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import ldap_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller_info import (
    domain_controller_values,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._run_folder import run_folder
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_forest import (
    ForestRead,
    read_forest,
)

ALL = "domain_controllers"
READ_ONLY = "rodc"
GLOBAL_CATALOG = "global_catalog"
ENDINGS = ("domain_controllers.yml", "domain_controllers.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable):
    """Reads the directory, and makes hosts and groups of it."""

    NAME = "entsso.password_sync.domain_controllers"

    def verify_file(self, path: str) -> bool:
        """Whether a file is for this plugin."""
        return bool(super().verify_file(path)) and path.endswith(ENDINGS)

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        """Fills the inventory.

        Raises:
            AnsibleParserError: The directory can't be read, or the options are wrong.
        """
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        read = self._read()
        inventory.add_group(ALL)
        inventory.add_group(READ_ONLY)
        inventory.add_child(ALL, READ_ONLY)
        for item in read.forest.domain_controllers:
            self._add(inventory, item)

    def _read(self) -> ForestRead:
        options = self.get_options()
        try:
            with Directory(ldap_settings(options), run_folder()) as directory:
                read = read_forest(directory, whole=bool(options["forest"]))
        except HostError as error:
            raise AnsibleParserError(str(error)) from None
        for domain, reason in read.unread.items():
            self.display.warning(f"The domain {domain} could not be read. {reason}")
        for leftover in read.forest.leftovers:
            self.display.v(f"No domain controller: {leftover.sentence()}")
        return read

    def _add(self, inventory: InventoryData, item: DomainController) -> None:
        name = item.dns_name
        inventory.add_host(name, group=READ_ONLY if item.read_only else ALL)
        variables = {"pcns_site": item.site, "password_sync_domain_controller": domain_controller_values(item)}
        for key, value in variables.items():
            inventory.set_variable(name, key, value)
        groups = [role.value for role in item.roles] + ([GLOBAL_CATALOG] if item.global_catalog else [])
        for group in [f"site_{item.site}", *groups]:
            inventory.add_host(name, group=inventory.add_group(self._sanitize_group_name(group)))
        strict = bool(self.get_option("strict"))
        known = {**variables, "inventory_hostname": name}
        self._set_composite_vars(self.get_option("compose"), known, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, name, strict=strict)
