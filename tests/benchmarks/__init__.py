# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection costs: requests, bytes and the control node's CPU time, measured on the lab.

Run by `make bench`. The lab answers from memory, so nothing here says how fast Windows is.
"""
