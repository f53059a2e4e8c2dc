"""Serving through storage: from stored fits and frozen series to committed tables, and again with other settings."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from engine.backtest.grid import Grid
from engine.backtest.series.series import Series
from engine.backtest.series.store import freeze
from engine.backtest.serve.mapped import Serve, ServeMapped, refer, serve_of
from engine.backtest.serve.observed import observe
from engine.backtest.serve.settings import Ensemble, Exclusions, Serving, StandIn, Weights
from engine.backtest.serve.stored import FIT_COLUMNS
from engine.backtest.serve.tables import ROW_STATUSES
from engine.backtest.serve.work import ServeWork
from engine.backtest.serve.works import works
from engine.backtest.tables import ATTEMPTS, FITS
from engine.batches import Batch
from engine.errors import ConfigError, StaleWorker
from engine.guard import InlineGuard
from engine.storage import Store
from engine.tables import delta
from engine.tables.overlap import live_parts, overlapping, read_rows
from engine.tables.parts import decode, write_part
from engine.task import TaskSpec, run_batch, sort_rows
from tests.engine.backtest.serve import fakes
from tests.engine.backtest.serve.fakes import configured, grid, series, troubles

FITS_ID = "fits-0123456789ab"
SWEPT = grid(evaluate_h=30, horizon_h=4, windows_h=(48, None), refits_h=(1, 6))
PLAIN = Serving()
OTHER = Serving(
    on_failure=(StandIn.SEASONAL_NAIVE,),
    ensembles=(Ensemble("mix", weights=Weights.INVERSE_ERROR, least_errors=5),),
    exclusions=Exclusions(failures_in_row=2, least_errors=10),
)
MANY = [
    series(140, 1, "ann", "hr_bpm"),
    series(150, 2, "ann", "temp_c"),
    series(30, 3, "bob", "hr_bpm"),
    series(1, 3, "carl", "hr_bpm", gaps=False),
    series(160, 4, "cleo", "hr_bpm"),
]


def stored(root: Path, many: Sequence[Series] = MANY, swept: Grid = SWEPT) -> tuple[Store, pl.DataFrame]:
    """An output with the rows of the fits step, in two parts a table, and frozen series."""
    store = Store(root)
    index = freeze(many, store, "_runs/1/series")
    made = [
        fakes.run(one, swept, troubles(swept, observe(one, swept).origins.tolist() or [fakes.START], seed))
        for seed, one in enumerate(many)
    ]
    for name, declared in (("fits", FITS), ("attempts", ATTEMPTS)):
        parts = [
            write_part(store, name, sort_rows(pa.concat_tables(rows), declared), declared.key, {"module_id": FITS_ID})
            for rows in ([getattr(one, name) for one in some] for some in (made[:2], made[2:]) if some)
        ]
        assert delta.create(store, name, delta.layout(declared), parts, 1)
    return store, index


def planned(store: Store, index: pl.DataFrame, serving: Serving) -> tuple[ServeMapped, list[ServeWork]]:
    mapped, _ = refer(serve_of(SWEPT, configured(SWEPT), serving))
    made_by = {key: ["w"] for key in index.select("subject_id", "vital").iter_rows()}
    return mapped, list(works(mapped.serve, index, made_by, store, FITS_ID))


def done(store: Store, mapped: ServeMapped, todo: Sequence[ServeWork]) -> dict[str, pa.Table]:
    """Rows of all tables as a task writes them."""
    receipt = run_batch(TaskSpec(mapped, store.uri), Batch(0, tuple(todo)), InlineGuard(mapped))
    found = {part.table: decode(store.read(f"{part.table}/{part.path}")) for part in receipt.parts}
    ledger = pa.ipc.open_stream(receipt.ledger).read_all().to_pylist()
    assert {(row["status"], row["message"]) for row in ledger} == {("ok", None)}
    return found


def test_every_configured_row_is_there_with_a_value_or_a_reason(tmp_path: Path) -> None:
    store, index = stored(tmp_path)
    tables = done(store, *planned(store, index, OTHER))
    rows = pl.DataFrame(tables["forecasts"])
    configurations = len(configured(SWEPT)) + 8
    origins = sum(len(observe(one, SWEPT).origins) for one in MANY)
    assert rows.height == configurations * origins * SWEPT.horizon_h
    assert (
        rows.unique(["subject_id", "vital", "model", "window_h", "refit_h", "policy", "origin", "step"]).height
        == rows.height
    )
    assert rows.filter((pl.col("served_by") == "none") != pl.col("yhat").is_null()).height == 0
    assert rows.filter((pl.col("served_by") == "none") & (pl.col("status") == "ok")).height == 0
    assert set(rows["status"].unique()) <= set(ROW_STATUSES)
    assert (rows["ts"] - rows["origin"]).dt.total_hours().to_list() == (rows["step"] - 1).to_list()
    fits = pl.DataFrame(decode_all(store, "fits"))
    joined = rows.filter(pl.col("served_by") == "fit").drop_nulls("fit_id").join(
        fits, on=["subject_id", "vital", "model", "fit_id"], suffix="_fit"
    )  # fmt: skip
    assert (
        joined.height and (joined["origin"] - joined["cutoff"]).dt.total_hours().to_list() == joined["age_h"].to_list()
    )
    assert set(joined["status_fit"]) == {"ok", "constant"}
    actual = {(one.subject_id, one.vital): one for one in MANY}
    for row in rows.sample(500, seed=1).iter_rows(named=True):
        one = actual[row["subject_id"], row["vital"]]
        at = int(row["ts"].timestamp()) // 3600 - one.start
        wanted = one.values[at] if at < len(one.values) else float("nan")
        assert row["y"] == pytest.approx(wanted, nan_ok=True) or (row["y"] is None and wanted != wanted)


def decode_all(store: Store, table: str) -> pa.Table:
    return pa.concat_tables([decode(store.read(f"{table}/{p.part.path}")) for p in live_parts(store, table)])


def test_weights_and_exclusions_tell_who_took_part(tmp_path: Path) -> None:
    store, index = stored(tmp_path)
    tables = done(store, *planned(store, index, OTHER))
    weights = pl.DataFrame(tables["weights"])
    key = ["subject_id", "vital", "model", "window_h", "refit_h", "policy", "origin"]
    sums = weights.group_by(key).agg(pl.col("weight").sum(), used=(pl.col("status") == "used").any())
    assert sums.filter(pl.col("used"))["weight"].to_list() == pytest.approx([1.0] * sums["used"].sum())
    assert sums.filter(~pl.col("used"))["weight"].sum() == 0
    assert weights.filter((pl.col("status") != "used") & (pl.col("weight") != 0)).height == 0
    assert {"used", "failed", "excluded"} <= set(weights["status"])
    changes = pl.DataFrame(tables["exclusions"])
    out: dict[tuple[object, ...], bool] = {}
    for row in changes.iter_rows(named=True):
        name = (*(row[k] for k in key[:-1]), row["rule"])
        assert out.get(name, False) is not row["excluded"]
        out[name] = row["excluded"]
    assert set(changes["rule"]) == {"failures_in_row", "mase_ratio"}


def test_what_if_equals_a_fresh_run_and_makes_no_fit(tmp_path: Path) -> None:
    store, index = stored(tmp_path / "a")
    first = done(store, *planned(store, index, PLAIN))
    before = {name: [p.part.path for p in live_parts(store, name)] for name in ("fits", "attempts")}
    again = done(store, *planned(store, index, OTHER))
    assert {name: [p.part.path for p in live_parts(store, name)] for name in before} == before
    fresh, frozen = stored(tmp_path / "b")
    wanted = done(fresh, *planned(fresh, frozen, OTHER))
    assert set(again) == set(wanted) and first["forecasts"].num_rows < again["forecasts"].num_rows
    for name, rows in wanted.items():
        assert again[name].equals(rows), name


def test_units_of_work_may_be_cut_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, index = stored(tmp_path)
    mapped, whole = planned(store, index, OTHER)
    assert len(whole) == 1 and whole[0].key == "ann/hr_bpm…cleo/hr_bpm"
    monkeypatch.setattr("engine.backtest.serve.works.ROWS_A_WORK", 1)
    _, single = planned(store, index, OTHER)
    assert [work.key for work in single] == [
        f"{a}/{v}…{a}/{v}" for a, v in index.select("subject_id", "vital").iter_rows()
    ]
    assert [len(work.fits) for work in single] == [1, 1, 1, 1, 1]
    one, many = done(store, mapped, whole), done(store, mapped, single)
    for name in ("forecasts", "weights", "exclusions", "origins", "series", "series_scores"):
        assert one[name].drop_columns("work_key").equals(many[name].drop_columns("work_key")), name


def test_identities_follow_data_fits_and_nothing_else(tmp_path: Path) -> None:
    store, index = stored(tmp_path)
    mapped, (work,) = planned(store, index, PLAIN)
    made_by = {key: ["w"] for key in index.select("subject_id", "vital").iter_rows()}

    def identity(**changes: object) -> str:
        given = {"index": index, "made_by": made_by, **changes}
        (found,) = works(mapped.serve, given["index"], given["made_by"], store, FITS_ID)  # type: ignore[arg-type]
        return found.identity

    assert identity() == work.identity
    assert identity(made_by={**made_by, ("bob", "hr_bpm"): ["v"]}) != work.identity
    assert identity(index=index.with_columns(data_hash=pl.lit("x"))) != work.identity
    assert refer(replace(mapped.serve, serving=OTHER))[1].module_id != mapped.module_id
    with pytest.raises(StaleWorker, match="same code"):
        ServeMapped(mapped.serve, "serve-000000000000").load()
    with pytest.raises(ConfigError, match="no model"):
        refer(replace(mapped.serve, serving=Serving(ensembles=(Ensemble("e", ("x",)),))))


def test_only_parts_and_rows_of_the_subjects_are_read(tmp_path: Path) -> None:
    store, _ = stored(tmp_path)
    live = live_parts(store, "fits", FITS_ID)
    assert [
        len(overlapping(store, live, *who)) for who in (("ann", "ann"), ("b", "bz"), ("ann", "bob"), ("x", "z"))
    ] == [1, 1, 2, 0]
    everything = overlapping(store, live, "a", "z")
    rows = read_rows(everything, store.options, FITS, FIT_COLUMNS, ("ann", "b"))
    assert Counter(rows["subject_id"].to_pylist()).keys() == {"ann"}
    assert read_rows((), store.options, FITS, FIT_COLUMNS, ("a", "b")).num_rows == 0
    assert live_parts(Store(tmp_path / "nothing"), "fits") == []


def test_a_series_without_stored_fits_still_has_its_rows(tmp_path: Path) -> None:
    store, _ = stored(tmp_path, MANY[:2])
    index = freeze([*MANY[:2], series(100, 9, "dora", "hr_bpm")], store, "_runs/2/series")
    rows = pl.DataFrame(done(store, *planned(store, index, Serving(on_failure=())))["forecasts"])
    hers = rows.filter(subject_id="dora")
    assert hers.height and set(hers["status"]) == {"not_stored"} and hers["yhat"].null_count() == hers.height


def test_rows_depend_on_the_bytes_of_the_code() -> None:
    _, identity = refer(Serve(configured(SWEPT)))
    assert {"kernels.serving", "kernels.scores", "engine.backtest.serve.ensemble"} <= set(identity.closure)
    assert not {"engine.storage", "engine.tables.delta", "engine.tables.parts", "kernels.ets"} & set(identity.closure)
    assert (
        hashlib.sha256(Path(__file__).parents[4].joinpath("kernels/serving.py").read_bytes()).hexdigest()
        == (identity.closure["kernels.serving"])
    )
