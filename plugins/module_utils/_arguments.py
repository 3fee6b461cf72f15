# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specifications: one for each module, shared by its documentation stub and its action."""

from __future__ import annotations

from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._names import (
    ENTSSO_DIRECTORY,
    NOTIFICATION_PACKAGE,
    PCNS_SERVICE,
    PCNSCFG,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import GateName

Specification = dict[str, Any]

LEAVES: Specification = {
    "type": "dict",
    "options": {
        "notification_packages": {"type": "list", "elements": "str", "default": []},
        "services": {"type": "list", "elements": "str", "default": []},
        "tools": {"type": "dict", "default": {}},
    },
}

PACKAGE: Specification = {
    "name": {"type": "str", "required": True},
    "path": {"type": "str"},
    "sha256": {"type": "str"},
    "remote_src": {"type": "bool", "default": False},
    "product_code": {"type": "str"},
    "version": {"type": "str"},
    "properties": {"type": "dict", "default": {}},
    "leaves": LEAVES,
}
PACKAGE_REQUIRED_TOGETHER = [["path", "sha256"]]

TRANSFER: Specification = {
    "transfer": {"type": "str", "choices": ["auto", "smb", "stream"], "default": "auto"},
    "smb_share": {"type": "str", "default": "C$"},
    "smb_port": {"type": "int", "default": 445},
}

MSI_PACKAGE: Specification = {
    **PACKAGE,
    **TRANSFER,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "run_as": {"type": "str", "choices": ["connection", "system_task"], "default": "connection"},
    "deadline": {"type": "int", "default": 7200},
    "busy_wait": {"type": "int", "default": 900},
    "busy_interval": {"type": "float", "default": 15.0},
}

NOTIFICATION_PACKAGE_ARGUMENTS: Specification = {
    "name": {"type": "str", "default": NOTIFICATION_PACKAGE},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

PCNS_SERVICE_ARGUMENTS: Specification = {
    "name": {"type": "str", "default": PCNS_SERVICE},
    "state": {"type": "str", "choices": ["running", "stopped"], "default": "running"},
    "start_mode": {"type": "str", "choices": ["auto", "manual", "disabled"], "default": "auto"},
    "event_log_level": {"type": "int", "choices": [0, 1, 2, 3]},
    "deadline": {"type": "int", "default": 120},
}

PCNS_INFO: Specification = {
    "packages": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": PACKAGE,
        "required_together": PACKAGE_REQUIRED_TOGETHER,
    },
    "event_log_level": {"type": "int", "choices": [0, 1, 2, 3]},
    "site": {"type": "str"},
    "systems": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

HOST_REMAINS: Specification = {}

DOMAIN_CONTROLLER_PREFLIGHT: Specification = {
    "packages": PCNS_INFO["packages"],
    "directory_answer": {"type": "dict"},
    "minimum_free_bytes": {"type": "int", "default": 1073741824},
    "allow_unsupported_os": {"type": "bool", "default": False},
    "backup_max_age_days": {"type": "int", "default": 30},
    "accept": {"type": "dict", "default": {}},
}

PREFLIGHT_REPORT: Specification = {
    "domain_controllers": {"type": "list", "elements": "str", "default": []},
    "sso_servers": {"type": "list", "elements": "str", "default": []},
    "gate": {"type": "bool", "default": True},
}

CONNECTION_INFO: Specification = {
    "probe_shell": {"type": "bool", "default": False},
    "probe_share": {"type": "bool", "default": False},
    "smb_port": {"type": "int", "default": 445},
    "redact": {"type": "bool", "default": False},
    "deadline": {"type": "float", "default": 5.0},
}

REPLICATION: Specification = {
    "replication_servers": {"type": "list", "elements": "str", "default": []},
    "replication_timeout": {"type": "float", "default": 120.0},
}

PCNSCFG_TOOL: Specification = {"pcnscfg": {"type": "str", "default": PCNSCFG}, **REPLICATION}

PCNS_QUEUE: Specification = {
    "targets": {"type": "list", "elements": "str", "required": True},
    "restart_service": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 120},
}

PCNS_SCHEMA: Specification = {
    "path": PACKAGE["path"],
    "sha256": PACKAGE["sha256"],
    "remote_src": PACKAGE["remote_src"],
    "properties": PACKAGE["properties"],
    **TRANSFER,
    "complete_partial": {"type": "bool", "default": False},
    "replication_servers": {"type": "list", "elements": "str", "default": []},
    "replication_timeout": {"type": "float", "default": 120.0},
    "deadline": MSI_PACKAGE["deadline"],
    "busy_wait": MSI_PACKAGE["busy_wait"],
    "busy_interval": MSI_PACKAGE["busy_interval"],
}

PCNS_CONFIGURATION: Specification = {
    "max_queue_length": {"type": "int"},
    "max_queue_age": {"type": "int"},
    "max_notification_retries": {"type": "int"},
    "retry_interval": {"type": "int"},
    **PCNSCFG_TOOL,
}

PCNS_TARGET: Specification = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "address": {"type": "str"},
    "service_principal_name": {"type": "str"},
    "inclusion_group": {"type": "str"},
    "exclusion_group": {"type": "str"},
    "user_name_format": {"type": "str", "choices": ["nt4", "fqdn"]},
    "keep_alive_interval": {"type": "int"},
    "queue_warning_level": {"type": "int"},
    "queue_warning_interval": {"type": "int"},
    "enabled": {"type": "bool"},
    "domain": {"type": "str"},
    "queues": {"type": "list", "elements": "dict", "default": []},
    "discard_queue": {"type": "bool", "default": False},
    "systems": {"type": "list", "elements": "str", "default": []},
    **PCNSCFG_TOOL,
}

DOMAIN_CONTROLLER_RESTART: Specification = {
    "notification_packages": {"type": "list", "elements": "str", "default": [NOTIFICATION_PACKAGE]},
    "state": {"type": "str", "choices": ["loaded", "unloaded"], "default": "loaded"},
    "allowed": {"type": "bool", "default": False},
    "comment": {"type": "str", "default": "Restart to load the password capture component"},
    "delay": {"type": "int", "default": 5},
    "required_services": {"type": "list", "elements": "str", "default": ["NTDS", "Netlogon", "Kdc"]},
    "deadline": {"type": "int", "default": 1800},
    "interval": {"type": "float", "default": 5.0},
}

_GATES = [name.value for name in GateName]

DOMAIN_CONTROLLER_HEALTH: Specification = {
    "booted_after": {"type": "str"},
    "since": {"type": "str"},
    "skip": {"type": "list", "elements": "str", "choices": _GATES, "default": []},
    "accept_unknown": {"type": "list", "elements": "str", "choices": _GATES, "default": []},
    "deadline": {"type": "int", "default": 900},
    "interval": {"type": "float", "default": 5.0},
}

ROLLOUT_LOCK: Specification = {
    "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
    "minutes": {"type": "int", "default": 120},
    "force": {"type": "bool", "default": False},
}

LDAP: Specification = {
    "domain": {"type": "str"},
    "server": {"type": "str"},
    "port": {"type": "int"},
    "auth_protocol": {
        "type": "str",
        "choices": ["negotiate", "kerberos", "ntlm", "simple"],
    },
    "tls_mode": {"type": "str", "choices": ["ldaps", "start_tls"]},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ticket_cache": {"type": "str"},
    "ca_cert": {"type": "path"},
    "name_servers": {"type": "list", "elements": "str"},
    "connection_timeout": {"type": "float"},
    "timeout": {"type": "float"},
}
"""Without defaults: what is not given comes from the variables `password_sync_ldap_*`."""

DOMAIN_CONTROLLER_INFO: Specification = {
    **LDAP,
    "forest": {"type": "bool", "default": False},
    "probe": {"type": "bool", "default": False},
}

SERVICE_PRINCIPAL_NAME: Specification = {
    **LDAP,
    "name": {"type": "list", "elements": "str", "required": True},
    "account": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
    **REPLICATION,
}

DIRECTORY: Specification = {"type": "str", "default": ENTSSO_DIRECTORY}

SSO_FEATURE: Specification = {
    "setup_path": {"type": "str"},
    "setup_sha256": {"type": "str"},
    "setup_arguments": {"type": "list", "elements": "str", "default": []},
    "installation_directory": DIRECTORY,
    "deadline": {"type": "int", "default": 7200},
}

SSO_SERVER: Specification = {
    "allow_pcns": {"type": "bool"},
    "password_sync_age": {"type": "int", "no_log": False},
    "installation_directory": DIRECTORY,
}

APPLICATION: Specification = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "contact": {"type": "str"},
    "user_account": {"type": "str"},
    "admin_account": {"type": "str"},
    "fields": {
        "type": "list",
        "elements": "dict",
        "options": {"label": {"type": "str", "required": True}, "masked": {"type": "bool", "required": True}},
    },
    "flags": {
        "type": "dict",
        "options": {
            "groupApp": {"type": "bool"},
            "configStoreApp": {"type": "bool"},
            "allowTickets": {"type": "bool"},
            "validateTickets": {"type": "bool"},
            "allowLocalAccounts": {"type": "bool"},
            "timeoutTickets": {"type": "bool"},
            "adminAccountSame": {"type": "bool"},
            "enableApp": {"type": "bool"},
        },
    },
}

SSO_APPLICATION: Specification = {**APPLICATION, "installation_directory": DIRECTORY}

ADAPTER: Specification = {
    "name": {"type": "str", "required": True},
    "definition": {"type": "str"},
    "enabled": {"type": "bool"},
    "applications": {"type": "list", "elements": "str", "default": []},
}

SSO_ADAPTER: Specification = {**ADAPTER, "installation_directory": DIRECTORY}

SSO_INFO: Specification = {
    "applications": {"type": "list", "elements": "dict", "default": [], "options": APPLICATION},
    "adapters": {"type": "list", "elements": "dict", "default": [], "options": ADAPTER},
    "allow_pcns": {"type": "bool"},
    "password_sync_age": {"type": "int", "no_log": False},
    "installation_directory": DIRECTORY,
}

ROLLOUT_POLICY: Specification = {
    "max_unavailable_total": {"type": "int", "default": 1},
    "max_unavailable_per_site": {"type": "int", "default": 1},
    "lone_domain_controller": {"type": "str", "choices": ["allow", "refuse"], "default": "allow"},
    "keep_global_catalog": {"type": "bool", "default": True},
    "canaries": {"type": "list", "elements": "str", "default": []},
    "order": {"type": "list", "elements": "str", "default": []},
    "window_seconds": {"type": "int"},
    "assume_available": {"type": "bool"},
}

ROLLOUT_PLAN: Specification = {
    "domain_controllers": {"type": "list", "elements": "str", "required": True},
    "directory": {"type": "list", "elements": "dict"},
    "inventory": {"type": "list", "elements": "str", "default": []},
    "policy": {"type": "dict", "options": ROLLOUT_POLICY},
    "worst_case_seconds": {"type": "int", "default": 10920},
    "window_ends": {"type": "str"},
    "require_permission": {"type": "bool", "default": False},
    "dest": {"type": "path"},
    "src": {"type": "path"},
    "approved_plan": {"type": "str"},
}

ROLLOUT_WAVE: Specification = {
    "domain_controllers": {"type": "list", "elements": "str", "required": True},
    "rollout": {"type": "dict", "required": True},
    "directory": {"type": "list", "elements": "dict"},
    "inventory": {"type": "list", "elements": "str", "default": []},
}

COMPLIANCE_REPORT: Specification = {
    "domain_controllers": {"type": "list", "elements": "str", "default": []},
    "inventory": {"type": "list", "elements": "str", "default": []},
    "directory_answer": {"type": "dict"},
    "read_only": {"type": "list", "elements": "str", "default": []},
    "sso_servers": {"type": "list", "elements": "str", "default": []},
    "systems": {"type": "list", "elements": "str", "default": []},
    "directory": {"type": "path", "required": True},
    "title": {"type": "str", "default": "Password synchronization"},
    "gate": {"type": "bool", "default": True},
    "fail_on_rollout_failure": {"type": "bool", "default": False},
}
