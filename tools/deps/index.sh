# index.sh - the package client with a configuration of its own; sourced by the scripts beside it.
#
# The system's configuration is read, never changed: its mirrors, proxies and keyrings are used,
# while lists and caches lie in a folder below build/. Nothing is installed, and no architecture is
# added to the system. The client checks the signature of the index and the hashes in it.

# Prints one "URI|KEYRING" line for each Debian archive that the system is set up for.
index_mirrors() {
    apt-get indextargets --no-release-info --format \
        '$(COMPONENT)|$(CREATED_BY)|$(REPO_URI)|$(RELEASE)|$(SIGNED_BY)' 2>/dev/null |
        awk -F'|' '$1 == "main" && $2 == "Packages" && $4 !~ /security|backports/ && !seen[$3]++ {
            print $3 "|" ($5 ~ /^\// ? $5 : "")}'
}

# Writes a configuration for folder $1 and reads the index: of kind $2, deb or deb-src, for the
# suites $3, and for architecture $4 where one is given. Sets `private` to the folder that the
# client works in; its configuration is $private/apt.conf. What the client said is in $1/log.
# Returns non-zero with one line when there is no client, or no archive is set up.
index_open() {
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "error: this system has no apt-get, which is how this is fetched" >&2
        return 1
    fi
    mirrors=$(index_mirrors)
    if [ -z "$mirrors" ]; then
        echo "error: the system's package sources name no Debian archive to fetch from" >&2
        return 1
    fi
    root=$(pwd -P)
    case $root in
    *'"'* | *' '*)
        # The client takes no quotes and no blanks in some of these, so it works beside us.
        private=$(mktemp -d) || return 1
        trap 'rm -rf "$private"' EXIT ;;
    *) private=$root/$1 ;;
    esac
    mkdir -p "$1" "$private/lists/partial" "$private/cache/archives/partial"
    : >"$private/status"
    keyring=
    for k in /usr/share/keyrings/debian-archive-keyring.pgp \
        /usr/share/keyrings/debian-archive-keyring.gpg; do
        if [ -f "$k" ]; then keyring=$k; break; fi
    done
    printf '%s\n' "$mirrors" | while IFS='|' read -r uri signed; do
        key=${signed:-$keyring}
        options="${key:+signed-by=$key }${4:+arch=$4}"
        for suite in $3; do
            printf '%s %s%s %s main\n' "$2" "${options:+[$options] }" "$uri" "$suite"
        done
    done >"$private/sources.list"
    {
        # Proxies, credentials and clocks are the system's; places are ours.
        apt-config dump Acquire
        printf 'Dir::Etc::SourceList "%s";\n' "$private/sources.list"
        printf 'Dir::Etc::SourceParts "/dev/null";\n'
        printf 'Dir::Etc::Parts "/dev/null";\n'
        printf 'Dir::Etc::Preferences "/dev/null";\n'
        printf 'Dir::Etc::PreferencesParts "/dev/null";\n'
        printf 'Dir::State::Lists "%s";\n' "$private/lists"
        printf 'Dir::State::status "%s";\n' "$private/status"
        printf 'Dir::Cache "%s";\n' "$private/cache"
        printf 'APT::Sandbox::User "root";\n'
        printf 'APT::Get::AllowUnauthenticated "false";\n'
        printf 'Acquire::Languages "none";\n'
        if [ -n "${4:-}" ]; then
            printf '#clear APT::Architectures;\n'
            printf 'APT::Architecture "%s";\n' "$4"
            printf 'APT::Architectures { "%s"; };\n' "$4"
        fi
    } >"$private/apt.conf"
    echo "  INDEX    reading the signed index of $(printf '%s' "$3" | tr ' ' ',')${4:+ for $4}" >&2
    APT_CONFIG=$private/apt.conf apt-get update -q >"$1/log" 2>&1
}
