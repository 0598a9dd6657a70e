#!/usr/bin/env bash
# Installs the clients of the interop suite into ${ODRADEK_INTEROP_CACHE:-~/.cache/odradek-interop}.
#   install.sh [CLIENT...]   all of them, or only those named: kcat java tools streams go python node
# A part whose manifests and sources are unchanged since it was installed is left alone. One that
# cannot be installed is said on standard error and the rest goes on; the exit code tells of it.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${ODRADEK_INTEROP_CACHE:-$HOME/.cache/odradek-interop}
mkdir -p "$cache"

# Debian's packages by what they are for: kcat itself; what librdkafka is linked against when
# @confluentinc/kafka-javascript is built from its source.
kcat_packages=(kcat)
node_packages=(g++ make python3 libssl-dev zlib1g-dev libzstd-dev libsasl2-dev libcurl4-openssl-dev)

debian() { # PACKAGE...: installs those that are missing
  local missing=() name
  for name in "$@"; do dpkg -s "$name" >/dev/null 2>&1 || missing+=("$name"); done
  [[ ${#missing[@]} == 0 ]] && return
  command -v apt-get >/dev/null || { echo "needs ${missing[*]} and there is no apt-get" >&2; return 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -q "${missing[@]}" >/dev/null 2>&1 && return
  apt-get update -q >/dev/null && apt-get install -y -q "${missing[@]}" >/dev/null
}

kcat_part() { debian "${kcat_packages[@]}"; }

java_part() { # a folder of jars and one of classes for each version
  local version home
  for version in 4.3.1 3.9.1 2.8.2; do
    home=$cache/java-$version
    mkdir -p "$home/classes"
    MAVEN_OPTS=-Xmx256m mvn -q -B -Dstyle.color=never -f "$here/java/pom.xml" -Dclients.version="$version" \
      dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$home/lib" >&2 || return
    javac -J-Xmx256m -nowarn -Xlint:-options -d "$home/classes" -cp "$home/lib/*" "$here"/java/*.java || return
  done
}

tools_part() { # Kafka's own command line tools
  MAVEN_OPTS=-Xmx256m mvn -q -B -Dstyle.color=never -f "$here/tools/pom.xml" \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$cache/tools-4.3.1" >&2
}

streams_part() { # Kafka Streams, and an application of it
  local home=$cache/streams-4.3.1
  mkdir -p "$home/classes"
  MAVEN_OPTS=-Xmx256m mvn -q -B -Dstyle.color=never -f "$here/streams/pom.xml" \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$home/lib" >&2 || return
  javac -J-Xmx256m -nowarn -Xlint:-options -d "$home/classes" -cp "$home/lib/*" "$here"/streams/*.java
}

go_part() { (
  cd "$here/go" && export GOFLAGS=-mod=readonly && go build -o "$cache/franz-go" . &&
    go build -o "$cache/" ./franzmember ./saramamember &&
    go test -c -o "$cache/kgo.test" github.com/twmb/franz-go/pkg/kgo
); }

python_part() {
  python3 -c "import ensurepip" 2>/dev/null || debian python3-venv || return
  python3 -m venv --clear "$cache/python" &&
    "$cache/python/bin/pip" install -q --disable-pip-version-check -r "$here/python/requirements.txt"
}

# The programs lie in the repository and the packages in the cache; a link lets Node find them.
# kafka-javascript's prebuilt binary comes from outside the package registry, so it is built here,
# against the system's libraries (CKJS_LINKING=dynamic) rather than ones that it would download.
node_part() {
  debian "${node_packages[@]}" || return
  mkdir -p "$cache/node" && cp "$here/node/package.json" "$here/node/package-lock.json" "$cache/node/" &&
    (cd "$cache/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || return
  local headers; headers=$(dirname "$(dirname "$(realpath "$(command -v node)")")")
  [[ ! -d $headers/include/node ]] || export npm_config_nodedir=$headers
  (cd "$cache/node" && CKJS_LINKING=dynamic npm_config_build_from_source=true \
    npm rebuild --foreground-scripts @confluentinc/kafka-javascript) >"$cache/kafka-javascript.log" 2>&1 ||
    { tail -20 "$cache/kafka-javascript.log" >&2; return 1; }
}
node_link() { ln -sfn "$cache/node/node_modules" "$here/node/node_modules"; }

fingerprint() { # PART: of this script and of all that the part is made from
  { cat "$here/install.sh"; find "$here/$1" -type f ! -name '*.js' ! -name '*.py' 2>/dev/null |
    LC_ALL=C sort | xargs -r cat; node --version; } | sha256sum
}

installed() { # PART
  case $1 in
    kcat) command -v kcat >/dev/null ;;
    java) [[ -f $cache/java-2.8.2/classes/GroupMember.class ]] ;;
    tools) compgen -G "$cache/tools-4.3.1/kafka-tools-*.jar" >/dev/null ;;
    streams) [[ -f $cache/streams-4.3.1/classes/StreamsApp.class ]] ;;
    go) [[ -x $cache/franz-go && -x $cache/saramamember && -x $cache/kgo.test ]] ;;
    python) [[ -x $cache/python/bin/python ]] ;;
    node) [[ -d $cache/node/node_modules ]] ;;
  esac
}

failed=0
[[ $# == 0 ]] && set -- kcat java tools streams go python node
for part in "$@"; do
  case $part in kcat | java | tools | streams | go | python | node) ;; *) echo "no part $part" >&2; exit 2 ;; esac
  stamp=$cache/$part.stamp
  now=$(fingerprint "$part")
  if ! { [[ -f $stamp && $(<"$stamp") == "$now" ]] && installed "$part"; }; then
    echo "interop: installing $part" >&2
    rm -f "$stamp"
    if "${part}_part"; then echo "$now" >"$stamp"; else echo "interop: $part CANNOT BE INSTALLED" >&2; failed=1; continue; fi
  fi
  [[ $part != node ]] || node_link
done
exit $failed
