#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./build.sh demo [--keep] [IMAGE]: a real image from a real registry, converted, then run while its blocks are fetched.
# Everything stands in one folder and ends with this script, however it ends.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${OVERLAYBD_DEMO_BIN:-$here/artifacts/dist/bin}
keep=false image_only=''
case ${1-} in
    --keep) keep=true; shift ;;
    --image-only) image_only=${2:?a directory for the OCI layout}; shift 2 ;; # makes the image, and that is all
esac
image=${1-}

work=$(mktemp -d /var/tmp/overlaybd-demo.XXXXXX)
bundle=$work/bundle
registry_pid='' server_pid=''
export OVERLAYBD_RUN_DIR=$work/run OVERLAYBD_CACHE_DIR=$work/cache

step() { printf '\n==> [%3d s] %s\n' "$SECONDS" "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

stop() { # PID: asks a process to end and waits until it has
    [ -n "$1" ] || return 0
    kill -TERM "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

clean_up() {
    local status=$? target device
    trap - EXIT
    set +e # every step is tried, whatever became of the one before
    trap '' INT TERM
    stop "$server_pid"
    if [ -d "$work/run/devices" ]; then
        "$bin/overlaybd" list --json 2>/dev/null | grep -o '"devicePath":"[^"]*"' | cut -d'"' -f4 | while read -r device; do
            "$bin/overlaybd" detach --force "$device" 2>/dev/null || true
        done
    fi
    runc --root "$work/runc" delete --force demo-original 2>/dev/null || true
    stop "$registry_pid"
    # The newest mount first, as later ones stand on earlier ones.
    awk -v work="$work/" 'index($5, work) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r target; do
        umount "$target" 2>/dev/null || umount -l "$target" 2>/dev/null || true
    done
    if grep -qF " $work/" /proc/self/mountinfo; then
        printf 'demo: something in %s is still mounted, so it was left there\n' "$work" >&2
    else
        rm -rf --one-file-system "$work"
    fi
    exit "$status"
}
trap clean_up EXIT
trap 'printf "\ndemo: interrupted, cleaning up\n" >&2; exit 130' INT TERM

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12768)) # below those that the kernel gives to connections, such as one to the registry
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

# in_root COMMAND...: runs a command in the root that is being made
in_root() { chroot "$bundle/rootfs" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }

commit_layer() { umoci repack --refresh-bundle --image "$work/layout:demo" --history.created_by "$1" "$bundle"; }

make_image() {
    local rootfs=$bundle/rootfs option sources=() options=()
    . /etc/os-release
    for option in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ ! -s "$option" ] || sources+=("$option")
    done
    # The ways of this machine to its mirror are needed as well: proxies and how old an index may be.
    while read -r option; do
        options+=("--aptopt=$option")
    done < <(apt-config dump | grep -E '^Acquire::(https?|ftp)::|^Acquire::Check-|^Acquire::Languages' | grep -v ' "";$' || true)

    step "layer 1 of 3: a Debian root (mmdebstrap)"
    umoci init --layout "$work/layout"
    umoci new --image "$work/layout:demo"
    umoci unpack --image "$work/layout:demo" "$bundle"
    # The packages of layer 2 are fetched with the same index, and installed later.
    mmdebstrap --quiet --variant=minbase --mode=root "${options[@]}" \
        --customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -qq -y --no-install-recommends --download-only install redis-server >/dev/null' \
        --customize-hook='mkdir '"$work"'/packages && mv "$1"/var/cache/apt/archives/*.deb '"$work"'/packages/' \
        "$VERSION_CODENAME" "$work/base.tar" "${sources[@]}"
    tar -C "$rootfs" --numeric-owner --xattrs --xattrs-include='*' -xpf "$work/base.tar"
    rm "$work/base.tar"
    commit_layer "mmdebstrap --variant=minbase"

    step "layer 2 of 3: redis-server"
    mkdir "$rootfs/packages"
    mount --bind "$work/packages" "$rootfs/packages"
    mount -t proc proc "$rootfs/proc"
    in_root sh -c 'dpkg --install /packages/*.deb' >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2; die "redis-server cannot be installed"; }
    umount "$rootfs/packages" "$rootfs/proc"
    rmdir "$rootfs/packages"
    commit_layer "dpkg --install redis-server"

    step "layer 3 of 3: deletes, replaces, hard-links, sets extended attributes"
    rm -r "$rootfs/usr/share/doc" "$rootfs/usr/share/man"
    printf 'This root is a stack of block layers.\n' >"$rootfs/etc/motd"
    ln "$rootfs/usr/bin/redis-cli" "$rootfs/usr/local/bin/redis"
    rm "$rootfs/etc/issue"
    mkdir "$rootfs/etc/issue"
    printf 'A file became a directory.\n' >"$rootfs/etc/issue/README"
    setfattr -n user.overlaybd.demo -v 'kept in the layer' "$rootfs/etc/motd"
    commit_layer "demo"

    umoci config --image "$work/layout:demo" --config.user redis:redis --config.workingdir /var/lib/redis \
        --config.cmd redis-server --config.cmd=--port --config.cmd="$redis_port" --config.cmd=--bind --config.cmd=127.0.0.1 \
        --config.cmd=--save --config.cmd= --history.created_by "demo"
    rm -rf --one-file-system "$bundle"
}

start_registry() {
    cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: 127.0.0.1:$registry_port}
YAML
    docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
    registry_pid=$!
    local tries=0
    until (exec 3<>"/dev/tcp/127.0.0.1/$registry_port") 2>/dev/null; do
        kill -0 "$registry_pid" 2>/dev/null && [ $((tries += 1)) -lt 500 ] || { cat "$work/registry.log" >&2; die "the registry does not start"; }
        sleep 0.02
    done
}

# served_since LINE: "REQUESTS BYTES" that the registry itself says it answered after that line of its log
served_since() {
    tail -n "+$(($1 + 1))" "$work/registry.log" |
        awk '/"GET \/v2\// { for (i = 1; i < NF; i++) if ($i ~ /^"?HTTP\//) { n++; bytes += $(i + 2) } } END { print n + 0, bytes + 0 }'
}
log_position() { wc -l <"$work/registry.log"; }

# await_pong: waits until redis answers; the process in server_pid must stay
await_pong() {
    until [ "$(redis-cli -h 127.0.0.1 -p "$redis_port" ping 2>/dev/null)" = PONG ]; do
        kill -0 "$server_pid" 2>/dev/null || { cat "$work/container.log" >&2; die "the container ended before it answered"; }
        sleep 0.01
    done
}

# await_output: for an image that is not ours: its first line, or its end
await_output() {
    while [ ! -s "$work/container.log" ] && kill -0 "$server_pid" 2>/dev/null; do
        sleep 0.01
    done
}

run_lazily() { # sets elapsed and position
    position=$(log_position)
    : >"$work/container.log" # what the run before printed is no output of this one
    local start
    start=$(now_ms)
    "$bin/overlaybd" run "$converted" >"$work/container.log" 2>&1 </dev/null &
    server_pid=$!
    "$await"
    elapsed=$(($(now_ms) - start))
}

run_whole() {
    position=$(log_position)
    : >"$work/container.log" # what the run before printed is no output of this one
    local start
    start=$(now_ms)
    skopeo --insecure-policy copy --quiet --src-tls-verify=false "docker://$original" "oci:$work/pulled:demo"
    umoci unpack --image "$work/pulled:demo" "$work/unpacked"
    # The same network as the other container has: the machine's.
    sed -i -z -e 's/{[^{}]*"network"[^{}]*},//' -e 's/"terminal": *true/"terminal": false/' "$work/unpacked/config.json"
    runc --root "$work/runc" run --bundle "$work/unpacked" demo-original >"$work/container.log" 2>&1 </dev/null &
    server_pid=$!
    "$await"
    elapsed=$(($(now_ms) - start))
}

value() { sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p" <<<"$1"; }
megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'; }
seconds() { awk -v ms="$1" 'BEGIN { printf "%.2f s", ms / 1e3 }'; }

redis_port=$(free_port)
registry_port=$(free_port)
original=127.0.0.1:$registry_port/demo:original
converted=127.0.0.1:$registry_port/demo:overlaybd
event=PONG await=await_pong source_options=()
if [ -n "$image" ]; then
    event='first output' await=await_output
    case $image in *://* | oci:* | oci-archive:*) source=$image ;; *) source=docker://$image ;; esac
    # What listens on this machine may do so without TLS, as it may for docker.
    case $source in docker://localhost[:/]* | docker://127.*) source_options=(--src-tls-verify=false) ;; esac
else
    make_image
    if [ -n "$image_only" ]; then
        mkdir -p "$(dirname "$image_only")"
        rm -rf "$image_only"
        mv "$work/layout" "$image_only"
        exit 0
    fi
    source=oci:$work/layout:demo
fi

step "a registry on 127.0.0.1:$registry_port, and the image in it (docker-registry, skopeo)"
start_registry
skopeo --insecure-policy copy --quiet "${source_options[@]}" --dest-tls-verify=false "$source" "docker://$original"
rm -rf "$work/layout"

step "overlaybd convert $original $converted"
"$bin/overlaybd" convert "$original" "$converted"

step "overlaybd run $converted, on an empty cache"
rm -rf "$work/cache"
run_lazily
lazy_ms=$elapsed
statistics=$("$bin/overlaybd" stats --json | head -n 1)
read -r lazy_requests lazy_bytes < <(served_since "$position")
stored=$(value "$statistics" storedBytes)
printf '%s after %s\n' "$event" "$(seconds "$lazy_ms")"
if [ -n "$statistics" ]; then
    "$bin/overlaybd" list
    "$bin/overlaybd" stats
fi
stop "$server_pid"
server_pid=''

step "once more, with what the cache has now"
run_lazily
warm_ms=$elapsed
read -r warm_requests warm_bytes < <(served_since "$position")
printf '%s after %s\n' "$event" "$(seconds "$warm_ms")"
stop "$server_pid"
server_pid=''

step "the original: pulled whole, unpacked, run (skopeo, umoci, runc)"
run_whole
whole_ms=$elapsed
read -r whole_requests whole_bytes < <(served_since "$position")
printf '%s after %s\n' "$event" "$(seconds "$whole_ms")"
stop "$server_pid"
server_pid=''

step "what was measured"
row() { printf '%-34s %18s %18s %18s\n' "$@"; }
row '' 'lazily, cold' 'lazily, warm' 'pulled whole'
row "time to $event" "$(seconds "$lazy_ms")" "$(seconds "$warm_ms")" "$(seconds "$whole_ms")"
row 'bytes from the registry' "$(megabytes "$lazy_bytes")" "$(megabytes "$warm_bytes")" "$(megabytes "$whole_bytes")"
row 'requests to the registry' "$lazy_requests" "$warm_requests" "$whole_requests"
if [ -n "$stored" ]; then
    fetched=$(value "$statistics" fetchedBytes)
    printf '\nfetched %s of %s (%s %%) in %s requests before %s\n' "$(megabytes "$fetched")" "$(megabytes "$stored")" \
        "$(awk -v a="$fetched" -v b="$stored" 'BEGIN { printf "%.1f", 100 * a / b }')" "$(value "$statistics" fetchRequests)" "$event"
fi
printf '\nTo look further:\n'
if ! $keep; then
    printf '  ./build.sh demo --keep, which leaves all of this running and says what to try\n  docs/getting-started.md\n'
    exit 0
fi
cat <<TEXT
  export OVERLAYBD_RUN_DIR=$work/run OVERLAYBD_CACHE_DIR=$work/cache PATH=$bin:\$PATH
  overlaybd inspect $converted
  overlaybd mount $converted /mnt && ls /mnt && overlaybd stats && overlaybd umount /mnt
  overlaybd run $converted -- redis-cli --version
TEXT
step "Ctrl-C ends it"
wait "$registry_pid"
