# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A forest without endpoints, brought to the states that tests begin with."""

from __future__ import annotations

from pathlib import Path

from lab.forest import Forest
from lab.settings import LabSettings
from lab.windows.entsso import FOLDER
from lab.windows.host import SimulatedHost

MEDIA = Path(__file__).resolve().parents[2] / "lab" / "media"
PCNS_FOLDER = r"C:\Program Files\Microsoft Password Change Notification"
TEMP = r"C:\Windows\Temp"
TARGET = '/N:SSO /A:sso01.corp.example /S:ENTSSO/sso01.corp.example /FI:"Domain Users" /FE:"Domain Admins" /F:3'

APPLICATION = """<sso><application name="{name}"><description>{name}</description><contact>it@corp.example</contact>
<appuserAccount>CORP\\SSO Application Users</appuserAccount>
<appAdminAccount>CORP\\SSO Application Administrators</appAdminAccount>
<field ordinal="0" label="User Id" masked="no"/><field ordinal="1" label="Password" masked="yes"/>
<flags groupApp="no" enableApp="yes"/></application></sso>"""

ADAPTER = """<sso><adapter name="{name}"><description>{name} adapter</description>
<computer>sso01.corp.example</computer>
<appUserAccount>CORP\\SSO Adapter Access</appUserAccount>
<appAdminAccount>CORP\\SSO Application Administrators</appAdminAccount>
<flags enableApp="yes" syncToAdapter="yes" {more}/></adapter></sso>"""


def put(host: SimulatedHost, name: str, content: bytes) -> str:
    """Puts a file into the temporary folder; returns its path."""
    return host.files.write(f"{TEMP}\\{name}", content, host.now()).path


def put_media(host: SimulatedHost, name: str = "pcns-all-in-one.msi") -> str:
    """Puts one of the lab's packages on a host; returns its path."""
    return put(host, name, (MEDIA / name).read_bytes())


def install(host: SimulatedHost, name: str = "pcns-all-in-one.msi", more: str = "") -> int:
    """Installs one of the lab's packages as the product does; returns msiexec's exit code."""
    path = put_media(host, name)
    return host.run(f'msiexec /i "{path}" /qn /norestart ACCEPT_EULA=1 {more}'.strip())[0]


def restart(forest: Forest, host: SimulatedHost) -> None:
    """Restarts a host and waits until it is back."""
    assert host.run("shutdown /r /t 5 /d p:4:1")[0] == 0
    forest.advance(2)


def pcnscfg(host: SimulatedHost, arguments: str) -> tuple[int, str, str]:
    """Runs pcnscfg on a host that has it."""
    return host.run(f'""{PCNS_FOLDER}\\pcnscfg.exe" {arguments}"')


def sso(host: SimulatedHost, tool: str, arguments: str) -> tuple[int, str, str]:
    """Runs a tool of ENTSSO."""
    return host.run(f'""{FOLDER}\\{tool}.exe" {arguments}"')


def working_dc(forest: Forest, name: str = "dc01") -> SimulatedHost:
    """Brings a DC to work: package, restart, configuration, target, service."""
    host = forest.host(name)
    assert install(host) == 3010
    restart(forest, host)
    assert pcnscfg(host, f"addtarget {TARGET}")[0] == 0
    assert host.services.start("PCNSSVC") == 0
    return host


def install_feature(server: SimulatedHost) -> int:
    """Installs Password Synchronization on the SSO server and restarts ENTSSO; returns set-up's exit code."""
    exit_code = server.run(r"C:\Media\Platforms\SSO\setup.exe /quiet /norestart /ADDLOCAL LabPasswordSync")[0]
    assert server.services.stop("ENTSSO") == 0
    assert server.services.start("ENTSSO") == 0
    return exit_code


def add_system(server: SimulatedHost, name: str, more: str = "", mapped: tuple[str, ...] = ("alice",)) -> None:
    """Adds an application and an enabled adapter of the same name, and accounts in it."""
    application = put(server, "application.xml", APPLICATION.format(name=name).encode())
    adapter = put(server, "adapter.xml", ADAPTER.format(name=name, more=more).encode())
    assert sso(server, "ssomanage", f"-createapps {application}")[0] == 0
    assert sso(server, "ssops", f"-create {adapter}")[0] == 0
    assert sso(server, "ssops", f"-addapp {name} {name}")[0] == 0
    assert sso(server, "ssops", f"-enable {name}")[0] == 0
    for user in mapped:
        server.surroundings.sso.map_user("CORP", user, name, user.upper())


def working_forest(settings: LabSettings | None = None) -> Forest:
    """Returns a forest in which a change on dc01 reaches the adapters RACF and LDAP."""
    forest = Forest(settings)
    server = forest.host("sso01")
    assert install_feature(server) == 0
    assert sso(server, "ssoconfig", "-allowPS PCNS yes")[0] == 0
    add_system(server, "RACF")
    add_system(server, "LDAP")
    working_dc(forest)
    return forest
