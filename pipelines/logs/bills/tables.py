"""The raw tables of bills: what providers say was used, what they charge, and which report says so.

Belongs here: columns, their types and meaning. Does not belong here: how a report is read (one file each),
which report wins (`loading.py`), comparing them with calls (dbt).

A provider's report speaks for whole stretches of time, here *scopes*: a bucket of a usage API, a day of an
export, a billing period of an invoice file. A later report replaces a scope as a whole, also when it says
nothing was used. `raw.reported_scopes` keeps every claim that was ever landed; the other two hold the lines
of the claims in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

MONEY: Final = "DECIMAL(38, 18)"

# One row per scope of a landed report.
SCOPE_COLUMNS: Final[dict[str, str]] = {
    "scope_id": "VARCHAR",  # hash of the five below
    "report": "VARCHAR",
    "account": "VARCHAR",  # whose report it is, null where the report does not say
    "part": "VARCHAR",  # of a scope delivered as several files: the file's number; null is the whole
    "scope_start_at": "TIMESTAMPTZ",
    "scope_end_at": "TIMESTAMPTZ",
    "segment_id": "VARCHAR",
    "version_at": "TIMESTAMPTZ",  # when the report was made; when it landed where it does not say
    "landed_at": "TIMESTAMPTZ",
    "item_count": "BIGINT",  # 0: the report says that nothing was used
    "is_current": "BOOLEAN",  # no later report speaks for the same time
    "loaded_at": "TIMESTAMPTZ",
}

# Columns of both kinds of line.
_GROUPING: Final[dict[str, str]] = {
    "provider": "VARCHAR",  # canonical; null for a line of an invoice that is not of a model provider
    "report": "VARCHAR",
    "account": "VARCHAR",
    "bucket_start_at": "TIMESTAMPTZ",  # what the line is about, half-open
    "bucket_end_at": "TIMESTAMPTZ",
    "project": "VARCHAR",  # project, workspace, or the account that used it
    "user_id": "VARCHAR",
    "api_key_id": "VARCHAR",
    "api_key_name": "VARCHAR",
    "model": "VARCHAR",  # the id a caller sends
    "model_label": "VARCHAR",  # a name for display, where the report gives no id
    "service_tier": "VARCHAR",  # null where the report does not say, which is not `standard`
    "context_window": "VARCHAR",  # as "0-200k"
    "region": "VARCHAR",
    "speed": "VARCHAR",
    "details": "VARCHAR",  # JSON: what else the report groups by
}

_LINK: Final[dict[str, str]] = {"scope_id": "VARCHAR", "segment_id": "VARCHAR", "loaded_at": "TIMESTAMPTZ"}

# Disjoint meters, as in raw.calls and beyond; null is unknown and never zero.
USAGE_METERS: Final = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
    "input_audio_tokens", "input_image_tokens", "output_tokens", "reasoning_tokens", "output_audio_tokens",
    "output_image_tokens", "embedding_tokens", "moderation_tokens", "web_search_calls", "web_fetch_calls",
    "file_search_calls", "code_sessions", "images", "audio_seconds", "characters", "storage_bytes",
)  # fmt: skip

# One row per line of a usage report.
USAGE_COLUMNS: Final[dict[str, str]] = {
    **_GROUPING,
    "operation": "VARCHAR",  # completions, embeddings, images, …
    "requests": "BIGINT",
    **dict.fromkeys(USAGE_METERS, "BIGINT"),
    **_LINK,
}

CHARGE_CLASSES: Final = ("usage", "credit", "tax", "fee", "adjustment")

# One row per line of a cost report or an invoice.
COST_COLUMNS: Final[dict[str, str]] = {
    **_GROUPING,
    "service": "VARCHAR",  # the product, as the invoice says
    "line_item": "VARCHAR",  # the line in the report's own words
    "meter": "VARCHAR",  # of the price book; null where the words are not known
    "quantity": MONEY,  # in `unit`
    "unit": "VARCHAR",  # token where the report counts in thousands or millions, else the report's own
    "quantity_reported": "VARCHAR",
    "unit_reported": "VARCHAR",
    "amount": MONEY,  # what is charged, signed; credits are lines of their own
    "list_amount": MONEY,  # before discounts, where the report says
    "amount_reported": "VARCHAR",  # the report's own text, in its own unit
    "currency": "VARCHAR",
    "charge_class": "VARCHAR",  # one of CHARGE_CLASSES; null where the report's word is not known
    "charge_type": "VARCHAR",  # the report's own word
    "line_id": "VARCHAR",  # unique within one file only
    **_LINK,
}

TABLES: Final[dict[str, dict[str, str]]] = {
    "raw.reported_scopes": SCOPE_COLUMNS,
    "raw.usage_reported": USAGE_COLUMNS,
    "raw.cost_reported": COST_COLUMNS,
}

# What a person may have typed, or an address may be in: masked.
FREE_TEXT: Final = ("project", "user_id", "api_key_name", "line_item", "details")


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables where they are missing."""
    for table, columns in TABLES.items():
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table if not exists {table} ({listed})")
