#!/bin/sh
# install.sh - puts the programs that lie beside it on this machine, and keeps those they replace.
#
#   sh install.sh               installs or upgrades; starts nothing, and touches no bank
#   sh install.sh --rollback    puts back what the last upgrade replaced
#   sh install.sh --uninstall   removes what was installed; banks, backups and the user stay
#
# With ROOT=DIR in the environment all of it happens below DIR, and neither systemd nor the list of
# users is touched: that needs no root.
#
# For switch.sh: --unproven installs and leaves a mark, with which pennyd starts with --read-only;
# --accept takes it away. While it is there, NAME.previous is what last served, and no install
# replaces it: so an upgrade that was cut off anywhere is cured by the next.
set -eu
umask 022
PATH=$PATH:/usr/sbin:/sbin  # where useradd is, and not on the path of everybody
here=$(cd "$(dirname "$0")" && pwd)
root=${ROOT:-}
bin=$root/usr/local/bin
lib=$root/usr/local/lib/pennybank
doc=$root/usr/local/share/doc/pennybank
units=$root/etc/systemd/system
bank=$root/var/lib/pennybank
mark=$lib/unproven

refuse() { echo "install.sh: $*" >&2; exit 1; }

# Puts files, or what stands in folders, onto the disk; all there is, where sync takes no names.
flush() { sync "$@" 2>/dev/null || sync; }

# Calls $1 with name, folder and mode of each file that upgrades replace and rollbacks put back.
each() {
    for name in pennyd penny pennyctl; do "$1" "$name" "$bin" 755; done
    for name in pennyd.service pennyd-backup.service pennyd-backup.timer \
        pennyd-certificates.service pennyd-certificates.timer penny-renew.service \
        penny-renew.timer; do
        "$1" "$name" "$units" 644
    done
}
clear_staged() { rm -f "$2/$1.new"; }
stage_new() {
    cp "$here/$1" "$2/$1.new"
    chmod "$3" "$2/$1.new"
    flush "$2/$1.new"
}
stage_previous() {
    [ -e "$2/$1.previous" ] || return 0
    cp -p "$2/$1.previous" "$2/$1.new"
    flush "$2/$1.new"
}
switch_staged() { [ ! -e "$2/$1.new" ] || mv -f "$2/$1.new" "$2/$1"; }
drop_previous() { rm -f "$2/$1.previous"; }
remove() { rm -f "$2/$1" "$2/$1.new" "$2/$1.previous"; }
keep_previous() {
    [ -e "$2/$1" ] || return 0
    cp -p "$2/$1" "$2/$1.new"
    flush "$2/$1.new"
    mv -f "$2/$1.new" "$2/$1.previous"
}

has_systemd() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
reload_systemd() { if has_systemd; then systemctl daemon-reload; fi; }

# The user, and a folder of the user's for the bank.
make_place() {
    mkdir -p "$root/etc"
    if [ -z "$root" ] && ! id pennybank >/dev/null 2>&1; then
        useradd --system --user-group --home-dir "$bank" --no-create-home \
            --shell /usr/sbin/nologin pennybank
    fi
    if [ ! -e "$bank" ]; then
        mkdir -p "$bank"
        chmod 700 "$bank"
        [ -n "$root" ] || chown pennybank:pennybank "$bank"
    fi
    [ -e "$root/etc/pennyd" ] || ln -sfn ../var/lib/pennybank "$root/etc/pennyd"
}

check_programs() {
    [ -e "$here/pennyd" ] || refuse "there are no programs beside it"
    for name in pennyd penny pennyctl; do
        "$here/$name" --version >/dev/null || refuse "$name does not run here: another board's?"
    done
}

install_all() {
    check_programs
    make_place
    mkdir -p "$bin" "$lib" "$doc" "$units"
    each clear_staged
    [ -e "$mark" ] || each keep_previous
    each stage_new
    cp "$here/install.sh" "$here/switch.sh" "$lib/"
    cp "$here/README.md" "$here/board.md" "$here/LICENSE" "$here/LICENSES" "$doc/"
    echo "PENNYD_OPTIONS=--read-only" >"$mark"
    flush "$mark" "$lib" "$bin" "$units"
    each switch_staged
    flush "$bin" "$units"
    reload_systemd
}

accept() {
    rm -f "$mark"
    flush "$lib"
}

roll_back() {
    [ -e "$bin/pennyd.previous" ] || refuse "there is no previous program to go back to"
    each clear_staged
    each stage_previous
    each switch_staged
    flush "$bin" "$units"
    reload_systemd
    accept
    each drop_previous
}

uninstall() {
    if has_systemd; then
        systemctl disable --now pennyd.service pennyd-backup.timer pennyd-certificates.timer \
            penny-renew.timer || true
    fi
    each remove
    rm -rf "$lib" "$doc"
    reload_systemd
}

say_next() {
    echo "installed $("$bin/pennyd" --version)"
    if has_systemd; then systemctl enable --quiet pennyd.service; fi
    if [ -e "$root/etc/pennyd/pennyd.conf" ]; then
        echo "next: systemctl restart pennyd"
    else
        echo "next, with the name that clients use for this machine:"
        echo "  sudo -u pennybank pennyctl init /etc/pennyd --address 0.0.0.0 --name HOST"
        echo "  sudo systemctl start pennyd"
    fi
}

case ${1:-} in
'') install_all; accept; say_next ;;
--unproven) install_all ;;
--accept) accept ;;
--rollback) roll_back; echo "put back $("$bin/pennyd" --version)" ;;
--uninstall) uninstall; echo "uninstalled; the bank stays in $bank" ;;
*) echo "usage: sh install.sh [--rollback | --uninstall]" >&2; exit 2 ;;
esac
