#!/bin/bash
# Builds the C kernels with ASan and UBSan and runs random octets through them: run.sh [ROUNDS [SEED]].
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
${CC:-gcc} -std=gnu11 -O1 -g -Wall -Wextra -Wno-unused-function -fno-omit-frame-pointer \
  -fsanitize=address,undefined -fno-sanitize-recover=all \
  -Idrivers/osrec_drivers -Idrivers/osrec_drivers/dsp -Idrivers/osrec_drivers/e1 \
  tests/sanitize/kernels.c -o "$out/kernels"
"$out/kernels" "$@"
