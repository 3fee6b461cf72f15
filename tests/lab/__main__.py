# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m lab`: starts the standard forest and leaves it running until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
from pathlib import Path

from lab.example import variables
from lab.forest import Forest
from lab.inventory import write_inventory


def main() -> int:
    """Starts the forest, says where its inventory is, and waits."""
    parser = argparse.ArgumentParser(prog="python -m lab", description="Run the simulated estate until Ctrl-C.")
    parser.add_argument("--inventory", type=Path, help="folder for the inventory; a temporary one when not given")
    arguments = parser.parse_args()
    folder = arguments.inventory or Path(tempfile.mkdtemp(prefix="password-sync-lab-"))
    ended = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with Forest() as forest:
        path = write_inventory(forest, folder, variables(forest))
        for name, endpoint in forest.endpoints.items():
            identity = forest.hosts[name].identity
            print(f"{identity.fqdn:<22} {endpoint.address:<16} {identity.role.value}, {identity.site}")
        print(f"\nInventory: {path}")
        print("Try, in another terminal:")
        print(f"  ansible-playbook -i {path} playbooks/observe.yml")
        print(f"  ansible-playbook -i {path} playbooks/site.yml --check --diff")
        print("Ctrl-C ends the forest.", flush=True)
        while not ended.wait(1.0):
            pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
