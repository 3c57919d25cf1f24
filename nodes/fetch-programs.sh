#!/bin/bash
# Fetch the AWS CLI and the node programs, check both, and hand over. Run by vet-fetch-programs.service at every
# power-on until that is done: cloud-init would run it only once, however that ended.
# Terraform interpolates user data, so this file uses neither a brace after a dollar sign nor one after a percent sign.
set -euo pipefail
root=$(printenv VET_ROOT || true)
# shellcheck source=/dev/null
. "$root/etc/vet/node.env"
# The file is sorted, and this name is its last: a file that was cut ends before it.
if ! grep -q "^VPC_ID='..*'" "$root/etc/vet/node.env"; then
  echo "vet fetch-programs: stop: /etc/vet/node.env is cut: it has no VPC_ID. Replace this machine"
  exit 78
fi
export AWS_DEFAULT_REGION=$REGION AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=8

log() {
  echo "vet fetch-programs: $*"
  # Under systemd the line above is in the journal already.
  printenv JOURNAL_STREAM >/dev/null || logger -t vet -- "fetch-programs: $*" || true
}

stop() { # trying again would not help: systemd does not (RestartPreventExitStatus)
  log "stop: $*"
  exit 78
}

retry() { # COMMAND...  until it succeeds, at most eight times in about four minutes
  local attempt
  for attempt in 1 2 3 4 5 6 7 8; do
    "$@" && return 0
    log "attempt $attempt of 8 failed: $1"
    sleep $((attempt * 8))
  done
  log "giving up: $*"
  return 1
}

download() { retry curl --fail --silent --show-error --location --proto '=https' --max-time 600 --output "$2" "$1"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if aws --version 2>/dev/null | grep -q "^aws-cli/$AWS_CLI_VERSION "; then
  log "AWS CLI $AWS_CLI_VERSION is installed"
else
  log "installing the AWS CLI $AWS_CLI_VERSION: it is not there or of another version"
  url=https://awscli.amazonaws.com/awscli-exe-linux-x86_64-$AWS_CLI_VERSION.zip
  download "$url" "$work/aws.zip"
  download "$url.sig" "$work/aws.zip.sig"
  gpgv --quiet --keyring "$root/etc/vet/aws-cli.gpg" "$work/aws.zip.sig" "$work/aws.zip" ||
    stop "the AWS CLI archive is not signed by AWS's key"
  # Ubuntu's image has no unzip; Python's keeps no modes, and the archive's only programs are these two.
  python3 -m zipfile -e "$work/aws.zip" "$work"
  chmod +x "$work/aws/install" "$work/aws/dist/aws"
  "$work/aws/install" --update --bin-dir "$root/usr/local/bin" --install-dir "$root/usr/local/aws-cli" >/dev/null
fi

# One archive for each content: the key holds its checksum.
retry aws s3 cp --quiet "s3://$NODES_BUCKET/$BUNDLE_KEY" "$work/bundle.tar.gz"
echo "$BUNDLE_SHA256  $work/bundle.tar.gz" | sha256sum --check --status ||
  stop "the programs' checksum is not $BUNDLE_SHA256"
rm -rf "$root/opt/vet.new"
mkdir -p "$root/opt/vet.new"
tar -xzf "$work/bundle.tar.gz" -C "$root/opt/vet.new" --no-same-owner
rm -rf "$root/opt/vet"
mv "$root/opt/vet.new" "$root/opt/vet"
log "programs $BUNDLE_SHA256 are in place; handing over"
exec "$root/opt/vet/bin/install-units"
