"""What the price book says, asked on both axes of time: plain functions over the marts.

Belongs here: questions about prices (`in_force`, `for_call`, `history`, `difference`), each answered as the
book stood at a known instant, and the state of its sources. Does not belong here: what is believed (dbt), how
an answer is shown (`cli/prices.py`), the arithmetic of a call (`costing.py`).

Every function takes an open connection to the warehouse and gives dictionaries of column -> value: amounts
as exact decimals, instants with a zone.
"""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from pipelines.errors import UnknownModelError
from pipelines.pricing import readings
from pipelines.pricing.costing import Call, Price, price_of
from pipelines.pricing.tables import now
from scrapers.vocabulary import canonical_provider

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

# Whose word counts; the text of the macro `precedence` in dbt_project/macros/prices.sql.
PRECEDENCE: Final = """
    case
        when evidence_kind = 'contract' then 1
        when evidence_kind = 'manual' and source like 'overrides/%' then 2
        when evidence_kind in ('official_api', 'official_page') then 3
        when evidence_kind = 'manual' then 4
    end
"""
# What makes two rows the same price at different times, or of different sources.
KEY: Final = ("provider", "model", "meter", "service_tier", "region", "context_from", "window_name", "currency",
              "applies_to")  # fmt: skip

# The rows of the book as believed at $known_at. A row seen live later was still announced then.
_BELIEVED: Final = f"""
    select * replace (
            case when valid_from > $known_at then 'announced' else 'active' end as status,
            least(last_seen_at, greatest(fetched_at, $known_at)) as last_seen_at
        ),
        {PRECEDENCE} as precedence
    from marts.price_history
    where status <> 'cancelled' and known_from <= $known_at and (known_to is null or known_to > $known_at)
        and (tenant is null or tenant = $tenant)
        and (provider = $provider or $provider is null) and (model = $model or $model is null)
"""
# Each source's last word by $at: that a price holds, or that it is over. From the seller's page the latter silences
# pages and lists last heard before it, as in the model int_prices__effective.
_IN_FORCE: Final = f"""
    with words as (
        select *, {", ".join(f"coalesce(cast({name} as varchar), '') as key_{name}" for name in KEY)},
            valid_to is not null and valid_to <= $at as is_over
        from ({_BELIEVED}) as believed
        where precedence is not null and valid_from <= $at
        qualify row_number() over (
            partition by source, tenant, {", ".join(KEY)} order by valid_from desc, known_from desc
        ) = 1
    )
    select words.* exclude (precedence, is_over, {", ".join(f"key_{name}" for name in KEY)})
    from words
    where not is_over and not exists (
        select 1 from words as ended
        where ended.is_over and ended.evidence_kind in ('official_api', 'official_page')
            and ended.source <> words.source and ended.precedence <= words.precedence
            and ended.known_from > words.last_seen_at
            and {" and ".join(f"ended.key_{name} = words.key_{name}" for name in KEY)}
    )
    qualify row_number() over (
        partition by {", ".join(KEY)}
        order by precedence, valid_from desc, last_seen_at desc, known_from desc, source, price_id
    ) = 1
    order by provider, model, service_tier, region, currency, window_name nulls first, context_from, meter, applies_to
"""


def in_force(
    connection: duckdb.DuckDBPyConnection,
    provider: str | None = None,
    model: str | None = None,
    *,
    at: datetime | None = None,
    known_at: datetime | None = None,
    tenant: str | None = None,
) -> list[Row]:
    """The prices in force at `at` as the book stood at `known_at` (both default to now): of each price the one
    row whose word counts. A tenant's contract prices are in it only for that tenant.
    """
    instant = now()
    values = {
        "provider": provider,
        "model": model,
        "at": at or instant,
        "known_at": known_at or instant,
        "tenant": tenant,
    }
    return _rows(connection, _IN_FORCE, values)


def for_call(connection: duckdb.DuckDBPyConnection, call: Call, *, known_at: datetime | None = None) -> list[Price]:
    """The prices one call may meet, as the book stood at `known_at`: those in force at its time, and of each
    meter those in force when it was first listed, for a call that is older."""
    known = known_at or now()
    names = (call.model, "*")  # a discount may be on every model
    firsts = connection.execute(
        """
        select distinct min(valid_from) from marts.price_history
        where provider = $1 and model = $2 and tenant is null and status <> 'cancelled'
            and known_from <= $4 and (known_to is null or known_to > $4)
        group by meter, service_tier, region, currency having min(valid_from) > $3
        """,
        [call.provider, call.model, call.occurred_at, known],
    ).fetchall()
    found: dict[str, Price] = {}
    for instant in (call.occurred_at, *(first for (first,) in firsts)):
        for tenant in {None, call.tenant}:
            for model in names:
                rows = in_force(connection, call.provider, model, at=instant, known_at=known, tenant=tenant)
                found |= {row["price_id"]: price_of(row) for row in rows}
    return list(found.values())


def history(
    connection: duckdb.DuckDBPyConnection, provider: str, model: str, *, known_at: datetime | None = None
) -> list[Row]:
    """Everything the book ever believed of a model's prices, by every source, in the order it applies and was
    learned; as of `known_at`, only what was believed then."""
    query = f"""
        select * from marts.price_history
        where provider = $provider and model = $model and tenant is null
            and ($known_at is null or (known_from <= $known_at and (known_to is null or known_to > $known_at)))
        order by {", ".join(KEY)}, source, valid_from, known_from, price_id
    """
    return _rows(connection, query, {"provider": provider, "model": model, "known_at": known_at})


def difference(
    connection: duckdb.DuckDBPyConnection,
    a: datetime,
    b: datetime,
    *,
    known_at: datetime | None = None,
    provider: str | None = None,
    model: str | None = None,
) -> list[Row]:
    """Prices in force at `b` that were not, or not so, at `a`, and those that are no more: the columns of KEY,
    `what` (new, gone or changed), and each side's unit_amount, price_id, source and valid_from.
    """
    sides = [
        {
            tuple(row[name] for name in KEY): row
            for row in in_force(connection, provider, model, at=at, known_at=known_at)
        }
        for at in (a, b)
    ]
    found = []
    for key in sorted(sides[0].keys() | sides[1].keys(), key=str):
        old, new = (side.get(key) for side in sides)
        if old and new and old["unit_amount"] == new["unit_amount"]:
            continue
        row: Row = dict(zip(KEY, key, strict=True))
        row["what"] = "new" if old is None else "gone" if new is None else "changed"
        for name, one in (("old", old), ("new", new)):
            row |= {f"{name}_{c}": one[c] if one else None for c in ("unit_amount", "price_id", "source", "valid_from")}
        row["per_unit"] = (new or old or {})["per_unit"]
        found.append(row)
    return found


def sources(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Every source there is a reader for or a reading of: `source`, `kind`, `is_verified`, `last_good_at` (its
    newest believed capture) and `age_days`, `row_count` (prices in that), `last_captured_at` and
    `last_outcome` of its newest capture, and `waiting` (findings that wait for a decision)."""
    query = """
        with latest as (
            select * from raw.price_captures
            qualify reader_version = max(reader_version) over (partition by source, captured_at, sha256)
        )
        select
            latest.source,
            any_value(latest.kind) as kind,
            max(captured_at) filter (where status = 'accepted') as last_good_at,
            arg_max(row_count, captured_at) filter (where status = 'accepted') as row_count,
            max(captured_at) as last_captured_at,
            arg_max(coalesce(error_name, status), captured_at) as last_outcome,
            coalesce(any_value(held.waiting), 0) as waiting
        from latest
        left join (
            select source, count(*) as waiting from raw.price_findings where status = 'waiting' group by source
        ) as held on latest.source = held.source
        group by latest.source
    """
    read = {row["source"]: row for row in _rows(connection, query, {})}
    known = readings.sources()
    instant = now()
    found = []
    for name in sorted(known.keys() | read.keys()):
        none = dict.fromkeys(("last_good_at", "row_count", "last_captured_at", "last_outcome"))
        row: Row = {"source": name, "kind": None, **none, "waiting": 0} | read.get(name, {})
        source = known[name][1] if name in known else None
        row["kind"] = source.kind if source else row["kind"]
        # Written against documents alone, a reader is proved by the first page that passes its gates.
        row["is_verified"] = (source.is_verified if source else None) or row["last_good_at"] is not None
        row["age_days"] = (instant - row["last_good_at"]).days if row["last_good_at"] else None
        found.append(row)
    return found


def resolve(connection: duckdb.DuckDBPyConnection, provider: str, model: str) -> tuple[str, str]:
    """The book's own names for a provider and a model: aliases as declared, nothing guessed.

    Raises UnknownModelError with the nearest names there are.
    """
    name = canonical_provider(provider) or provider
    found = connection.execute(
        """
        select model from marts.price_history where provider = $1 and model = $2
        union all
        select model from staging.model_aliases where provider = $1 and alias = $2
        limit 1
        """,
        [name, model],
    ).fetchone()
    if found:
        return name, found[0]
    models = connection.execute("select distinct model from marts.price_history where provider = $1", [name]).fetchall()
    if not models:
        raise UnknownModelError(
            f"the book has no price of a provider {provider!r}; `ratehouse prices sources` lists where prices are read"
        )
    near = get_close_matches(model, [one for (one,) in models], n=3)
    words = f"nearest: {', '.join(near)}" if near else f"`ratehouse prices {name}` lists those it has"
    raise UnknownModelError(f"the book has no price of {name} {model!r}; {words}")


def _rows(connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]) -> list[Row]:
    result = connection.execute(query, values)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
