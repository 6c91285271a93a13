from __future__ import annotations

import pytest

from pipelines import warehouse
from pipelines.forecasting import daily
from pipelines.settings import Settings


@pytest.mark.parametrize(("last_call", "days"), [("2026-10-04 23:30:00", 4), ("2026-10-04 11:00:00", 3)])
def test_a_day_without_calls_is_zero_and_a_day_not_over_is_left_out(tmp_path, last_call, days):
    settings = Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    with warehouse.writing(settings) as connection:
        connection.execute(f"create table marts.cost_calls as select timestamptz '{last_call}+00' as occurred_at")
        connection.execute(
            "create table marts.cost_daily as select tenant, cast(day as date) as occurred_on, cost::decimal(38, 18) as cost_usd"
            " from (values ('a', '2026-10-01', 1.5), ('a', '2026-10-01', 2), ('a', '2026-10-03', 4), ('a', '2026-10-04', 8),"
            " ('late', '2026-10-03', 1), (null, '2026-10-01', 7), (null, '2026-10-02', null)) as t (tenant, day, cost)"
        )
    found = {
        name: list(rows.sort_values("ds")["y"]) for name, rows in daily.spend_series(settings).groupby("unique_id")
    }
    assert found == {"a": [3.5, 0, 4, 8][:days], "late": [1, 0][: days - 2], "(none)": [7, 0, 0, 0][:days]}
