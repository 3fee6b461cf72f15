# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module sso_application; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sso_application
short_description: Creates an affiliate application in the SSO system
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Creates an affiliate application, in which users are mapped to their accounts on the other system. An adapter
    serves the applications that are assigned to it; see M(entsso.password_sync.sso_adapter).
  - An application that exists is left as it is, whatever the other options say. Only its name is read (C(ssomanage
    -listapps all)), since the other output is not documented well enough to compare with, and Microsoft lets nobody
    change name and fields after creation.
  - The file for C(ssomanage -createapps) is written in the form that Microsoft documents, with the spelling of the
    page How to Create an Affiliate Application; another page spells some names differently, and which the tool
    insists on is not known.
options:
  name:
    description:
      - Name of the application.
    type: str
    required: true
  description:
    description:
      - What it is, for people. Without it the application gets an empty description.
    type: str
  contact:
    description:
      - Mail address of who is responsible. Without it the application gets an empty contact.
    type: str
  user_account:
    description:
      - Group of the application users, for example V(CORP\\RACF Users).
      - Without it the application can't be created; one that exists is accepted.
    type: str
  admin_account:
    description:
      - Group of the application administrators, for example V(CORP\\RACF Admins).
      - Without it the application can't be created; one that exists is accepted.
    type: str
  fields:
    description:
      - The credential fields, in order; in Microsoft's example the user name and then the password. With more than
        two fields ENTSSO wants exactly one to be marked for password synchronization (event 10848), and how the file
        says so is not published; create such an application in the management console.
      - Without them the application can't be created; one that exists is accepted.
    type: list
    elements: dict
    suboptions:
      label:
        description:
          - Label of the field, for example V(User Id).
        type: str
        required: true
      masked:
        description:
          - Whether what users type there is hidden, as for a password.
        type: bool
        required: true
  flags:
    description:
      - Flags of the application, by the names of Microsoft's application file.
      - A flag that is not given is not written to the file, so that ENTSSO decides.
    type: dict
    suboptions:
      groupApp:
        description:
          - Whether it is a group application. Without it, ENTSSO decides.
        type: bool
      configStoreApp:
        description:
          - Whether it is a configuration store application. Without it, ENTSSO decides.
        type: bool
      allowTickets:
        description:
          - Whether SSO tickets are allowed. Without it, ENTSSO decides.
        type: bool
      validateTickets:
        description:
          - Whether SSO tickets are validated. Without it, ENTSSO decides.
        type: bool
      allowLocalAccounts:
        description:
          - Whether local accounts are allowed. Without it, ENTSSO decides.
        type: bool
      timeoutTickets:
        description:
          - Whether SSO tickets time out. Without it, ENTSSO decides.
        type: bool
      adminAccountSame:
        description:
          - A flag of this name stands in Microsoft's application file and is not explained there. It can't be changed
            after creation. Without it, ENTSSO decides.
        type: bool
      enableApp:
        description:
          - Whether the application is enabled. ENTSSO discards password changes for one that is disabled (event
            11033). Without it, ENTSSO decides.
        type: bool
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.sso_server
  - entsso.password_sync.installation_directory
notes:
  - To observe, C(ssomanage -listapps all) is run on the SSO server, and C(ssomanage -displayapp) when the list does not
    name the application, since its narrow columns cut names off.
  - To create, the application file is pushed into a folder of its own (with C(findstr) and C(certutil)), C(ssomanage
    -createapps) is run, and folder and file are removed.
  - Mappings and credentials of users, changes to an application and its deletion are not there yet.
seealso:
  - module: entsso.password_sync.sso_adapter
  - name: How to Create an Affiliate Application
    description: Microsoft on the application file.
    link: https://learn.microsoft.com/en-us/biztalk/core/how-to-create-an-affiliate-application
"""

EXAMPLES = r"""
- name: Create the application for RACF
  entsso.password_sync.sso_application:
    name: RACF
    description: Accounts on the mainframe
    contact: identity@corp.example
    user_account: CORP\RACF Users
    admin_account: CORP\RACF Admins
    fields:
      - label: User Id
        masked: false
      - label: Password
        masked: true
    flags:
      groupApp: false
      enableApp: true
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
      resource: sso_application
      name: RACF
      operation: create
      old: {}
      new:
        exists: true
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
      resource: sso_application
      name: racf
      observed:
        state: present
        exists: true
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "sso01.corp.example changed: create sso_application RACF (exists=true)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "sso01.corp.example: sso_application RACF"
      after_header: "sso01.corp.example: sso_application RACF (create)"
      before: ""
      after: |
        exists: true
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
          resource: sso_application
          name: racf
          values:
            exists: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.SSO_APPLICATION,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("sso_application"))


if __name__ == "__main__":
    main()
