# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the packages that are to be installed, as far as the control node can see them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import Check, Name, Verdict


@dataclass(frozen=True)
class MediaState:
    """What is known of the file of one package.

    Attributes:
        name: Package, for people.
        problem: Why it can't be installed from, with what to do; empty when nothing speaks against it.
        hashed: Whether its SHA-256 was compared.
        signed: Whether it has an Authenticode signature; only known of a file that was hashed.
        signer: Subject of its certificate.
    """

    name: str
    problem: str = ""
    hashed: bool = False
    signed: bool = False
    signer: str = ""


def judge_media(media: Sequence[MediaState]) -> Check:
    """Judges whether every file is the one that was pinned."""
    problems = [item.problem for item in media if item.problem]
    if problems:
        return Check(Name.MEDIA, Verdict.NO_GO, " ".join(problems))
    hashed = [item.name for item in media if item.hashed]
    later = [item.name for item in media if not item.hashed]
    told = [f"SHA-256 of {' and '.join(hashed)} is as given."] if hashed else []
    if later:
        told.append(f"That of {' and '.join(later)} is compared on the host before it is executed.")
    return Check(Name.MEDIA, Verdict.GO, " ".join(told))


def judge_signature(media: Sequence[MediaState]) -> Check:
    """Judges who signed the files; only looks, since Windows verifies."""
    unsigned = [item.name for item in media if item.hashed and not item.signed]
    unseen = [item.name for item in media if not item.hashed]
    signed = [
        f"{item.name} is signed, its certificate says by {item.signer or 'a signer that could not be read'}; "
        "the signature was not verified here."
        for item in media
        if item.signed
    ]
    if unsigned:
        unsigned_told = f"{' and '.join(unsigned)} {'is' if len(unsigned) == 1 else 'are'} not signed."
        return Check(
            Name.SIGNATURE,
            Verdict.WARNING,
            " ".join([unsigned_told, *signed]),
            "Compare the SHA-256 with the medium that you trust.",
        )
    if unseen:
        told = f"{' and '.join(unseen)} {'is' if len(unseen) == 1 else 'are'} not on the control node."
        return Check(Name.SIGNATURE, Verdict.UNKNOWN, " ".join([told, *signed]))
    return Check(Name.SIGNATURE, Verdict.GO, " ".join(signed))
