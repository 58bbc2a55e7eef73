"""Four source roots, one import package each, and the Cython extensions among them; metadata is in pyproject.toml."""

import os
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup

ROOTS = {"osrec": "firmware", "osrec_drivers": "drivers", "osrec_emulators": "emulators", "osrec_hil": "hil"}
PARTS = os.environ.get("OSREC_PARTS", " ".join(ROOTS.values())).split()  # the appliance: "firmware drivers"
DATA = ["py.typed", "**/*.pyi", "**/*.asn1", "**/*.mako", "**/*.toml", "**/*.alaw"]
CHECKED = bool(os.environ.get("OSREC_CHECKED"))  # bounds checks, for `make test-all`

roots = {package: root for package, root in ROOTS.items() if root in PARTS}


def extension(source: Path, root: str) -> Extension:
    """One module a .pyx, with the C beside it: `name.pyx` takes `_name.c` when there is one."""
    kernel = source.with_name(f"_{source.stem}.c")
    return Extension(
        ".".join(source.relative_to(root).with_suffix("").parts),
        [str(source), *([str(kernel)] if kernel.exists() else [])],
        include_dirs=[str(source.parent), "drivers", numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=["-O3", "-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-function", "-Wno-unused-parameter"],
        extra_link_args=["-pthread"],
        depends=[str(header) for header in source.parent.glob("*.h")],
    )


setup(
    package_dir={package: f"{root}/{package}" for package, root in roots.items()},
    packages=[
        found for package, root in roots.items() for found in find_packages(root, include=[package, f"{package}.*"])
    ],
    package_data={
        package: ["**/*.pyi", "**/*.asn1", "**/*.ini", "**/*.mako", "**/*.toml", "py.typed"] for package in roots
    },
    ext_modules=cythonize(
        [extension(source, root) for root in roots.values() for source in sorted(Path(root).rglob("*.pyx"))],
        build_dir="build/cython",
        include_path=list(ROOTS.values()),
        compiler_directives={
            "language_level": 3,
            "boundscheck": CHECKED,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": CHECKED,
            "embedsignature": True,
        },
    ),
)
