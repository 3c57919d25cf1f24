# shellcheck shell=bash
# shellcheck disable=SC2034 # the programs that source this use what it sets
# What all node programs share: where things are, one log line per decision, and retries with an end.
set -euo pipefail
shopt -s inherit_errexit

root=${VET_ROOT:-} # a folder to work in instead of /, for tests
patience=${VET_PATIENCE:-80} # attempts of a long wait: at most 30 s apart, so about 40 minutes
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(basename "$0")

# shellcheck source=/dev/null
. "$root/etc/vet/node.env"

export AWS_DEFAULT_REGION=$REGION AWS_PAGER=
# The CLI's own retries, with back-off, are what throttling and passing errors of AWS meet.
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=${AWS_MAX_ATTEMPTS:-8}
export PATH=$root/usr/local/bin:$PATH

facts=$root/run/vet # what this boot found out; gone with the next
data=$root/var/lib/vet/data # where the data volume is mounted
server_data=$root/var/lib/rancher/rke2/server
config=$root/etc/rancher/rke2
admin_kubeconfig=$config/rke2.yaml # what RKE2 writes on a server for itself
mkdir -p "$facts" "$config/config.yaml.d"

EXIT_STOP=78 # sysexits' EX_CONFIG: a person has to look, systemd must not try again

log() {
  echo "vet $program: $*" >&2
  # Under systemd the line above is in the journal already.
  [ -n "${JOURNAL_STREAM:-}" ] || logger -t vet -- "$program: $*" || true
}

stop() { # REASON...  end for good: trying again would not help
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
  temporary=$(mktemp "$2.XXXXXX")
  cat >"$temporary"
  chmod "$1" "$temporary"
  mv "$temporary" "$2"
}

metadata() { # PATH  from the instance's metadata service (IMDSv2)
  local endpoint=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254} token
  token=$(retry 6 curl --fail --silent --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' \
    "$endpoint/latest/api/token")
  retry 6 curl --fail --silent --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$endpoint/latest/meta-data/$1"
}

# Secrets are passed through pipes: an argument would show in the list of processes.

secret() { # NAME  print its value; nothing when it has none yet
  local value errors code=0
  errors=$(mktemp) # apart from the value: a warning of the CLI must not become part of a token
  value=$(aws secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text 2>"$errors") || code=1
  if [ "$code" -eq 0 ]; then
    printf '%s' "$value"
  elif grep -q ResourceNotFoundException "$errors"; then
    code=0
  else
    log "cannot read the secret $1: $(<"$errors")"
  fi
  rm -f "$errors"
  return "$code"
}

store_secret() { # NAME  value from standard input
  aws secretsmanager put-secret-value --secret-id "$1" --secret-string file:///dev/stdin >/dev/null
}

cluster_ca() { # print the cluster's CA certificate; nothing while it is pending
  local value
  value=$(aws ssm get-parameter --name "$CA_PARAMETER" --query Parameter.Value --output text) || return 1
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

next_peer() { # print the address of the following slot; nothing when this is the only server
  local addresses
  read -ra addresses <<<"$SERVER_ADDRESSES"
  [ "${#addresses[@]}" -eq 1 ] || echo "${addresses[$(((SLOT + 1) % ${#addresses[@]}))]}"
}

join_through() { # ADDRESS  the server that RKE2 joins when it has no data; it ignores it otherwise. Empty: it would initialise
  if [ -n "${1:-}" ]; then
    echo "server: https://$1:9345" | write_file 0600 "$config/config.yaml.d/30-join.yaml"
  else
    rm -f "$config/config.yaml.d/30-join.yaml"
  fi
}

# On another server, before this one belongs to the cluster: by the stored administrator credentials, never by a key on
# disk.

peer_kubeconfig() { # ADDRESS
  local ca
  ca=$(cluster_ca | base64 --wrap=0) || return 1
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
all_voting() { # reads a member list; true when every member is started and none is a learner
  ! grep -Evq ', started, .*, false$'
}
