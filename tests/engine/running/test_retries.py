from __future__ import annotations

import pyarrow as pa

from engine.batches import Batch
from engine.running.retries import Patience, Sending, again, exhausted, killer
from tests.engine.toy import works

PATIENCE = Patience(tries=2, tries_alone=3, pause_s=1.0, longest_pause_s=5.0)


def story(number_of_works: int) -> list[tuple[int, int, int, float]]:
    """Works, attempt, tries and pause of every sending, where all fail."""
    todo, told = [Sending(Batch(0, tuple(works(*["x"] * number_of_works))))], []
    while todo:
        sent = todo.pop(0)
        told.append((len(sent.batch.works), sent.attempt, sent.tries, sent.pause_s))
        todo = [*again(sent, PATIENCE), *todo]
    return told


def test_whole_again_then_halves_then_alone_then_nothing() -> None:
    alone = [(1, 3, 1, 2.0), (1, 4, 2, 4.0), (1, 5, 3, 5.0)]
    assert story(2) == [(2, 1, 1, 0.0), (2, 2, 2, 1.0), *alone, *alone]
    assert story(1) == [(1, 1, 1, 0.0), (1, 2, 2, 1.0), (1, 3, 3, 2.0)]


def test_halves_lose_nothing() -> None:
    some = tuple(works(*"abcde"))
    first, second = again(Sending(Batch(3, some), tries=2), PATIENCE)
    assert first.batch.works + second.batch.works == some
    assert first.batch.number == second.batch.number == 3


def test_a_killer_is_quarantined_without_rows() -> None:
    receipt = killer(Sending(Batch(0, tuple(works("x"))), attempt=4))
    (row,) = pa.ipc.open_stream(receipt.ledger).read_all().to_pylist()
    assert receipt.parts == ()
    assert (row["file"], row["status"], row["cause"], row["attempt"]) == ("f000.txt", "quarantined", "killed", 4)


def test_giving_up_names_the_work() -> None:
    error = exhausted(Sending(Batch(0, tuple(works("x"))), attempt=3), OSError("no route"))
    assert str(error) == "w000: still to do after 3 attempts: no route"
