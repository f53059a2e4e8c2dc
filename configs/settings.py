"""What a run may be told: typed settings, the same whether they come from a YAML file or from flags."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.storage import StoreOptions


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        close = get_close_matches(name, available_timezones(), n=1, cutoff=0.5) or ["Europe/Zurich"]
        raise ValueError(f"no IANA time zone is called {name!r}; {close[0]!r} is one") from error
    return name


def _cluster(value: str) -> str:
    if value not in ("workstation", "in-process") and not re.fullmatch(r"(tcp|tls)://[^/\s]+:\d+", value):
        raise ValueError(f"{value!r} is neither workstation nor in-process nor a scheduler such as tcp://10.0.0.1:8786")
    return value


def _share_or_count(value: str) -> str:
    if not re.fullmatch(r"\d+%?", value):
        raise ValueError(f"{value!r} is neither a count such as 20 nor a share such as 5%")
    return value


Zone = Annotated[str, AfterValidator(_zone)]
Cluster = Annotated[str, AfterValidator(_cluster)]
Tolerance = Annotated[str, AfterValidator(_share_or_count)]
Retried = Literal["ok", "partial", "rejected", "failed", "quarantined"]


class Part(BaseModel):
    """Settings are values, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class InputSettings(Part):
    """Where raw files lie and what is known of all of them."""

    uri: str = Field(description="folder, file, s3:// prefix, or a Parquet or CSV manifest")
    template: str | None = Field(
        default=None, description="where subject and start stand in a name, such as {subject}/{start}"
    )
    zone: Zone | None = Field(
        default=None, description="IANA zone of files whose subject has none in the subjects table"
    )
    device: int | None = Field(default=None, description="offset of the device's clock from UTC in seconds")
    subjects: str | None = Field(
        default=None, description="table (CSV or Parquet) of subject_id, zone, valid_from, device_offset_s, received_at"
    )
    calibrations: str | None = Field(
        default=None,
        description="table of subject_id, device, valid_from, cal_id, coefficients; see nightmill calibrate",
    )
    include: tuple[str, ...] = Field(
        default=(), description="patterns of candidate names; others are ignored, and counted"
    )


class ModuleSettings(Part):
    """The processing code and its parameters."""

    ref: str = Field(default="night", description="package.module:Name, or the name of an installed nightmill module")
    parameters: dict[str, Any] = Field(default={}, description="fields of the module that differ from their defaults")


class LimitSettings(Part):
    """What one unit of work may use before it is stopped and quarantined."""

    seconds: float = Field(default=300.0, gt=0)
    memory_mb: float | None = Field(default=None, gt=0, description="a worker's share of the machine where not given")


class CommitSettings(Part):
    """How often finished work becomes visible."""

    seconds: float = Field(default=60.0, gt=0)
    mb: float = Field(default=1024.0, gt=0)


class StorageSettings(Part):
    """Object storage besides the usual places; secrets come from the environment only."""

    endpoint: str | None = None
    region: str | None = None

    @property
    def options(self) -> StoreOptions:
        return StoreOptions(self.endpoint, self.region)


class Settings(Part):
    """One reprocessing."""

    inputs: tuple[InputSettings, ...] = Field(default=(), description="what to process")
    output: str | None = Field(default=None, description="folder or s3:// prefix of the tables")
    module: ModuleSettings = ModuleSettings()
    cluster: Cluster = Field(
        default="workstation",
        description="workstation, in-process, or a running scheduler: tcp://host:port, tls://host:port",
    )
    workers: int | None = Field(
        default=None, ge=1, description="worker processes of a workstation; one a core where not given"
    )
    batch: int | None = Field(
        default=None, ge=1, le=64, description="units of work in a batch; sized by time where not given"
    )
    limits: LimitSettings = LimitSettings()
    max_failures: Tolerance = Field(default="20%", description="failed and quarantined files that stop the run")
    max_failures_by: str | None = Field(
        default=None, description="field of the template, such as site; each of its values has max_failures for itself"
    )
    retry: tuple[Retried, ...] = Field(default=(), description="statuses to run again although nothing changed")
    sample: float | None = Field(
        default=None, gt=0, le=1, description="share of the subjects; a larger one holds all of a smaller one"
    )
    max_files: int | None = Field(
        default=None, ge=1, description="files to do above which a run is refused; ten times the known where not given"
    )
    price_per_hour: float | None = Field(default=None, gt=0, description="of one worker, for estimates")
    commit: CommitSettings = CommitSettings()
    storage: StorageSettings = StorageSettings()
