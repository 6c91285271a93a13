"""The words of the report; the page itself is in the integration tier, where the drawing may be imported."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reports import page


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (Decimal(0), "$0.00"),
        (Decimal("0.00012345678"), "$0.0001235"),
        (Decimal("-1234.567"), "$-1,234.57"),
    ],
)
def test_dollars(value, shown):
    assert page.usd(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0 %"), (0.3333, "33.3 %"), (0.999, "99.900 %"), (0.9999999, "99.999 %"), (1, "100.000 %")],
)
def test_a_share_is_never_rounded_up_to_all(value, shown):
    assert page.share(value) == shown
