"""OpenSLO v1 documents: reading, validating, loading.

Belongs here: the part of OpenSLO v1 (kind SLO, ratio metrics, rolling windows, occurrences and time
slices) whose metric source is this warehouse, and its rows in `raw.slo_objectives`. Does not belong
here: the arithmetic of attainment, budgets and burn rates (dbt: `models/marts/sla`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from pipelines import warehouse
from pipelines.errors import RatehouseError
from pipelines.settings import Settings

DEFAULT = Path(__file__).with_name("default.yml")


class BadSloError(RatehouseError):
    """A service-level document is not valid; the message names file, line and field."""

    name = "bad_slo"


class _Strict(BaseModel):
    # OpenSLO spells its fields in camel case, and so do the errors that name one.
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class Measure(_Strict):
    """What is measured and of whom; a null filter means all.

    `availability` leaves the client's own mistakes out, `error_rate` counts every attempt. An alert needs
    `minimum_events` in its long window (30 attempts, or 1 slice), so that one failure in a quiet hour wakes nobody.
    """

    model_config = ConfigDict(alias_generator=None)  # our own part of the document, in our own spelling

    indicator: Literal["availability", "error_rate", "latency", "time_to_first_token"]
    threshold_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    provider: str | None = None
    model: str | None = None
    tenant: str | None = None
    region: str | None = None
    minimum_events: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _threshold(self) -> Self:
        if (self.indicator in ("availability", "error_rate")) != (self.threshold_ms is None):
            raise ValueError("threshold_ms is given for latency and time_to_first_token, and only for them")
        return self


class _Source(_Strict):
    type: Literal["ratehouse"]
    spec: Measure


class _Total(_Strict):
    metric_source: _Source


class _Ratio(_Strict):
    counter: bool = True
    total: _Total


class _IndicatorSpec(_Strict):
    ratio_metric: _Ratio


class _Metadata(_Strict):
    name: Annotated[str, Field(min_length=1, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    display_name: str | None = None


class _Indicator(_Strict):
    metadata: _Metadata
    spec: _IndicatorSpec


class _TimeWindow(_Strict):
    duration: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}[dw]$")]
    is_rolling: Literal[True]

    @property
    def days(self) -> int:
        return int(self.duration[:-1]) * (7 if self.duration.endswith("w") else 1)


class _Objective(_Strict):
    display_name: str | None = None
    target: Annotated[Decimal, Field(gt=0, lt=1, decimal_places=8)]
    time_slice_target: Annotated[Decimal, Field(gt=0, le=1, decimal_places=8)] | None = None
    time_slice_window: Literal["5m", "10m", "15m", "30m", "1h"] | None = None

    @property
    def slice_minutes(self) -> int | None:
        return (
            {"5m": 5, "10m": 10, "15m": 15, "30m": 30, "1h": 60}[self.time_slice_window]
            if self.time_slice_window
            else None
        )


class _Spec(_Strict):
    description: str | None = None
    service: str
    indicator: _Indicator
    time_window: Annotated[list[_TimeWindow], Field(min_length=1, max_length=1)]
    budgeting_method: Literal["Occurrences", "Timeslices"]
    objectives: Annotated[list[_Objective], Field(min_length=1, max_length=1)]

    @model_validator(mode="after")
    def _slices(self) -> Self:
        one = self.objectives[0]
        given = [name is not None for name in (one.time_slice_target, one.time_slice_window)]
        if given != [self.budgeting_method == "Timeslices"] * 2:
            raise ValueError("timeSliceTarget and timeSliceWindow are given for Timeslices, and only for them")
        return self


class Slo(_Strict):
    """One OpenSLO v1 document of kind SLO."""

    api_version: Literal["openslo/v1"]
    kind: Literal["SLO"]
    metadata: _Metadata
    spec: _Spec


def read(path: Path) -> list[Slo]:
    """The documents of one file. Raises BadSloError naming the file, the line and the field."""
    slos: list[Slo] = []
    try:
        nodes = list(yaml.compose_all(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader))
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadSloError(f"{path}: {error}") from error
    for node, document in zip(nodes, documents, strict=True):
        _refuse_twice(path, node)
        try:
            slos.append(Slo.model_validate(document))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            words = first["msg"].removeprefix("Value error, ")
            raise BadSloError(f"{path} line {_line(node, first['loc'])}: {field}: {words}") from error
    return slos


def _refuse_twice(path: Path, node: yaml.Node | None) -> None:
    """YAML would quietly take the last of two equal keys."""
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        for number, (key, value) in enumerate(node.value):
            if names.index(key.value) < number:
                raise BadSloError(f"{path} line {key.start_mark.line + 1}: {key.value}: is given twice")
            _refuse_twice(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twice(path, item)


def _line(node: Any, location: tuple[int | str, ...]) -> int:
    """The line of the deepest part of the document the location leads to."""
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
        else:
            found = None
        if found is None:
            break
        node = found
    return int(node.start_mark.line) + 1 if node is not None else 1


def documents(settings: Settings) -> list[Slo]:
    """The home's own documents (`slos/*.yml`), or the default ones; names are unique."""
    return check(sorted((settings.root / "slos").glob("*.y*ml")) or [DEFAULT])


def files(path: Path) -> list[Path]:
    """A file itself, or the documents of a folder. Raises BadSloError where there is none."""
    found = sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
    if not found:
        raise BadSloError(f"{path}: there is no *.yml file in this folder")
    return found


def check(files: Sequence[Path]) -> list[Slo]:
    """The documents of some files. Raises BadSloError for the first mistake, or where two share a name."""
    slos = [slo for file in files for slo in read(file)]
    names = [slo.metadata.name for slo in slos]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadSloError(f"{files[0].parent}: more than one objective is named {', '.join(sorted(twice))}")
    return slos


# Column of `raw.slo_objectives` -> its type; `_row` gives the values in this order.
OBJECTIVE_COLUMNS: Final = {
    "slo_name": "VARCHAR",
    "indicator": "VARCHAR",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "tenant": "VARCHAR",
    "region": "VARCHAR",
    "threshold_ms": "DOUBLE",
    "target": "DECIMAL(9, 8)",
    "window_days": "INTEGER",
    "budgeting_method": "VARCHAR",
    "slice_minutes": "INTEGER",
    "slice_target": "DECIMAL(9, 8)",
    "minimum_events": "INTEGER",
}


def _row(slo: Slo) -> tuple[Any, ...]:
    measure = slo.spec.indicator.spec.ratio_metric.total.metric_source.spec
    objective = slo.spec.objectives[0]
    return (
        slo.metadata.name,
        measure.indicator,
        measure.provider,
        measure.model,
        measure.tenant,
        measure.region,
        measure.threshold_ms,
        objective.target,
        slo.spec.time_window[0].days,
        slo.spec.budgeting_method,
        objective.slice_minutes,
        objective.time_slice_target,
        measure.minimum_events or (1 if objective.slice_minutes else 30),
    )


def rows(slos: Sequence[Slo]) -> list[dict[str, Any]]:
    """The objectives as `raw.slo_objectives` keeps them."""
    return [dict(zip(OBJECTIVE_COLUMNS, _row(slo), strict=True)) for slo in slos]


def load(settings: Settings) -> int:
    """Make `raw.slo_objectives` hold exactly today's documents; returns how many."""
    values = [_row(slo) for slo in documents(settings)]
    columns = ", ".join(f"{name} {kind}" for name, kind in OBJECTIVE_COLUMNS.items())
    with warehouse.writing(settings) as connection:
        connection.begin()
        connection.execute(f"create or replace table raw.slo_objectives ({columns})")
        connection.executemany(
            f"insert into raw.slo_objectives values ({', '.join('?' * len(OBJECTIVE_COLUMNS))})", values
        )
        connection.commit()
    return len(values)
