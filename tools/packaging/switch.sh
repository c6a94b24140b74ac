#!/bin/sh
# switch.sh - on the board: from the programs that serve to those that lie beside it, and back when
# the new ones do not serve. tools/deploy runs it; so may a person.
#
#   sh switch.sh              the new programs are tried, and taken when they serve
#   sh switch.sh --rollback   the previous programs are put back and started
#
#   new ──► tried --read-only ──► accepted ──► 0
#                │ no answer         │ no answer
#                └───────────────────┴──► previous ──► answers: 3, does not: 4
#
# A new program first serves the real book with --read-only, which writes no byte, and the mark that
# makes it do so is taken away only when `penny ping` was answered. So whatever formats it writes,
# it writes none before the health check, and what a rollback finds is what the previous program
# left. Should it fail later than that, the previous program itself refuses a newer format by name.
# After a power cut in between the board comes up with the new program reading alone: deploy again.
#
# Environment: ROOT=DIR as for install.sh. RESTART=COMMAND stands for `systemctl restart pennyd`; it
# finds PENNYD_OPTIONS in its environment, words that go in front of pennyd's own, and fails when
# the server does not start. TRIES=N is how often `penny ping` is tried, a second apart (60).
#
# Exit: 0 the new programs serve, or there is no bank yet; 1 nothing was changed; 2 usage; 3 the
# previous programs serve again; 4 nobody serves, and a person must look.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=${ROOT:-}
tries=${TRIES:-60}
bin=$root/usr/local/bin
mark=$root/usr/local/lib/pennybank/unproven
conf=$root/etc/pennyd/pennyd.conf
client=$root/etc/pennyd/client.conf
penny=$here/penny
[ -x "$penny" ] || penny=$bin/penny
export ROOT="$root"

say() { echo "$*"; }
refuse() { echo "switch.sh: $*; nothing was changed" >&2; exit 1; }

restart() {
    if [ -n "${RESTART:-}" ]; then
        PENNYD_OPTIONS=
        # shellcheck source=/dev/null
        [ ! -e "$mark" ] || . "$mark"
        export PENNYD_OPTIONS
        # The lock of tools/deploy is not for the server to hold.
        sh -c "$RESTART" </dev/null 9>&-
    else
        systemctl reset-failed pennyd.service
        systemctl restart pennyd.service
    fi
}

# A server that ends as often as systemd starts it need not be waited for.
has_given_up() {
    [ -z "${RESTART:-}" ] || return 1
    systemctl is-failed --quiet pennyd.service && return 0
    starts=$(systemctl show --property=NRestarts --value pennyd.service)
    [ "${starts:-0}" -gt 1 ]
}

# Restarts the server and asks until it answers. Tries are counted, since the clock may leap.
serves() {
    restart || { say "the server did not start"; return 1; }
    try=0
    while [ "$try" -lt "$tries" ]; do
        why=$("$penny" -c "$client" --timeout 2 ping 2>&1) && return 0
        has_given_up && break
        try=$((try + 1))
        sleep 1
    done
    say "$why"
    return 1
}

go_back() {
    say "$1; going back to the previous programs"
    if ! sh "$here/install.sh" --rollback; then
        say "nobody serves: there is nothing to go back to"
        exit 4
    fi
    if ! serves; then
        say "nobody serves: the previous programs do not answer either; their log says why"
        say "if it names a newer format, the new programs are needed: sh $here/install.sh"
        exit 4
    fi
    say "the previous programs serve again"
    exit 3
}

switch() {
    [ -e "$here/pennyd" ] || refuse "there are no programs beside it"
    for name in pennyd penny pennyctl; do
        "$here/$name" --version || refuse "$name does not run here"
    done
    if [ ! -e "$conf" ]; then
        sh "$here/install.sh" || exit 1
        exit 0
    fi
    [ -e "$client" ] || refuse "$client is missing, with which the server is asked"
    "$here/pennyd" -t "$conf" || refuse "the new pennyd does not take $conf"
    [ ! -e "$mark" ] || say "an earlier deploy was cut off; the programs before it are kept"
    if ! sh "$here/install.sh" --unproven; then
        [ -e "$mark" ] || refuse "the new programs could not be put beside the old ones"
        go_back "the new programs could not be installed"
    fi
    serves || go_back "the new programs do not serve the book"
    say "the new programs can read the book, and have not written yet"
    sh "$here/install.sh" --accept || go_back "they could not be accepted"
    serves || go_back "the new programs do not serve the book any more"
    say "the new programs serve"
}

# From here on it ends by itself, whether or not somebody still listens.
trap '' HUP PIPE
case ${1:-} in
'') switch ;;
--rollback)
    sh "$here/install.sh" --rollback || exit 1
    serves || exit 4
    say "the previous programs serve again"
    ;;
*) echo "usage: sh switch.sh [--rollback]" >&2; exit 2 ;;
esac
