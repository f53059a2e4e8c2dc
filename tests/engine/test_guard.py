from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine import guard as guards_file
from engine.errors import InputUnreadable, ModuleError, StaleWorker
from engine.guard import ForkGuard, Guard, InlineGuard, Limits
from engine.inputs.sources import SourceWork
from engine.module import Source, Status, Verdict
from engine.storage import StoreOptions
from engine.work import Evaluation, FileRef, Input
from engine.workers.failures import Result
from engine.workers.telling import reading
from tests.engine.toy import SHORT, PieceWork, Toy, ToyMapped, ToyWork, works


@pytest.fixture(params=["inline", "forked"])
def guard(request: pytest.FixtureRequest, forked: ForkGuard) -> Guard:
    return forked if request.param == "forked" else InlineGuard(ToyMapped())


def by_key(guard: Guard, *some: ToyWork) -> dict[str, Result]:
    return {result.work.key: result for result in guard.evaluate(some)}


def test_every_work_gives_a_result(guard: Guard) -> None:
    results = by_key(guard, *works("a", "bb", "print", "reject"))
    assert [key for key, result in results.items() if not result.failures] == ["w000", "w001", "w002", "w003"]
    evaluation = results["w001"].evaluation
    assert evaluation is not None
    assert evaluation.outcome.tables["texts"].column("value").to_pylist() == [2.0] * 3
    assert list(evaluation.bytes_sha256) == ["f001.txt"]
    rejected = results["w003"].evaluation
    assert rejected is not None
    (verdict,) = rejected.outcome.verdicts
    assert (verdict.status, verdict.reasons) == (Status.REJECTED, ("FORMAT_UNKNOWN",))
    assert all(result.seconds >= 0 and result.peak_memory_mb > 10 for result in results.values())


def test_both_guards_tell_the_same(forked: ForkGuard) -> None:
    some = [*works("a", "raise at 0x7f00aa", "nan", "reject"), ToyWork("m", (("x", "ok"), ("y", "raise me")))]
    inline, guarded = by_key(InlineGuard(ToyMapped()), *some), by_key(forked, *some)
    for key, result in inline.items():
        assert guarded[key].failures == result.failures
        assert (guarded[key].evaluation is None) == (result.evaluation is None)
        if result.evaluation is not None:
            assert guarded[key].evaluation == result.evaluation


def test_an_exception_of_the_module_is_its_failure(guard: Guard) -> None:
    results = by_key(guard, *works("raise the roof " + "x" * 5000, "fine"))
    (failure,) = results["w000"].failures
    assert (failure.status, failure.cause) == (Status.FAILED, "module")
    assert failure.message.startswith("ValueError: the roof xx")
    assert failure.fingerprint is not None
    assert failure.fingerprint.startswith("ValueError at tests.engine.toy:")
    assert failure.fingerprint.endswith("in misbehave")
    assert failure.traceback is not None
    assert 'raise ValueError(" ".join(words))' in failure.traceback
    assert len(failure.message) + len(failure.traceback) < 1000
    assert os.fspath(Path.cwd()) not in failure.traceback
    assert results["w001"].evaluation is not None


@pytest.mark.parametrize(
    ("text", "cause", "status"),
    [
        ("sys.exit", "module", Status.FAILED),
        ("nan", "contract", Status.FAILED),
        ("memory error", "memory", Status.QUARANTINED),
    ],
)
def test_other_failures(guard: Guard, text: str, cause: str, status: Status) -> None:
    results = by_key(guard, *works(text, "fine"))
    (failure,) = results["w000"].failures
    assert (failure.cause, failure.status) == (cause, status)
    assert results["w001"].evaluation is not None


@pytest.mark.parametrize(
    ("text", "cause", "name", "code"),
    [
        ("exit 3", "killed", None, 3),
        ("exit 0", "killed", None, 0),
        ("segfault", "killed", "SIGSEGV", None),
        ("loop", "timeout", "SIGKILL", None),
        ("compiled loop", "timeout", "SIGKILL", None),
        ("eat", "memory", "SIGKILL", None),
    ],
)
def test_a_killer_takes_only_itself(forked: ForkGuard, text: str, cause: str, name: str | None, code: int) -> None:
    texts = ["fine"] * 40
    texts[17] = text
    results = by_key(forked, *works(*texts))
    assert len(results) == 40
    assert [key for key, result in results.items() if result.failures] == ["w017"]
    (failure,) = results["w017"].failures
    assert (failure.cause, failure.signal, failure.exit_code) == (cause, name, code)
    assert failure.status == Status.QUARANTINED
    assert all(result.evaluation is not None for key, result in results.items() if key != "w017")


def test_first_last_and_neighbouring_killers(forked: ForkGuard) -> None:
    results = by_key(forked, *works("exit 1", "exit 1", "fine", "segfault", "exit 1"))
    assert [bool(result.failures) for result in results.values()] == [True, True, False, True, True]


def test_of_several_inputs_the_killer_is_found(forked: ForkGuard) -> None:
    work = ToyWork("m", (("a", "one"), ("b", "exit 2"), ("c", "three"), ("d", "raise no")))
    (result,) = forked.evaluate([work])
    assert {failure.inputs: failure.cause for failure in result.failures} == {("b",): "killed", ("d",): "module"}
    assert result.evaluation is not None
    assert set(result.evaluation.bytes_sha256) == {"a", "c"}
    assert result.evaluation.outcome.tables["texts"].num_rows == 6
    assert result.attempt == 3


def test_an_input_left_alone_is_kept(guard: Guard) -> None:
    (result,) = guard.evaluate([ToyWork("m", (("a", "one"), ("b", "raise it")))])
    assert [failure.inputs for failure in result.failures] == [("b",)]
    assert result.evaluation is not None


def test_inputs_that_all_fail(guard: Guard) -> None:
    (result,) = guard.evaluate([ToyWork("m", (("a", "raise one"), ("b", "raise two")))])
    assert [(failure.inputs, failure.message) for failure in result.failures] == [
        (("a",), "ValueError: one"),
        (("b",), "ValueError: two"),
    ]
    assert result.evaluation is None


def test_where_none_fails_alone_all_share_the_blame(forked: ForkGuard) -> None:
    (result,) = forked.evaluate([ToyWork("m", (("a", "sleep 0.9"), ("b", "sleep 0.9")))])
    (failure,) = result.failures
    assert (failure.cause, failure.inputs, result.attempt) == ("timeout", (), 2)


def test_reading_that_fails_is_no_fault_of_the_file(guard: Guard) -> None:
    with pytest.raises(InputUnreadable, match="input/output error"):
        list(guard.evaluate(works("fine", "unreadable", "fine")))
    assert len(list(guard.evaluate(works("fine")))) == 1


def test_an_input_that_never_answers_is_no_fault_of_the_module(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "n.txt")
    silent = Input("n.txt", (FileRef("n.txt", str(tmp_path / "n.txt"), 2, "k"),))
    hanging = SourceWork(Source("n", ("n.txt",), "s1"), (silent,), "i", 0.01, StoreOptions())
    guard = ForkGuard(ToyMapped(), Limits(0.3, 300))
    with pytest.raises(InputUnreadable, match=r"n: not read after 0.3 s"):
        list(guard.evaluate([*works("fine"), hanging]))
    assert [result.failures for result in guard.evaluate(works("fine"))] == [()]
    guard.close()


class Slow(ToyWork):
    """Its storage takes a second."""

    def evaluate(self, mapped: object) -> Evaluation:
        with reading():
            time.sleep(1.0)
        return super().evaluate(mapped)


def test_time_for_reading_is_not_the_modules(forked: ForkGuard) -> None:
    (result,) = forked.evaluate([Slow("w", (("f", "sleep 1"),))])
    assert result.failures == ()
    assert result.seconds > SHORT.seconds


def in_pieces(*texts: str) -> PieceWork:
    return PieceWork("p", tuple((f"{i:02}", text) for i, text in enumerate(texts)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("segfault", "03 killed SIGSEGV"),
        ("exit 3", "03 killed None"),
        ("compiled loop", "03 timeout SIGKILL"),
        ("eat", "03 memory SIGKILL"),
    ],
)
def test_of_a_piecewise_work_only_the_piece_in_hand_is_lost(forked: ForkGuard, text: str, said: str) -> None:
    work = in_pieces("a", "bb", "ccc", text, "eeeee", "ffffff")
    first, result, last = sorted(forked.evaluate([*works("fine"), work, ToyWork("z", (("f", "x"),))]), key=key_of)
    assert (first.work.key, last.work.key, first.failures, last.failures) == ("p", "z", (), ())
    assert result.work.key == "w000"
    assert (first.work, first.attempt) == (work, 2)
    assert first.evaluation is not None
    assert first.evaluation.outcome.tables["texts"]["file"].unique().to_pylist() == ["00", "01", "02", "04", "05"]
    assert first.evaluation.outcome.verdicts == (Verdict("p", Status.PARTIAL, (said,)),)


def key_of(result: Result) -> str:
    return result.work.key


def test_each_piece_has_the_time_limit_for_itself(forked: ForkGuard) -> None:
    (result,) = forked.evaluate([in_pieces(*["sleep 0.6"] * 4)])
    assert (result.failures, result.attempt) == ((), 1)
    assert result.seconds > SHORT.seconds


def test_where_pieces_keep_dying_the_later_ones_are_given_up(
    forked: ForkGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards_file, "MOST_DEATHS", 2)
    (result,) = forked.evaluate([in_pieces("a", "exit 1", "b", "exit 1", "c", "exit 1", "d")])
    assert (result.failures, result.attempt) == ((), 3)
    assert result.evaluation is not None
    told = result.evaluation.outcome
    assert told.verdicts[0].reasons == ("01 killed None", "03 killed None")
    assert told.tables["texts"]["file"].unique().to_pylist() == ["00", "02"]


def test_a_death_between_pieces_is_the_whole_works(forked: ForkGuard) -> None:
    (result,) = forked.evaluate([in_pieces("a", "die at the end")])
    assert [(failure.cause, failure.exit_code) for failure in result.failures] == [("killed", 5)]
    assert result.evaluation is None


def test_a_consumer_may_stop_early(forked: ForkGuard) -> None:
    results = forked.evaluate(works("fine", "loop"))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(list(forked.evaluate(works("fine")))) == 1


def test_a_stale_worker_is_refused() -> None:
    for start in (lambda: InlineGuard(ToyMapped(stale=True)).outputs, lambda: _outputs(ToyMapped(stale=True))):
        with pytest.raises(StaleWorker, match="toy-000000000000"):
            start()


def _outputs(mapped: object) -> object:
    guard = ForkGuard(mapped, SHORT)  # type: ignore[arg-type]
    try:
        return guard.outputs
    finally:
        guard.close()


class Unloadable(ToyMapped):
    def load(self) -> Toy:
        raise RuntimeError("no such weights")


@pytest.mark.slow
def test_a_module_that_cannot_be_loaded_says_why() -> None:
    with pytest.raises(ModuleError, match="no such weights"):
        _outputs(Unloadable())


def test_outputs_travel(forked: ForkGuard) -> None:
    declared = Toy().outputs
    assert forked.outputs == declared
    for name, table in declared.items():
        assert forked.outputs[name].schema.equals(table.schema, check_metadata=True)
