"""Where a name says subject and start: the E4 habit, or a template such as `{subject}/{start}_{serial}.zip`.

In a template `{field}` stands for text without a slash, `*` for any such text, `**` for any text. Fields with a meaning
are subject, night (a date), zone and start: unix seconds, or with a format as in `{start:%Y%m%dT%H%M%S}`, which is the
wall clock of the subject's zone unless the format ends in Z or holds %z. Other fields are only matched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl
from polars.exceptions import PolarsError

from engine.errors import ConfigError

FIELD = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
EXTENSION = r"(?:(?:\.(?:zip|cwa|bin|edf|avro|gt3x)(?:-[0-9]+)?)?\.nrf)?\.[^./]*$"
"""Of an exported file (see `engine.night.formats.export`) with its original's, so that both have the same subject."""
SHAPES = {
    "start": r"[0-9]{10}|[0-9]{13}",
    "night": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "zone": r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){0,2}",
}
CLOCK = pl.Datetime("us", "UTC")
WALL = pl.Datetime("us")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template: a regular expression over relative paths, and the formats of `start` and `night`."""

    text: str
    pattern: str
    fields: tuple[str, ...]
    start_format: str | None
    night_format: str | None

    @property
    def extension(self) -> str:
        """What a folder's path lacks to match a template written for files."""
        found = re.search(r"\.[^./{}*?]*$", self.text)
        return found.group() if found else ""


def compile_template(text: str) -> Template:
    """Raises `ConfigError` for a field that is repeated, unnamed or carries a format it cannot have."""
    pattern, formats, position = "", dict[str, str | None](), 0
    for found in FIELD.finditer(text):
        name, form = found.group(1), found.group(2)
        if not name.isidentifier() or not name.isascii() or name in formats:
            raise ConfigError(f"template {text!r}: {found.group()} needs a name of its own, as in {{subject}}")
        if form is not None and name not in ("start", "night"):
            raise ConfigError(f"template {text!r}: only start and night take a format, not {name!r}")
        shape = "[^/]+?" if form is not None else SHAPES.get(name, "[^/]+?")
        pattern += glob(text[position : found.start()]) + f"(?P<{name}>{shape})"
        formats[name], position = form, found.end()
    rest = text[position:]
    if not formats or re.search(r"[{}]", FIELD.sub("", text)):
        raise ConfigError(f"template {text!r}: write fields in braces, as in {{subject}}/{{start}}_{{serial}}.zip")
    _try_formats(text, formats)
    return Template(text, rf"(?s)^{pattern}{glob(rest)}$", tuple(formats), formats.get("start"), formats.get("night"))


def _try_formats(text: str, formats: dict[str, str | None]) -> None:
    """A format must read back what it writes; polars gives null for one it does not know."""
    some_day = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    for name in ("start", "night"):
        form = formats.get(name)
        if form is None:
            continue
        written = pl.Series([some_day.strftime(form)])
        try:
            read = _days(written, form) if name == "start" else written.str.to_date(form, strict=False).to_list()
        except PolarsError as error:
            raise ConfigError(f"template {text!r}: format {form!r} cannot be read") from error
        if some_day.date() not in read:
            raise ConfigError(f"template {text!r}: format {form!r} does not say a whole date")


def _days(text: pl.Series, form: str) -> list[date | None]:
    instants, walls = _starts(text, form)
    return [*instants.dt.date(), *walls.dt.date()]


def glob(pattern: str) -> str:
    """A regular expression: `*` and `?` stay within one folder, `**/` and `**` do not.

    >>> glob("a.b/*.zip")
    'a\\\\.b/[^/]*\\\\.zip'
    """
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(wild.get(piece) or re.sub(r"([\\.+()|\[\]{}^$])", r"\\\1", piece) for piece in pieces)


def read_names(frame: pl.DataFrame, template: Template | None) -> pl.DataFrame:
    """Adds subject, start (UTC), start_wall (no zone), night and name_zone to `path` and `is_folder`; null = unsaid.

    Rows that do not match the template have a null subject and `matched` false.
    """
    return _read_e4(frame) if template is None else _read_template(frame, template)


def _read_e4(frame: pl.DataFrame) -> pl.DataFrame:
    last = pl.col("path").str.extract(r"(?s)([^/]*)$")
    stem = pl.when("is_folder").then(last).otherwise(last.str.replace(EXTENSION, ""))
    folder = pl.col("path").str.extract(r"(?s)([^/]+)/[^/]*$")
    bare = stem.str.replace(r"^1[0-9]{9}[-_ .]", "").str.replace(r"[-_ .]1[0-9]{9}([-_ .]|$)", "$1")
    start = stem.str.extract(r"(?:^|[^0-9])(1[0-9]{9})(?:[^0-9]|$)").cast(pl.Int64) * 1_000_000
    return frame.with_columns(
        subject=pl.coalesce(folder, pl.when(bare != "").then(bare), pl.when(stem != "").then(stem), last),
        start=start.cast(CLOCK),
        start_wall=pl.lit(None, WALL),
        night=pl.lit(None, pl.Date),
        name_zone=pl.lit(None, pl.String),
        matched=pl.lit(True),
    )


def _read_template(frame: pl.DataFrame, template: Template) -> pl.DataFrame:
    path = pl.when("is_folder").then(pl.col("path") + template.extension).otherwise("path")
    found = frame.select(path.str.extract_groups(template.pattern).alias("found")).unnest("found")
    text = {name: found[name] if name in found.columns else None for name in ("subject", "start", "night", "zone")}
    by_habit = _read_e4(frame)["subject"]
    blank = pl.Series([None] * frame.height, dtype=pl.String)
    start, wall = _starts(blank if text["start"] is None else text["start"], template.start_format)
    night_text = blank if text["night"] is None else text["night"]
    night = night_text.str.to_date(template.night_format or "%Y-%m-%d", strict=False)
    matched = found[template.fields[0]].is_not_null()
    if "start" in template.fields:
        matched &= start.is_not_null() | wall.is_not_null()
    if "night" in template.fields:
        matched &= night.is_not_null()
    return frame.with_columns(
        subject=by_habit if text["subject"] is None else text["subject"],
        start=start,
        start_wall=wall,
        night=night,
        name_zone=blank if text["zone"] is None else text["zone"],
        matched=matched,
    )


def _starts(text: pl.Series, form: str | None) -> tuple[pl.Series, pl.Series]:
    """Instants and wall clock times; the one or the other is null throughout."""
    no_clock, no_wall = (pl.Series([None] * len(text), dtype=kind) for kind in (CLOCK, WALL))
    if form is None:
        number = text.cast(pl.Int64, strict=False)
        scale = pl.select(pl.when(text.str.len_chars() == 13).then(1_000).otherwise(1_000_000)).to_series()
        return (number * scale).cast(CLOCK), no_wall
    if "%z" in form:
        return text.str.strptime(CLOCK, form, strict=False), no_wall
    wall = text.str.strptime(WALL, form, strict=False)
    return (wall.dt.replace_time_zone("UTC"), no_wall) if form.endswith("Z") else (no_clock, wall)
