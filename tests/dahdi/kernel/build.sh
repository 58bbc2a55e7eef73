#!/bin/bash
# build.sh KERNEL DIRECTORY: the test bench's module for that kernel, against the headers of dahdi-dkms.
set -euo pipefail
kernel=$1 out=$2 here=$(dirname "$(realpath "$0")")
include=$(echo /usr/src/dahdi-*/include)
dynamic=$(find "/lib/modules/$kernel" -name 'dahdi_dynamic.ko*' | head -1)
cp "$here"/{osrec_e1bench.c,Kbuild} "$out"
# dkms keeps no Module.symvers; the versions of DAHDI's symbols stand in the modules that use them
/sbin/modprobe --dump-modversions "$dynamic" | awk '$2 ~ /dahdi/ { print $1 "\t" $2 "\tdahdi\tEXPORT_SYMBOL\t" }' > "$out/dahdi.symvers"
make -s -C "/lib/modules/$kernel/build" M="$out" DAHDI_INCLUDE="$include" KBUILD_EXTRA_SYMBOLS="$out/dahdi.symvers" modules
