#!/bin/bash
# Fetch the bundle of node programs by the instance's role, check it, and hand over to it.
set -euo pipefail
. /etc/vet/node.env
echo "vet: loader on a $ROLE of $CLUSTER"
