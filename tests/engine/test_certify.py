from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from engine.certify import CALLS, Certificate, certify
from engine.code.probe import Answer, Trial, Watch, answer_all
from engine.errors import ModuleError, UserError
from engine.load import ModuleRef
from tests.engine.users import write_package

BODY = """
    from dataclasses import dataclass
    from certified_pkg.module import SIZES, Sizes
    import pyarrow as pa

    @dataclass(frozen=True)
    class Odd(Sizes):
        def __call__(self, files, source):
            good = super(Odd, self).__call__(files, source)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "S1_1586909000.zip").write_bytes(b"PK" + bytes(1000))
    yield write_package(tmp_path, "certified_pkg")
    for name in [name for name in sys.modules if name.partition(".")[0] == "certified_pkg"]:
        del sys.modules[name]


def check(place: Path, body: str, **options: Any) -> Certificate:
    """The certificate of `Sizes` whose call goes on with `body`; `good` is what it would give."""
    (place / "odd.py").write_text(dedent(BODY) + indent(dedent(body), " " * 8) + "\n")
    return certify("certified_pkg.odd:Odd", {}, [str(place.parent / "S1_1586909000.zip")], **options)


def failed(certificate: Certificate) -> dict[str, str]:
    return {check.name: check.sentence for check in certificate.checks if not check.passed}


def test_a_good_module_passes(place: Path) -> None:
    certificate = certify("certified_pkg.module:Sizes", {"factor": 2}, [str(place.parent / "S1_1586909000.zip")])
    assert failed(certificate) == {}
    assert certificate.passed
    assert certificate.module_id.startswith("user-sizes-")
    (measure,) = certificate.measures
    assert (measure.source_id, measure.files, measure.rows) == ("S1/2020-04-14", 1, 1)
    assert measure.ms > 0
    assert measure.peak_memory_mb > 1


def test_a_bare_function_without_files(place: Path) -> None:
    certificate = certify("certified_pkg.module:bare", {})
    assert certificate.passed
    assert certificate.measures == ()


def test_what_a_module_may_do(place: Path) -> None:
    body = """
        import colorsys, xml.dom.minidom
        from zoneinfo import ZoneInfo
        print("chatter", ZoneInfo("Asia/Kathmandu"))
        return good
    """
    assert failed(check(place, body)) == {}


def test_what_it_opens_is_refused_and_named(place: Path) -> None:
    body = """
        import os, socket, subprocess
        for act in (
            lambda: open("/etc/hostname"),
            lambda: open("left_behind", "w"),
            lambda: socket.socket(),
            lambda: os.listdir("/etc"),
            lambda: subprocess.run(["true"]),
        ):
            try: act()
            except PermissionError: continue
            raise AssertionError(act)
        return good
    """
    certificate = check(place, body)
    assert failed(certificate) == {
        "pure": "it opens open /etc/hostname r; open left_behind w; socket.__new__ and 2 more"
    }
    assert "same process" not in [check.name for check in certificate.checks]
    assert not Path("left_behind").exists()


@pytest.mark.parametrize(
    ("event", "arguments", "forbidden"),
    [
        ("open", ("/etc/passwd", "r", 0), True),
        ("open", (b"/etc/passwd", None, 0), True),
        ("open", (3, "r", 0), False),
        ("open", (zoneinfo.__file__, "r", 0), False),
        ("open", (zoneinfo.__file__ + ".txt", "w", 0), True),
        ("open", ("/anywhere/__pycache__/x.tmp", "w", 0), False),
        ("os.remove", ("/tmp/x", -1), True),
        ("socket.connect", (None, ("127.0.0.1", 1)), True),
        ("os.fork", (), True),
        ("import", ("json",), False),
        ("object.__getattr__", (1, "x"), False),
    ],
)
def test_what_counts_as_opening(event: str, arguments: tuple[Any, ...], forbidden: bool) -> None:
    watch = Watch()
    watch.hook(event, arguments)
    assert watch.opened == []
    with watch.on(), pytest.raises(PermissionError) if forbidden else nullcontext():
        watch.hook(event, arguments)
    assert bool(watch.opened) == forbidden


@pytest.mark.parametrize(
    ("body", "name", "sentence"),
    [
        (
            "global n\nn = globals().get('n', 0) + 1\nif n == 2: return good\nraise ValueError",
            "deterministic",
            "two calls",
        ),
        ("object.__setattr__(self, 'factor', 5.0)\nreturn good", "frozen", "changed parameters, on given bytes"),
        ("if not good.tables: raise EOFError('no end')\nreturn good", "garbage", "EOFError: no end"),
        ("if not files[0].data: 1 / 0\nreturn good", "empty", "ZeroDivisionError"),
        ("return type(good)({})", "garbage", "not rejected: return Outcome.reject"),
        ("if 9 < len(files[0].data) < 1000: 1 / 0\nreturn good", "truncated", "ZeroDivisionError"),
        (
            "return type(good)({'other': good.tables.get('sizes')})",
            "given",
            "'other' is not among the module's outputs",
        ),
        ("import sys\nsys.exit(3)", "given", "SystemExit"),
    ],
)
def test_what_it_may_not(place: Path, monkeypatch: pytest.MonkeyPatch, body: str, name: str, sentence: str) -> None:
    def answer_here(ref: ModuleRef, trials: list[Trial], limit_s: float, hash_seed: str) -> tuple[list[Answer], None]:
        return answer_all(ref, trials, CALLS), None

    monkeypatch.setattr("engine.certify._in_process", answer_here)
    certificate = check(place, body)
    assert not certificate.passed
    assert sentence in failed(certificate)[name]


def test_nan_is_no_missing_value(place: Path) -> None:
    body = """
        if not good.tables: return good
        rows = [{"source_id": source.source_id, "size": float("nan")}]
        return type(good)({"sizes": pa.Table.from_pylist(rows, SIZES.schema)})
    """
    assert "NaN" in failed(check(place, body))["given"]


def test_order_of_a_set_shows_in_another_process(place: Path) -> None:
    body = """
        if not good.tables: return good
        size = float(list({str(n) for n in range(50)})[0])
        rows = [{"source_id": source.source_id, "size": size}]
        return type(good)({"sizes": pa.Table.from_pylist(rows, SIZES.schema)})
    """
    assert "fresh process" in failed(check(place, body))


def test_a_module_that_ends_its_process_is_blamed(place: Path) -> None:
    body = """
        import os
        if files[0].data and not good.tables: os._exit(9)
        return good
    """
    certificate = check(place, body)
    assert failed(certificate) == {
        "survives": "on garbage bytes of S1/2020-04-14 it ended the process with exit code 9"
    }
    assert len(certificate.measures) == 1


@pytest.mark.slow
def test_a_module_that_does_not_end(place: Path) -> None:
    certificate = check(place, "while not good.tables: pass\nreturn good", limit_s=4.0)
    assert failed(certificate) == {"survives": "on garbage bytes of S1/2020-04-14 it did not finish within 4 s"}


def test_a_module_that_does_not_pickle(place: Path) -> None:
    (place / "odd.py").write_text(
        dedent(BODY) + "        return good\n    def __reduce__(self):\n        raise TypeError('never')\n"
    )
    assert failed(certify("certified_pkg.odd:Odd", {})) == {"pickles": "it does not pickle: never"}


def test_another_machine_may_be_asked(place: Path) -> None:
    asked: list[ModuleRef] = []

    def elsewhere(function: Any, ref: ModuleRef, trials: list[Trial]) -> list[Answer]:
        asked.append(ref)
        answers: list[Answer] = function(ref, trials)
        return answers[:-1] if len(asked) > 1 else answers

    first, second = (certify("certified_pkg.module:Sizes", {}, elsewhere=elsewhere) for _ in range(2))
    assert first.checks[-1].name == "Dask"
    assert first.passed
    assert failed(second) == {"Dask": "a Dask worker gives other tables"}


def test_what_cannot_be_tried(place: Path) -> None:
    with pytest.raises(ModuleError):
        certify("certified_pkg.module:Nobody", {})
    with pytest.raises(UserError, match="there is no such file"):
        certify("certified_pkg.module:Sizes", {}, ["nowhere.zip"])
