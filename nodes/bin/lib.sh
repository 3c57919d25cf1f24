# shellcheck shell=bash
# shellcheck disable=SC2034 # the programs that source this use what it sets
# What all node programs share: where things are, one log line per decision, and retries with an end.
set -euo pipefail
shopt -s inherit_errexit

root=${VET_ROOT:-} # a folder to work in instead of /, for tests
max_attempts=${VET_MAX_ATTEMPTS:-80} # attempts of a long wait: at most 30 s apart, so about 40 minutes
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(basename "$0")

# shellcheck source=/dev/null
. "$root/etc/vet/node.env"
ENVIRONMENT=${ENVIRONMENT:-} # a machine that was made before it was told
# The file is sorted, and this name is its last: a file that was cut ends before it.
if [ -z "${VPC_ID:-}" ]; then
  echo "vet $program: stop: $root/etc/vet/node.env is cut: it has no VPC_ID. Replace this machine: make roll-servers" >&2
  exit 78
fi

export AWS_DEFAULT_REGION=$REGION AWS_PAGER=
# The CLI's own retries, with back-off, are what throttling and passing errors of AWS meet.
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=${AWS_MAX_ATTEMPTS:-8}
export PATH=$root/usr/local/bin:$PATH

facts=$root/run/vet # what this boot found out; gone with the next
# Servers may have been added since this one was made: learn-servers reads the environment's record.
[ ! -s "$facts/servers" ] || SERVER_ADDRESSES=$(cat "$facts/servers")
# For every caller, systemd, Session Manager or a person: a network without a way out has a proxy. curl and the AWS CLI take addresses, not
# networks, so the servers of today stand in the list.
if [ -f "$root/etc/vet/proxy.env" ]; then
  set -a
  # shellcheck source=/dev/null
  . "$root/etc/vet/proxy.env"
  no_proxy=$no_proxy,${SERVER_ADDRESSES// /,}
  # shellcheck disable=SC2154 # the file sets them
  HTTP_PROXY=$http_proxy HTTPS_PROXY=$https_proxy NO_PROXY=$no_proxy
  set +a
fi
data=$root/var/lib/vet/data # where the data volume is mounted
server_data=$root/var/lib/rancher/rke2/server
config=$root/etc/rancher/rke2
admin_kubeconfig=$config/rke2.yaml # what RKE2 writes on a server for itself
mkdir -p "$facts" "$config/config.yaml.d"

COPY=4 # volume-identity: the data volume is a copy of another one
EXIT_STOP=78 # sysexits' EX_CONFIG: a person has to look, systemd must not try again

log() {
  echo "vet $program: $*" >&2
  # Under systemd the line above is in the journal already.
  [ -n "${JOURNAL_STREAM:-}" ] || logger -t vet -- "$program: $*" || true
}

stop() { # REASON...  end, and let systemd not try again: trying again would not help
  log "stop: $*"
  exit "$EXIT_STOP"
}

# What retry calls runs without errexit (bash turns it off in a condition), so such functions end with "|| return 1"
# where it matters.
retry() { # ATTEMPTS COMMAND...  until it succeeds; waits 2, 4, 8, 16, then 30 seconds
  local attempts=$1 attempt=1 pause=2 code
  shift
  while true; do
    code=0
    "$@" || code=$?
    [ "$code" -eq 0 ] && return 0
    [ "$code" -eq "$EXIT_STOP" ] && return "$code"
    if [ "$attempt" -ge "$attempts" ]; then
      log "giving up after $attempts attempts: $*"
      return 1
    fi
    sleep "$pause"
    attempt=$((attempt + 1)) pause=$((pause * 2 > 30 ? 30 : pause * 2))
  done
}

# Session Manager goes on with a program whose caller was interrupted; the same one again waits for it, and then finds
# what it has done.
alone() {
  [ -z "${VET_ALONE:-}" ] || return 0 # called by a program that is
  exec 9>"$facts/restore.lock"
  flock --wait 3600 9 || stop "another restore or rejoin has been running on this server for an hour: journalctl -t vet"
  export VET_ALONE=yes
}

download() { # URL FILE SHA256  fetch and check; the file appears only when its content is right
  retry 8 curl --fail --silent --show-error --location --proto =https --max-time 900 --output "$2.part" "$1"
  if ! echo "$3  $2.part" | sha256sum --check --status; then
    local found
    found=$(sha256sum "$2.part" | cut -d' ' -f1)
    rm -f "$2.part"
    stop "$1 has the checksum $found, expected $3"
  fi
  mv "$2.part" "$2"
}

write_file() { # MODE FILE  from standard input, whole or not at all
  local temporary
  mkdir -p "$(dirname "$2")"
  temporary=$(mktemp "$2.XXXXXX") || return 1
  if ! { cat >"$temporary" && chmod "$1" "$temporary" && mv "$temporary" "$2"; }; then
    rm -f "$temporary"
    return 1
  fi
}

# Below a place where nothing is mounted lies the root disk: nothing there is no answer, and what is written there is lost.
need_data_volume() { # CONSEQUENCE
  mountpoint --quiet "$data" || stop "the data volume is not mounted, so $1: sudo /opt/vet/bin/mount-data"
}

uptime_seconds() { cut -d. -f1 "$root/proc/uptime"; } # since power-on: no clock that somebody sets

# Whether a path is there, in three values: "not there" is said of nothing else.
exists() { # PATH  0 = yes, 1 = no, 2 = cannot be told
  local answer
  answer=$(LC_ALL=C stat -- "$1" 2>&1) && return 0
  [[ $answer != *"No such file or directory"* ]] || return 1
  log "cannot look at $1: $answer"
  return 2
}

ask_metadata() { # PATH PATTERN  one attempt; what does not look like an answer is none (an HTML page, an empty line)
  local endpoint=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254} token answer
  token=$(curl --fail --silent --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' \
    "$endpoint/latest/api/token") || return 1
  # Through a pipe, so that the token is in no list of processes and in no log.
  answer=$(printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$token" |
    curl --fail --silent --max-time 5 --config - "$endpoint/latest/meta-data/$1") || return 1
  [[ $answer =~ ^($2)$ ]] || { log "the metadata service says of $1: ${answer:0:80}"; return 1; }
  printf '%s\n' "$answer"
}

metadata() { # PATH PATTERN  from the instance's metadata service (IMDSv2)
  retry 6 ask_metadata "$@"
}

# Secrets are passed through pipes: an argument would show in the list of processes.

secret() { # NAME [OPTION...]  print its text; nothing when it has none yet. Fails when that cannot be told
  local value errors code=0
  errors=$(mktemp) # apart from the value: a warning of the CLI must not become part of a token
  value=$(aws secretsmanager get-secret-value --secret-id "$1" "${@:2}" --query SecretString --output text \
    2>"$errors") || code=1
  if [ "$code" -eq 0 ] && [ "$value" = None ]; then # so the CLI prints a null: the value is a SecretBinary
    log "the secret $1 holds no text (SecretBinary?)"
    code=1
  elif [ "$code" -eq 0 ]; then
    printf '%s' "$value"
  elif grep -q ResourceNotFoundException "$errors"; then
    code=0
  else
    log "cannot read the secret $1: $(cat "$errors")"
  fi
  rm -f "$errors"
  return "$code"
}

is_token() { # VALUE  something that can be seen, without blanks or control characters
  local LC_ALL=C
  [[ $1 =~ ^[[:graph:]]+$ ]]
}

store_secret() { # NAME  value from standard input
  aws secretsmanager put-secret-value --secret-id "$1" --secret-string file:///dev/stdin >/dev/null
}

cluster_ca() { # print the cluster's CA certificate; nothing while it is pending. Fails when that cannot be told
  local value
  value=$(aws ssm get-parameter --name "$CA_PARAMETER" --query Parameter.Value --output text) || return 1
  if [ -z "$value" ] || [ "$value" = None ]; then
    log "the parameter $CA_PARAMETER is empty"
    return 1
  fi
  [ "$value" = pending ] || printf '%s\n' "$value"
}

address_of_slot() { # NUMBER
  local addresses
  read -ra addresses <<<"$SERVER_ADDRESSES"
  echo "${addresses[$1]}"
}

kube() { # kubectl on a server that runs the cluster, with RKE2's own administrator
  kubectl --kubeconfig "$admin_kubeconfig" --request-timeout 30s "$@"
}

next_peer() { # print the address of the following slot; a single server's is its own
  local addresses
  read -ra addresses <<<"$SERVER_ADDRESSES"
  echo "${addresses[$(((SLOT + 1) % ${#addresses[@]}))]}"
}

# The server that RKE2 joins when it has no data; it ignores it otherwise. Empty: it would initialise. Its own address
# makes it fail there, which is what a single server's RKE2 shall do that was started by hand over an emptied disk.
set_join_server() { # ADDRESS
  if [ -n "${1:-}" ]; then
    echo "server: https://$1:9345" | write_file 0600 "$config/config.yaml.d/30-join.yaml"
  else
    rm -f "$config/config.yaml.d/30-join.yaml"
  fi
}

# On another server, before this one belongs to the cluster: by the stored administrator credentials, never by a key on
# disk.

peer_kubeconfig() { # ADDRESS  it trusts what "peers" compares with
  local ca
  ca=$(base64 --wrap=0 "$facts/trusted-ca.crt") || return 1
  [ -n "$ca" ] || return 1
  write_file 0600 "$facts/peer.kubeconfig" <<EOF
apiVersion: v1
kind: Config
clusters: [{name: peer, cluster: {server: "https://$1:6443", certificate-authority-data: $ca}}]
contexts: [{name: peer, context: {cluster: peer, user: admin}}]
current-context: peer
users:
  - name: admin
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        interactiveMode: Never
        command: aws
        args: [secretsmanager, get-secret-value, --query, SecretString, --output, text, --secret-id, $CREDENTIALS_SECRET_PREFIX/admin]
EOF
}

peer_kube() { kubectl --kubeconfig "$facts/peer.kubeconfig" --request-timeout 30s "$@"; }

etcdctl_in() { # KUBECTL-FUNCTION HOST-ADDRESS ARGUMENTS...  RKE2 has etcdctl only inside etcd's own pod
  local kubectl=$1 address=$2 pod tls=/var/lib/rancher/rke2/server/tls/etcd
  shift 2
  pod=$("$kubectl" -n kube-system get pods -l component=etcd \
    -o jsonpath="{.items[?(@.status.hostIP==\"$address\")].metadata.name}") || return 1
  [ -n "$pod" ] || { log "no etcd pod on $address"; return 1; }
  "$kubectl" -n kube-system exec "$pod" -- etcdctl --command-timeout 20s \
    --cacert "$tls/server-ca.crt" --cert "$tls/server-client.crt" --key "$tls/server-client.key" "$@"
}

# "member list" prints: id, status, name, peer URL, client URL, is-learner
all_voting() { # reads a member list; true when it is one, every member is started and none is a learner
  local members
  members=$(cat) || return 1
  [ -n "$members" ] && ! grep -Evq ', started, .*, false$' <<<"$members"
}
