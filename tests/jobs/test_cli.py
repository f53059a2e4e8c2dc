"""The command line as a person meets it, tried with a user's own module from a package outside this repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from jobs.cli import COMMANDS, cli
from tests.cluster.test_certificates import certificates
from tests.jobs.conftest import Mill

ROOT = Path(__file__).resolve().parents[2]
TEXT = ("--include", "*.txt")


def words(mill: Mill) -> tuple[str, ...]:
    """The flags that name the user's module and its files."""
    return ("--module", mill.module, "--in-process", *TEXT)


def rows(mill: Mill, output: str, table: str = "words") -> pl.DataFrame:
    frame = pl.scan_delta(str(mill.folder / output / table)).drop("module_id").collect()
    return frame.sort("source_id")


def told(mill: Mill, *arguments: str) -> dict[str, object]:
    done = mill(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", [*COMMANDS, "module check", "cluster scheduler", "cluster worker"])
def test_every_command_is_documented_in_the_readme_and_teaches(name: str) -> None:
    said = CliRunner().invoke(cli, [*name.split(), "--help"])
    assert said.exit_code == 0
    assert f"nightmill {name}" in (ROOT / "README.md").read_text()
    assert re.search(r"Examples?:", said.output), f"nightmill {name} --help shows no example"


def test_help_of_the_group_names_every_command_and_exit_code() -> None:
    said = CliRunner().invoke(cli, ["--help"]).output
    assert all(name in said for name in COMMANDS)
    assert all(code in said for code in ("0 finished", "1 a bug", "2 your move", "3 finished", "4 stopped", "130"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reproces"], "No such command 'reproces'"),
        (["reprocess", "raw"], "no output: give -o OUT"),
        (["reprocess", "-o", "out"], "no input"),
        (["reprocess", "nowhere", "-o", "out"], "nowhere: no such file or folder"),
        (["reprocess", "raw", "-o", "out", "--zone", "Zurich"], "no IANA time zone is called 'Zurich'"),
        (["reprocess", "raw", "-o", "out", "--module", "MODULEz", *TEXT], "did you mean Words?"),
        (["reprocess", "raw", "-o", "out", "--module", "MODULE", "--set", "facto=2", *TEXT], "factor"),
        (["reprocess", "mill.yaml"], "mill.yaml: unknown key 'modul'; did you mean 'module'?"),
        (["status", "nowhere"], "no nightmill output here"),
        (["query", "nowhere", "select 1"], "no nightmill output here"),
        (["process", "nowhere.zip"], "nowhere.zip"),
        (["process"], "Missing argument 'FILES...'"),
        (["errors"], "Missing argument 'OUTPUT'"),
    ],
)
def test_the_users_mistake_is_one_clear_line(mill: Mill, arguments: list[str], words: str) -> None:
    (mill.folder / "mill.yaml").write_text("inputs: [{uri: raw}]\noutput: out\nmodul: {ref: night}\n")
    done = mill(*(argument.replace("MODULE", mill.module) for argument in arguments))
    assert done.returncode == 2, done.stderr
    assert words in done.stderr and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert not (mill.folder / "out").exists()


def test_a_run_from_the_plan_to_the_query(mill: Mill) -> None:
    planned = told(mill, "plan", "raw", "-o", "out", *words(mill))
    assert (planned["files"], planned["done_files"]) == (6, 0)
    done = mill("reprocess", "raw", "-o", "out", *words(mill))
    assert done.returncode == 0, done.stderr
    assert "6 files" in done.stdout and "words 6" in done.stdout
    assert rows(mill, "out")["words"].to_list() == [4] * 6
    assert "all 6 files are ok" in mill("errors", "out").stdout
    asked = mill("query", "out", "select subject_id, sum(words) as n from words group by 1 order by 1", "--csv")
    assert asked.stdout == "subject_id,n\nP01,12\nP02,12\n"
    columns = json.loads(mill("tables", "out", "words", "--json").stdout)
    assert [one["column"] for one in columns] == pl.scan_delta(mill.folder / "out/words").collect_schema().names()
    assert columns[0]["type"] == "string"
    assert "letters a word" in mill("tables", "out", "words").stdout
    assert "words" in mill("status", "out").stdout
    wrong = mill("query", "out", "select nothing from words")
    assert wrong.returncode == 2 and "nothing" in wrong.stderr


def test_a_second_run_does_nothing(mill: Mill) -> None:
    told(mill, "reprocess", "raw", "-o", "out", *words(mill))
    before = sorted(str(path) for path in (mill.folder / "out").rglob("*"))
    # No --in-process here: with nothing to do no cluster is started either.
    again = mill("reprocess", "raw", "-o", "out", "--module", mill.module, *TEXT)
    assert again.returncode == 0 and "nothing to do" in again.stdout
    assert sorted(str(path) for path in (mill.folder / "out").rglob("*")) == before


def test_a_late_file_makes_only_its_source_stale(mill: Mill) -> None:
    told(mill, "reprocess", "raw", "-o", "out", *words(mill))
    mill.file("P01/1774648800_A1.txt", "later that night")
    stale = told(mill, "plan", "raw", "-o", "out", *words(mill))["stale"]
    assert isinstance(stale, list) and [one["source_id"] for one in stale] == ["P01/2026-03-27"]
    summary = told(mill, "reprocess", "raw", "-o", "out", *words(mill))
    assert summary["statuses"] == {"ok": 2}
    found = rows(mill, "out")
    assert found.filter(pl.col("source_id") == "P01/2026-03-27")["words"].to_list() == [7]
    assert found.height == 6


@pytest.mark.parametrize("change", ["parameter", "code"])
def test_changed_code_or_parameters_make_everything_stale_and_are_named(mill: Mill, change: str) -> None:
    told(mill, "reprocess", "raw", "-o", "out", *words(mill))
    flags = words(mill)
    if change == "parameter":
        flags = (*flags, "--set", "factor=2")
    else:
        mill.write_module(length="2 * len(word)")
    planned = mill("plan", "raw", "-o", "out", *flags)
    assert ("factor" if change == "parameter" else f"{mill.package}.words") in planned.stdout, planned.stdout
    assert told(mill, "plan", "raw", "-o", "out", *flags)["done_files"] == 0
    assert mill.apart("reprocess", "raw", "-o", "out", *flags).returncode == 0
    asked = "select count(*) as n, round(avg(mean_length), 2) as mean from "
    assert mill("query", "out", asked + "words", "--csv").stdout.endswith("\n6,5.5\n")
    assert mill("query", "out", asked + "words_all", "--csv").stdout.split()[1].startswith("12,")
    # Back to the first version: nothing to compute, and the views show it again.
    mill.write_module()
    told(mill, "reprocess", "raw", "-o", "out", *words(mill))
    assert mill("query", "out", asked + "words", "--csv").stdout.endswith("\n6,2.75\n")


def test_bad_files_are_rows_and_the_others_are_done(mill: Mill) -> None:
    mill.file("P03/1774645200_A1.txt", "raise")
    mill.file("P04/1774645200_A1.txt", "  ")
    done = mill("reprocess", "raw", "-o", "out", *words(mill))
    assert done.returncode == 3 and "Traceback" not in done.stdout + done.stderr
    listed = json.loads(mill("errors", "out", "--files", "--json").stdout)
    assert [(one["file"], one["status"], one["cause"]) for one in listed] == [
        ("P03/1774645200_A1.txt", "failed", "module"),
        ("P04/1774645200_A1.txt", "rejected", listed[1]["cause"]),
    ]
    assert "this file is cursed" in mill("errors", "out", "--traceback", "P03/1774645200_A1.txt").stdout
    assert rows(mill, "out").height == 6
    again = mill("reprocess", "raw", "-o", "out", *words(mill))
    assert again.returncode == 0 and "nothing to do" in again.stdout
    mill.file("P03/1774645200_A1.txt", "healed now")
    assert mill("reprocess", "raw", "-o", "out", *words(mill), "--retry", "failed").returncode == 0


def test_too_many_failures_stop_the_run(mill: Mill) -> None:
    for day in range(4):
        mill.file(f"P05/{1774645200 + day * 86400}_A1.txt", "raise")
    done = mill("reprocess", "raw", "-o", "out", *words(mill), "--max-failures", "1", "--batch", "1")
    assert done.returncode == 4 and "the same command" in done.stderr


def test_process_gives_the_rows_of_the_run(mill: Mill) -> None:
    told(mill, "reprocess", "raw", "-o", "out", *words(mill))
    files = sorted(str(path.relative_to(mill.folder)) for path in (mill.folder / "raw").rglob("*.txt"))
    done = mill("process", *files, "--module", mill.module, "-o", "few")
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(mill.folder / "few" / "words.parquet").sort("source_id").equals(rows(mill, "out"))


@pytest.mark.slow
def test_a_module_of_ones_own_runs_on_the_cluster_and_its_killers_are_quarantined(mill: Mill) -> None:
    mill.file("P06/1774645200_A1.txt", "crash")
    mill.file("P07/1774645200_A1.txt", "hang")
    flags = ("--module", mill.module, "--workers", "2", "--limit-seconds", "2", "--max-failures", "50%", *TEXT)
    done = mill.apart("reprocess", "raw", "-o", "out", *flags)
    assert done.returncode == 3, done.stderr
    listed = json.loads(mill("errors", "out", "--files", "--json").stdout)
    assert [(one["source_id"], one["status"], one["cause"]) for one in listed] == [
        ("P06/2026-03-27", "quarantined", "killed"),
        ("P07/2026-03-27", "quarantined", "timeout"),
    ]
    assert rows(mill, "out").height == 6


def test_compact_leaves_the_rows_alone(mill: Mill) -> None:
    told(mill, "reprocess", "raw", "-o", "out", *words(mill))
    before = rows(mill, "out")
    done = mill("compact", "out")
    assert done.returncode == 0, done.stderr
    assert rows(mill, "out").equals(before)


def test_doctor_finds_this_installation_sound() -> None:
    said = CliRunner().invoke(cli, ["doctor", "--json"], standalone_mode=False)
    checks = {check["what"]: check for check in json.loads(said.output)}
    assert all(checks[f"package {room}"]["good"] for room in ("kernels", "engine", "cluster", "configs", "jobs"))


def test_doctor_looks_at_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = certificates(tmp_path / "tls")
    monkeypatch.setenv("NIGHTMILL_TLS", str(folder))

    def verdict() -> tuple[object, object]:
        said = CliRunner().invoke(cli, ["doctor", "--json"], standalone_mode=False)
        (found,) = [check for check in json.loads(said.output) if check["what"] == "certificates"]
        return found["good"], found["advice"]

    (folder / "key.pem").chmod(0o600)
    assert verdict()[0] is True
    (folder / "key.pem").chmod(0o644)
    assert verdict() == (False, f"chmod 600 {folder}/key.pem")
    (folder / "ca.pem").unlink()
    assert verdict()[0] is False
