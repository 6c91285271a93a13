"""A small warehouse with hand-made marts."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipelines import warehouse
from pipelines.settings import Settings

_HISTORY = """
create table marts.price_history as
select 'id-' || meter as price_id, 'openai' as provider, 'gpt-4o-mini' as model, meter,
    cast(amount as decimal(38, 18)) as amount, timestamptz '2026-10-01 00:00:00+00' as valid_from,
    'active' as status, cast(null as timestamptz) as known_to, timestamptz '2026-11-01 08:30:00+00' as last_seen_at
from (values ('input', '0.15'), ('output', '0.600000000000000001')) as t (meter, amount)
"""


@pytest.fixture
def connection(tmp_path) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.writing(Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")) as opened:
        opened.execute(_HISTORY)
        opened.execute("create view marts.prices_current as select * from marts.price_history where status = 'active'")
        yield opened
