# shellcheck shell=sh
# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the lab's installation packages from the .wxs files next to this script.
#   sh build.sh [FOLDER]     FOLDER: where the .msi files go; without it, next to this script
# Needs Debian's wixl and msitools, and python3. Each build gives the same bytes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-$here}"
out=$(cd "${1:-$here}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
export TZ=UTC LC_ALL=C.UTF-8

# stand_in NAME VERSION: a text in place of a program, so that nobody takes it for Microsoft's file.
stand_in() {
    printf '%s\r\n' \
        "$1 $2: a stand-in of the lab of the Ansible collection entsso.password_sync." \
        "This is a text, not a program. Microsoft's file of this name is on your own media." >"$work/$1"
    touch -t 202401010000.00 "$work/$1" # the cabinet records the time
}

# package NAME SOURCE VERSION PLATFORM NUMBER [-D NAME=VALUE]...
# NUMBER makes the product code and the package code: each package of the lab has its own.
package() {
    name=$1 source=$2 version=$3 platform=$4 number=$5
    shift 5
    for file in pcnsflt.dll pcnssvc.exe pcnscfg.exe; do stand_in "$file" "$version"; done
    made=$work/$name.msi
    cd "$work" # wixl finds files by relative paths only
    wixl --arch "$platform" -D "Version=$version" -D "ProductCode={E5500000-0000-4000-8000-0000000000$number}" \
        -D "Files=." "$@" -o "$made" "$here/$source"
    # What wixl cannot write: versions of files that are no programs, which properties a user may hand to the service,
    # the removal of an older product before the new one comes, the place of an action after InstallInitialize, and
    # conditions of features.
    msibuild "$made" -q "UPDATE \`File\` SET \`Version\`='$version', \`Language\`='1033'"
    msibuild "$made" -q "UPDATE \`Property\` SET \`Value\`='ACCEPT_EULA;SCHEMAONLY;WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED' WHERE \`Property\`='SecureCustomProperties'"
    msibuild "$made" -q "UPDATE \`InstallExecuteSequence\` SET \`Sequence\`=1450 WHERE \`Action\`='RemoveExistingProducts'"
    msibuild "$made" -q "UPDATE \`InstallExecuteSequence\` SET \`Sequence\`=1510 WHERE \`Action\`='LabExtendSchema'"
    if [ -f "$here/$source.idt" ]; then msibuild "$made" -i "$here/$source.idt"; fi
    python3 "$here/settle.py" "$made" "{E5500000-0000-4000-8000-0000000001$number}"
    cp "$made" "$out/$name.msi"
    chmod 644 "$out/$name.msi"
}

package pcns-all-in-one pcns-all-in-one.wxs 1.0.100.0 x64 11
package pcns-all-in-one-2 pcns-all-in-one.wxs 1.1.200.0 x64 12
package capture-component capture-component.wxs 1.0.100.0 x64 21 -D SystemFolder=System64Folder -D Win64=yes \
    -D "UpgradeCode={E5500000-0002-4000-8000-0000000000F0}" -D "ComponentCode={E5500000-0002-4000-8000-000000000001}"
package pcns-service pcns-service.wxs 1.0.100.0 x64 31
package wrong-platform capture-component.wxs 1.0.100.0 x86 41 -D SystemFolder=SystemFolder -D Win64=no \
    -D "UpgradeCode={E5500000-0004-4000-8000-0000000000F0}" -D "ComponentCode={E5500000-0004-4000-8000-000000000001}"
