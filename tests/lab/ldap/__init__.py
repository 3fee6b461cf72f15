# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small LDAP responder in front of the lab's directory. Where it differs from Samba, Samba is right."""

from .objects import LdapObject, forest_objects
from .server import LdapServer
from .services import LdapServices

__all__ = ["LdapObject", "LdapServer", "LdapServices", "forest_objects"]
