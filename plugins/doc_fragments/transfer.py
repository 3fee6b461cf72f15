# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say how a file comes to a host."""

from __future__ import annotations


class ModuleDocFragment:
    """Three options, and what happens on the host."""

    DOCUMENTATION = r"""
options:
  transfer:
    description:
      - How the control node brings a file to the host.
      - The default V(auto) takes SMB where it is possible, else the WinRS stream, and says which and why. It takes the
        stream when the Python library C(smbprotocol) is missing, the connection authenticates with a certificate,
        nothing answers on the port, the server does not encrypt, there is no Kerberos ticket for it, or the share can't
        be opened. It never does so after the SMB server has refused the account, and neither does it try SMB with
        another mechanism or account than those that WinRM took.
      - V(smb) takes SMB, or fails and says why.
      - V(stream) takes the WinRS stream, which needs no other port. It is slow, and the file is decoded on the host
        with C(certutil), which endpoint protection may report; so it warns each time.
    type: str
    choices: [auto, smb, stream]
    default: auto
  smb_share:
    description:
      - The share for SMB. It must show the whole drive C of the host, as the administrative share V(C$) does, which is
        the default. The account must be an administrator of the host, as it must be to install.
    type: str
    default: C$
  smb_port:
    description:
      - TCP port of the host's SMB server. Windows has no other than the default V(445); another one is for relays and
        tests.
    type: int
    default: 445
requirements:
  - smbprotocol on the control node, for SMB
notes:
  - A file that is brought to the host lies in a folder C(media-<hash>) of C(C:\Program Files\entsso.password_sync)
    for as long as it is used. Only administrators and SYSTEM can look or write there. Its SHA-256 is compared on the
    host with C(certutil -hashfile) before anything is executed. What a killed run has left there is used or removed by
    the next run of the module for the same file.
  - Over SMB the session is encrypted and signing is required; a server that can't is refused before it sees the
    account. SMB takes the account, password or Kerberos ticket of the connection.
"""
