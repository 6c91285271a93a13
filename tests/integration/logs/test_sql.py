"""The pieces of SQL against Python's own arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.logs.sql import instant, key_values
from pipelines.settings import Settings
from pipelines.warehouse import engine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROS = st.integers(1_420_070_400 * 10**6, 4_102_444_800 * 10**6)  # 2015 to 2100


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory):
    home = Settings(home=tmp_path_factory.mktemp("home"))
    with engine(home) as connection:
        yield lambda sql, text: connection.execute(f"select {sql} from (select $1::varchar as x)", [text]).fetchone()[0]


@settings(max_examples=100, deadline=None)
@given(micros=MICROS)
def test_an_epoch_is_exact_to_the_microsecond_in_every_unit(evaluate, micros):
    expected = EPOCH + timedelta(microseconds=micros)
    spellings = [Decimal(micros).scaleb(-6), Decimal(micros).scaleb(-3), micros, f"{micros}.0", micros * 1000,
                 repr(micros / 1e6)]  # fmt: skip
    for text in map(str, spellings):
        assert evaluate(instant("x"), text) == expected, text


@pytest.mark.parametrize("text", ["", "soon", "nan", "infinity", "-5", "1e300", str(10**28), "null"])
def test_what_is_no_instant_is_null(evaluate, text):
    assert evaluate(instant("x"), text) in (None, float("inf"))


def test_attributes_become_tags(evaluate):
    tags = key_values("try_cast(x as json)")
    assert evaluate(tags, '{"a": "b", "n": 7, "gone": null, "empty": "", "quo\\"te": "x"}') == (
        '["a=b","n=7","quo\\"te=x"]'
    )
    assert evaluate(tags, "[1]") is None
    assert evaluate(tags, "not json") is None
