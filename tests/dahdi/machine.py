"""A virtual machine that runs this machine's own file system under Debian's kernel, in virtual time.

One processor counts its instructions, and time is that count (`-icount shift=0,sleep=off`): a guest that idles jumps to
its next timer, and no load of the host makes anything in it late. The file system is the host's, read-only, with
changes kept in memory. It needs no network, no privileges, and no hardware virtualisation.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PACKAGES = "qemu-system-x86 linux-image-amd64 linux-headers-amd64 busybox-static cpio dahdi-dkms"
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")


class NotReadyError(Exception):
    """This machine lacks what the test needs; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel of Debian's for which dahdi-dkms has built its modules."""

    release: str

    @property
    def image(self) -> Path:
        return Path("/boot") / f"vmlinuz-{self.release}"

    @property
    def modules(self) -> Path:
        return Path("/lib/modules") / self.release

    def has(self, name: str) -> bool:
        return any(self.modules.rglob(f"{name}.ko*"))

    def with_dependencies(self, names: Sequence[str]) -> list[Path]:
        """The files of modules and of those that they need, these first; what is built in has none."""
        found: list[Path] = []
        for name in names:
            told = subprocess.run(
                ["/sbin/modprobe", "-S", self.release, "--show-depends", name],
                capture_output=True,
                text=True,
                check=True,
            )
            for line in told.stdout.splitlines():
                kind, _, path = line.partition(" ")
                if kind == "insmod" and Path(path.strip()) not in found:
                    found.append(Path(path.strip()))
        return found


def kernel() -> Kernel:
    """The newest that has DAHDI. Raises NotReadyError."""
    if not shutil.which("qemu-system-x86_64"):
        raise NotReadyError(f"qemu-system-x86_64 is not installed: apt-get install {PACKAGES}")
    found = [Kernel(path.name.removeprefix("vmlinuz-")) for path in sorted(Path("/boot").glob("vmlinuz-*"))]
    for candidate in reversed(found):
        if candidate.has("dahdi_dynamic_loc"):
            return candidate
    releases = ", ".join(each.release for each in found) or "none"
    raise NotReadyError(
        f"no kernel in /boot ({releases}) has the module dahdi_dynamic_loc: apt-get install {PACKAGES}; "
        f"where that is done, see /var/lib/dkms/dahdi/*/build/make.log, or say: dkms autoinstall -k {releases}"
    )


def build_bench(release: str, directory: Path) -> Path:
    """Compile the test bench's kernel module. Raises NotReadyError."""
    directory.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [HERE / "kernel" / "build.sh", release, directory], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotReadyError(f"the test bench module does not build for Linux {release}:\n{done.stdout}{done.stderr}")
    return directory / "osrec_e1bench.ko"


def _initial_ram_disk(used: Kernel, directory: Path) -> Path:
    tree = directory / "initrd"
    for name in ("bin", "proc", "sys", "dev", "host", "modules"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    busybox = shutil.which("busybox")
    if busybox is None:
        raise NotReadyError("busybox is not installed: apt-get install busybox-static")
    shutil.copy(busybox, tree / "bin" / "busybox")
    for number, module in enumerate(used.with_dependencies(_MODULES)):
        shutil.copy(module, tree / "modules" / f"{number:02}-{module.name}")
    shutil.copy(HERE / "init", tree / "init")
    (tree / "init").chmod(0o755)
    packed = directory / "initrd.gz"
    subprocess.run(f"cd {tree} && find . | cpio -o -H newc --quiet | gzip -1 > {packed}", shell=True, check=True)
    return packed


class Machine:
    """Boots, runs one shell script as root, and powers off.

    Attributes:
        share: a directory that guest and host both see, in the guest as /mnt.
    """

    def __init__(self, used: Kernel, directory: Path) -> None:
        self.share = directory / "share"
        self.share.mkdir(parents=True, exist_ok=True)
        self._kernel = used
        self._initrd = _initial_ram_disk(used, directory)
        self._console = directory / "console.log"

    def run(self, script: str, seconds: float) -> Iterator[str]:
        """What the script prints, line by line. Raises NotReadyError when the machine does not come up."""
        (self.share / "run.sh").write_text(script)
        output = self.share / "output"
        output.write_text("")
        with output.open() as printed, subprocess.Popen(self._command(), stderr=subprocess.PIPE, text=True) as qemu:
            deadline = time.monotonic() + seconds
            while True:
                ended = qemu.poll() is not None
                yield from _whole_lines(printed)
                if ended:
                    break
                if time.monotonic() > deadline:
                    qemu.kill()
                    yield f"the virtual machine did not finish within {seconds:g} s and was stopped"
                    return
                time.sleep(0.2)
            failure = qemu.stderr.read() if qemu.stderr and qemu.returncode else ""
        if failure or not (self.share / "done").exists():
            console = self._console.read_text(errors="replace")[-2000:] if self._console.exists() else ""
            raise NotReadyError(f"the virtual machine did not run its script: {failure}\nits console:\n{console}")

    def _command(self) -> list[str]:
        (self.share / "done").unlink(missing_ok=True)
        nine = "security_model=none"
        return [
            *("nice", "-n", "5", "qemu-system-x86_64"),
            *("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-cpu", "max", "-smp", "1", "-m", "1500"),
            *("-nographic", "-no-reboot", "-nodefaults", "-serial", f"file:{self._console}"),
            *("-kernel", str(self._kernel.image), "-initrd", str(self._initrd)),
            *("-append", "console=ttyS0 panic=-1 loglevel=4"),
            *("-virtfs", f"local,path=/,mount_tag=hostroot,{nine},readonly=on,multidevs=remap"),
            *("-virtfs", f"local,path={self.share},mount_tag=share,{nine}"),
        ]  # fmt: skip


def _whole_lines(printed: Iterator[str]) -> Iterator[str]:
    for line in printed:
        yield line.rstrip("\n")


def guest_script(module: Path, parts: Sequence[str]) -> str:
    """What the machine runs."""
    return (
        f"cd {ROOT} && export PYTHONDONTWRITEBYTECODE=1 && "
        f"{sys.executable} -u -m tests.dahdi.guest /mnt/results {module} {' '.join(parts)}\n"
    )
