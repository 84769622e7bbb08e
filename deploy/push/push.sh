#!/bin/sh
# Runs in a county that the province cannot reach: pushes the day folders below FOLDER to the province's drop by SFTP.
#   push.sh FOLDER USER@HOST [-P PORT -i KEY …]
# Every file goes up under a name that nobody reads and is then renamed; a digest (.sha256) goes up after its file. What
# went up is recorded in FOLDER/.pushed with its time and size and is not sent again; broken off, it begins where it was.
set -eu
folder=$1 drop=$2
shift 2
cd "$folder"
touch .pushed
plan=$(mktemp) done=$(mktemp)
trap 'rm -f "$plan" "$done"' EXIT
# Digests after what they vouch for.
for file in $(ls -d [0-9]*/* | grep -v '\.sha256$') $(ls -d [0-9]*/*.sha256 2>/dev/null || true); do
    mark="$file $(stat -c '%Y %s' "$file")"
    grep -qxF "$mark" .pushed && continue
    day=${file%/*} name=${file##*/}
    printf -- '-mkdir %s\nput %s %s/.%s.part\nrename %s/.%s.part %s\n' \
        "$day" "$file" "$day" "$name" "$day" "$name" "$file" >>"$plan"
    echo "$mark" >>"$done"
done
[ -s "$plan" ] || exit 0
sftp -q -o BatchMode=yes -b "$plan" "$@" "$drop" >/dev/null
cat "$done" >>.pushed
