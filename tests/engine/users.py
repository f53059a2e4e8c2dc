"""A user's own package, written outside the repository, as tests of loading and identity need it."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

MODULE = """
    from __future__ import annotations
    from collections.abc import Mapping, Sequence
    from dataclasses import dataclass
    import pyarrow as pa
    from engine.module import Outcome, RawFile, Source, Table, Verdict, Status, column
    from {package}.helper import total

    SIZES = Table(
        pa.schema([
            column("source_id", pa.string(), "1", "Source"),
            column("size", pa.float64(), "By", "bytes"),
        ]),
        key=("source_id",), sort=("source_id",),
    )

    HALF = column("half", pa.float64(), "By", "half of the bytes")
    WIDE = Table(SIZES.schema.append(HALF), key=SIZES.key, sort=SIZES.sort)

    @dataclass(frozen=True)
    class Sizes:
        factor: float = 1.0
        bands: tuple[int, ...] = (1, 2)
        wide: bool = False

        @property
        def name(self) -> str:
            return "User Sizes"

        @property
        def outputs(self) -> Mapping[str, Table]:
            return {{"sizes": WIDE if self.wide else SIZES}}

        def __call__(self, files: Sequence[RawFile], source: Source) -> Outcome:
            good = [file for file in files if file.data.startswith(b"PK")]
            if not good:
                return Outcome.reject(source, ["FORMAT_UNKNOWN"], "no zip among the files")
            rows = [{{"source_id": source.source_id, "size": self.factor * total(good)}}]
            bad = tuple(
                Verdict(file.name, Status.REJECTED, ("FORMAT_UNKNOWN",)) if file not in good
                else Verdict(file.name, Status.OK)
                for file in files
            )
            return Outcome({{"sizes": pa.Table.from_pylist(rows, self.outputs["sizes"].schema)}}, bad)

    def bare(files, source, *, factor=2.0):
        return Sizes(factor=factor)(files, source)

    bare.outputs = {{"sizes": SIZES}}
"""


def write_package(folder: Path, package: str) -> Path:
    """`package` with `module.py` (Sizes, bare), `helper.py` that it imports, and `unrelated.py`; gives its folder."""
    place = folder / package
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("")
    (place / "module.py").write_text(dedent(MODULE.format(package=package)))
    (place / "helper.py").write_text("def total(files):\n    return sum(len(file.data) for file in files)\n")
    (place / "unrelated.py").write_text("x = 1\n")
    return place


def install_package(folder: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the package and put it first on the path for one test, whatever an earlier test imported by its name."""
    write_package(folder, package)
    monkeypatch.syspath_prepend(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
