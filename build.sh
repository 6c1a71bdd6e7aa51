#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The one script of the repository. `./build.sh` alone lists the verbs.
# Each verb installs, with apt-get, the Debian packages that it needs and does not find.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Invariant: the SDK would want libicu, which nothing here needs.
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
SUDO=
[ "$(id -u)" -eq 0 ] || SUDO="sudo -E env PATH=$PATH"

usage() {
    cat <<'TEXT'
usage: ./build.sh VERB [ARGUMENTS]

  demo [--keep] [IMAGE]
                   make an image (or take IMAGE), push it to a registry on 127.0.0.1, convert it,
                   run it while its blocks are fetched lazily, and compare with pulling it whole
  test             build, run every test, check the formatting; last line: N passed, N failed, N skipped
  bench [ARGS...]  run the benchmarks; ARGS go to BenchmarkDotNet (try --list flat, --filter '*ZFile*')
  bench [vm] devices [SECONDS [NAME]]
                   measure the block devices with fio; with vm, in a virtual machine whose kernel has TCMU
  bench vm idle [COUNT]
                   measure the memory of many devices
  bench snapshotter [CYCLES [PROGRAM]]
                   measure Prepare and Remove of ordinary layers, beside containerd's own overlayfs snapshotter
  publish [--managed]
                   put the programs into artifacts/dist/bin and example configuration into artifacts/dist/etc:
                   native ones that need no .NET where they run; with --managed, quicker to make, ones that do
  pack             put the NuGet packages of the libraries into artifacts/packages
  format           rewrite the sources the way `test` wants them
TEXT
}

say() { printf '%s\n' "$*" >&2; }
die() { say "build.sh: $*"; exit 1; }

# need WHAT:PACKAGE...   WHAT is a program on the PATH, a shared library (lib*.so.*), or an absolute path.
need() {
    local item what package libraries missing=()
    libraries=$(ldconfig -p 2>/dev/null || true)
    for item in "$@"; do
        what=${item%%:*} package=${item#*:}
        case $what in
            lib*.so*) grep -qF "$what " <<<"$libraries" && continue ;;
            /*) [ -e "$what" ] && continue ;;
            *) command -v "$what" >/dev/null && continue ;;
        esac
        case " ${missing[*]-} " in *" $package "*) ;; *) missing+=("$package") ;; esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    command -v apt-get >/dev/null || die "this machine has no apt-get; install what provides: ${missing[*]}"
    say "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { $SUDO apt-get update -qq &&
           $SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "apt-get could not install: ${missing[*]}"
    fi
    rm -f "$log"
}

need_sdk() {
    command -v dotnet >/dev/null || die "the .NET SDK 10 is not on the PATH; see https://dot.net/download"
    dotnet --version >/dev/null || die "no installed .NET SDK matches global.json; see \`dotnet --list-sdks\`"
}

# What the programs themselves use at run time.
RUNTIME=(libext2fs.so.2:libext2fs2 libcom_err.so.2:libcom-err2 mount:mount losetup:mount umount:mount runc:runc)

solution_builds() {
    dotnet restore OverlayBd.sln --verbosity quiet &&
        dotnet build OverlayBd.sln --no-restore -c Release --verbosity quiet
}

verb_test() {
    need_sdk
    need "${RUNTIME[@]}" docker-registry:docker-registry skopeo:skopeo umoci:umoci mkfs.ext4:e2fsprogs fio:fio \
         setfattr:attr setcap:libcap2-bin tar:tar zstd:zstd mmdebstrap:mmdebstrap redis-cli:redis-tools \
         ps:procps linux.uml:user-mode-linux modprobe:kmod ip:iproute2 unshare:util-linux busybox:busybox-static strace:strace repquota:quota \
         containerd:containerd go:golang-go /usr/share/gocode/src/github.com/containerd/containerd:golang-github-containerd-containerd-dev
    # The image is made while the solution builds: each waits for the network and the disk where the other works.
    demo_image &
    local image=$! built=0
    solution_builds || built=$?
    if ! wait "$image" || [ "$built" -ne 0 ]; then
        say "the build, or the image of the demo, failed"
        echo "0 passed, 1 failed, 0 skipped"
        return 1
    fi

    local log status passed=0 failed=0 skipped=0
    log=$(mktemp)
    count() { sed -n "s/^ *$1: *\([0-9][0-9]*\)\$/\1/p" "$log" | tail -n 1; }
    # tally STATUS: adds the figures of the log; what ended badly without telling of a failure is one.
    tally() {
        local failures
        failures=$(count failed)
        [ "$1" -eq 0 ] || [ "${failures:-0}" -gt 0 ] || failures=1
        passed=$((passed + $(count succeeded) + 0)) failed=$((failed + failures + 0)) skipped=$((skipped + $(count skipped) + 0))
    }

    # The virtual machine has one processor and a kernel of its own: what runs in it does not see what runs beside it.
    local vm_log
    vm_log=$(mktemp)
    vm_tests "$@" >"$vm_log" 2>&1 &
    vm=$!
    trap '$SUDO kill "$vm" 2>/dev/null || true' EXIT

    # One test program at a time: several of them make devices and measure memory. Code 8 is "no test in this program".
    # One in which no test begins or ends for ten minutes is ended; what it was at stands in a file.
    status=0
    $SUDO rm -rf artifacts/TestResults/*_hang.log
    $SUDO dotnet test --solution OverlayBd.sln --no-build -c Release --max-parallel-test-modules 1 --ignore-exit-code 8 \
        --hangdump --hangdump-timeout 10m --hangdump-type None --results-directory "$PWD/artifacts/TestResults" \
        --no-progress "$@" 2>&1 | tee "$log" || status=$?
    local hung
    for hung in artifacts/TestResults/*_hang.log; do
        [ ! -f "$hung" ] || say "it hung: $(basename "$hung" _hang.log) was ended in $(tr '\n' ' ' <"$hung")"
    done
    tally "$status"

    say "checking the formatting"
    if ! dotnet format OverlayBd.sln --verify-no-changes --no-restore --verbosity quiet; then
        say "the formatting differs; ./build.sh format mends it"
        failed=$((failed + 1))
    fi

    say "waiting for the tests in the virtual machine"
    status=0
    wait "$vm" || status=$?
    trap - EXIT
    tee "$log" <"$vm_log"
    tally "$status"
    rm -f "$log" "$vm_log"

    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}

# The image of the demo, made once for the tests here and for those in the guest, which has no network to make it with.
demo_image() {
    [ -d artifacts/demo-image ] || $SUDO demo/demo.sh --image-only "$PWD/artifacts/demo-image" >&2
}

# The tests that need TCMU, in a virtual machine whose kernel has it (tests/vm/README.md). Takes the place of its shell.
vm_tests() {
    local results=artifacts/TestResults/vm
    mkdir -p "$results"
    # The longest part, and it has one processor: the other tests, which may use any, must not hold it up.
    # Each change of a mapping is dear in there, and with each new thread the kernel maps every page of the process anew: these
    # have the programs of .NET make fewer of all three.
    exec $SUDO nice -n -10 tests/vm/run --memory 3072 --timeout 3600 --share "$results" --env DOTNET_CLI_TELEMETRY_OPTOUT=1 \
        --env DOTNET_EnableWriteXorExecute=0 --env DOTNET_TieredPGO=0 --env DOTNET_EnableDiagnostics=0 \
        --env DOTNET_gcConcurrent=0 --env DOTNET_GCGen0MaxBudget=400000 --env DOTNET_ThreadPool_ThreadTimeoutMs=-1 -- \
        artifacts/bin/OverlayBd.Vm.Tests/release/OverlayBd.Vm.Tests --results-directory "$PWD/$results" \
        --ignore-exit-code 8 --ansi off --progress off --output Detailed "$@"
}

verb_publish() {
    need_sdk
    local host kind=(--self-contained false -p:PublishReadyToRun=true)
    case ${1-} in
        --managed) ;;
        '')
            need g++:g++
            # Apart from the other builds: what restores for native code would have each of them fetch the native compiler.
            kind=(-p:PublishAot=true --artifacts-path artifacts/native)
            ;;
        *) die "publish takes --managed or nothing" ;;
    esac

    rm -rf artifacts/dist
    mkdir -p artifacts/dist/bin artifacts/dist/etc
    # All programs share one folder, and the managed ones one copy of the libraries.
    for host in overlaybd-backstore overlaybd-snapshotter overlaybd; do
        dotnet publish "hosts/$host/$host.csproj" -c Release --verbosity quiet -r "linux-$(machine)" \
            "${kind[@]}" -p:DebugType=none -o artifacts/dist/bin
    done
    rm -rf artifacts/dist/bin/etc artifacts/dist/bin/*.xml artifacts/dist/bin/*.dbg artifacts/dist/bin/*.staticwebassets.endpoints.json
    for host in hosts/*/etc; do
        [ ! -d "$host" ] || cp -R "$host/." artifacts/dist/etc/
    done
    say "published to artifacts/dist"
}

machine() {
    case $(uname -m) in
        x86_64) echo x64 ;;
        aarch64) echo arm64 ;;
        *) die "no runtime identifier is known for $(uname -m)" ;;
    esac
}

verb_pack() {
    need_sdk
    need unzip:unzip
    local project name file contents
    rm -rf artifacts/packages
    for project in src/*/*.csproj; do
        # Where a package was built is nobody's business, and no reason for other bytes.
        dotnet pack "$project" -c Release --verbosity quiet -p:PathMap="$PWD/=/_/" -o artifacts/packages
        name=$(basename "$project" .csproj)
        contents=$(unzip -Z1 artifacts/packages/"$name".[0-9]*.nupkg) || die "$name was not packed"
        for file in "$name.nuspec" README.md icon.png "lib/net10.0/$name.dll" "lib/net10.0/$name.xml"; do
            grep -qxF "$file" <<<"$contents" || die "the package of $name has no $file"
        done
        if grep -qaF "$PWD" <(unzip -p artifacts/packages/"$name".[0-9]*.nupkg "lib/net10.0/$name.dll"); then
            die "the package of $name tells where it was built"
        fi
    done
    ls artifacts/packages
}

verb_bench() {
    need_sdk
    need "${RUNTIME[@]}" fio:fio liblz4.so.1:liblz4-1 libzstd.so.1:libzstd1 libisal.so.2:libisal2
    dotnet build benchmarks/OverlayBd.Benchmarks -c Release --verbosity quiet
    local program=artifacts/bin/OverlayBd.Benchmarks/release/OverlayBd.Benchmarks
    [ "${1-}" != snapshotter ] || need containerd:containerd
    if [ "${1-}" = vm ]; then
        shift
        need containerd:containerd linux.uml:user-mode-linux modprobe:kmod ip:iproute2 unshare:util-linux mkfs.ext4:e2fsprogs \
             tcmu-runner:tcmu-runner dbus-daemon:dbus
        $SUDO tests/vm/run --memory 6144 --timeout 1800 -- "$program" "$@"
    else
        $SUDO "$program" "$@"
    fi
}

verb_demo() {
    need_sdk
    need "${RUNTIME[@]}" docker-registry:docker-registry skopeo:skopeo umoci:umoci mmdebstrap:mmdebstrap redis-cli:redis-tools \
         setfattr:attr tar:tar curl:curl
    verb_publish --managed
    exec $SUDO demo/demo.sh "$@"
}

verb_format() {
    need_sdk
    dotnet restore OverlayBd.sln --verbosity quiet
    dotnet format OverlayBd.sln --no-restore "$@"
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case $verb in
    demo | test | bench | publish | pack | format) "verb_$verb" "$@" ;;
    help | --help | -h) usage ;;
    *) usage >&2; exit 2 ;;
esac
