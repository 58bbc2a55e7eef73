#!/bin/bash
# Builds the C kernels with ASan and UBSan, as they are and as plain C, and runs random octets through them:
# run.sh [ROUNDS [SEED]].
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for plain in -UE1_PLAIN -DE1_PLAIN; do
  ${CC:-gcc} -std=gnu11 "$plain" -O1 -g -Wall -Wextra -Wno-unused-function -Wno-unused-parameter -fno-omit-frame-pointer \
    -fsanitize=address,undefined -fno-sanitize-recover=all \
    -Idrivers/osrec_drivers -Idrivers/osrec_drivers/dsp -Idrivers/osrec_drivers/e1 \
    tests/sanitize/kernels.c -o "$out/kernels" -lm
  "$out/kernels" "$@"
done
