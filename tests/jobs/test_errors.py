"""`nightmill errors` and what becomes of bad files in later runs."""

from __future__ import annotations

import json
import shlex

import polars as pl
import pytest

from jobs.reproduce import commands
from tests.jobs.conftest import Mill

POISON = "len(word) if word != b'poison' else (_ for _ in ()).throw(MemoryError('too much'))"


def words(mill: Mill, *more: str) -> tuple[str, ...]:
    return ("reprocess", "raw", "-o", "out", "--module", mill.module, "--in-process", "--include", "*.txt", *more)


def kinds(mill: Mill) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(mill("errors", "out", "--json").stdout)
    return found


def test_kinds_have_an_example_and_the_command_that_reproduces_it(mill: Mill) -> None:
    mill.file("P03/1774645200_A1.txt", "raise me")
    mill.file("P04/1774645200_A 2.txt", "raise me too")
    mill.file("P05/1774645200_A1.txt", "   ")
    flags = ("--zone", "Europe/Dublin", "--set", "factor=2.5", "--max-failures", "50%")
    assert mill(*words(mill, *flags)).returncode == 3
    failed, rejected = kinds(mill)
    assert (failed["status"], failed["files"], failed["example"]) == ("failed", 2, "P03/1774645200_A1.txt")
    assert str(failed["fingerprint"]).startswith("ValueError at ")
    assert (rejected["status"], rejected["files"]) == ("rejected", 1)
    command = str(failed["reproduce"])
    assert command in mill("errors", "out").stdout
    again = mill(*shlex.split(command)[1:], "--json")
    assert again.returncode == 3, again.stderr
    (told,) = json.loads(again.stdout)["files"]
    assert (told["file"], told["source_id"]) == ("P03/1774645200_A1.txt", "P03/2026-03-27")
    assert told["message"] == failed["message"]
    for words_ in (["--subject", "P03"], ["--zone", "Europe/Dublin"], ["--set", "factor=2.5"]):
        assert shlex.join(words_) in command


def test_a_quarantined_file_waits_until_it_is_asked_for_or_the_module_changes(mill: Mill) -> None:
    mill.write_module(length=POISON)
    mill.file("P03/1774645200_A1.txt", "poison")
    assert mill(*words(mill)).returncode == 3
    (kind,) = kinds(mill)
    assert (kind["status"], kind["cause"]) == ("quarantined", "memory")
    later = mill(*words(mill))
    assert later.returncode == 0 and "nothing to do" in later.stdout
    assert [one["status"] for one in kinds(mill)] == ["quarantined"]
    asked = mill(*words(mill, "--retry", "quarantined", "--max-failures", "100%", "--json"))
    assert json.loads(asked.stdout)["statuses"] == {"quarantined": 1}
    mill.write_module()
    released = mill.apart(*words(mill, "--json"))
    assert json.loads(released.stdout)["statuses"] == {"ok": 7}
    assert kinds(mill) == []


@pytest.mark.parametrize("config", [None, "{}"])
def test_a_run_of_no_job_has_no_command(config: str | None) -> None:
    entries = pl.DataFrame(
        {"work_key": ["w"], "file": ["f"], "uri": ["/r/f"], "run_id": ["r"], "subject_id": ["s"], "facts": ["{}"]}
    )
    runs = pl.DataFrame({"run_id": ["r"], "config": [config]}, schema={"run_id": pl.String, "config": pl.String})
    assert commands(pl.Series(["f", "gone"]), entries, runs).to_list() == [None, None]


def test_one_sites_failures_do_not_drown_among_the_others(mill: Mill) -> None:
    for day in range(3):
        mill.file(f"P05/{1774645200 + day * 86400}_A1.txt", "raise")
    told = ("--template", "{subject}/{start}_{serial}.txt", "--batch", "1", "--retry", "failed", "--max-failures")
    stopped = mill(*words(mill, *told, "1", "--max-failures-by", "subject"))
    assert stopped.returncode == 4 and "2 of 2 files of subject P05 failed" in stopped.stderr
    assert mill(*words(mill, *told, "20%", "--max-failures-by", "serial")).returncode == 3
    assert "no template has the field 'site'" in mill(*words(mill, *told, "1", "--max-failures-by", "site")).stderr
