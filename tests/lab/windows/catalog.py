# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which program does what: by file name, so that a tool works only where its file is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.windows.console import Invocation, Job, Program
from lab.windows.entsso import EntssoService
from lab.windows.pcns import PcnsService
from lab.windows.services import Behaviour
from lab.windows.tools.certutil import certutil
from lab.windows.tools.curl import curl
from lab.windows.tools.findstr import findstr
from lab.windows.tools.icacls import icacls
from lab.windows.tools.msiexec import msiexec
from lab.windows.tools.pcnscfg import pcnscfg
from lab.windows.tools.schtasks import schtasks
from lab.windows.tools.setup import setup
from lab.windows.tools.shutdown import shutdown
from lab.windows.tools.ssoconfig import ssoconfig
from lab.windows.tools.ssomanage import ssomanage
from lab.windows.tools.ssops import ssops

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

_PROGRAMS: dict[str, Program] = {
    "certutil": certutil,
    "curl": curl,
    "findstr": findstr,
    "icacls": icacls,
    "msiexec": msiexec,
    "pcnscfg": pcnscfg,
    "schtasks": schtasks,
    "setup": setup,
    "shutdown": shutdown,
    "ssoconfig": ssoconfig,
    "ssomanage": ssomanage,
    "ssops": ssops,
}


def program_of(host: SimulatedHost, path: str) -> Program | None:
    """Returns what a program does, with the host's faults on top; None for a file that the lab can't run."""
    name = path.rpartition("\\")[2].lower().removesuffix(".exe")
    program = _PROGRAMS.get(name)
    if program is None:
        return None

    def with_faults(call: Invocation) -> Job:
        garbage = host.faults.tool_output.get(name)
        if garbage is not None:
            real_out = call.write_out
            call.write_out = call.write_error = lambda _data: None
            exit_code = yield from program(call)
            real_out(garbage)
        else:
            exit_code = yield from program(call)
        return host.faults.tool_exit_code.get(name, exit_code)

    return with_faults


def behaviour_of(host: SimulatedHost, image_path: str) -> Behaviour | None:
    """Returns what a service's program does, None for nothing worth simulating."""
    image = image_path.lower()
    if "pcnssvc.exe" in image:
        return PcnsService(host)
    if "entsso.exe" in image:
        return EntssoService(host)
    return None
