"""A later report takes the place of the earlier one, whatever the order of loading."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal

import pytest

from pipelines.logs import loading, receipts


def amounts(bills):
    return [line["amount"] for line in bills.costs()]


def test_a_later_fetch_replaces_its_buckets_and_no_others(bills, openai):
    bills.load(openai["page"]({0: [openai["cost"](1), openai["cost"](2)], 1: [openai["cost"](3)]}), "1.json")
    receipt = bills.load(
        openai["page"]({1: [openai["cost"](30), openai["cost"](31)], 2: [openai["cost"](4)]}), "2.json"
    )
    assert amounts(bills) == [1, 2, 30, 31, 4]
    assert (receipt.accepted_count, receipt.replaced_count, receipt.duplicate_count) == (3, 1, 0)


def test_an_empty_bucket_clears_what_was_there(bills, openai):
    bills.load(openai["page"]({0: [openai["cost"](1)], 1: [openai["cost"](2)]}), "1.json")
    receipt = bills.load(openai["page"]({0: [openai["cost"](5)], 1: []}), "2.json")
    assert amounts(bills) == [5]
    assert (receipt.read_count, receipt.accepted_count, receipt.replaced_count) == (1, 1, 2)
    receipt = bills.load(openai["page"]({0: [], 1: []}), "3.json", format_name="openai_costs")
    assert amounts(bills) == []
    assert (receipt.read_count, receipt.replaced_count) == (0, 1)


def test_the_same_file_again_changes_nothing(bills, openai):
    page = openai["page"]({0: [openai["cost"](1), openai["cost"](1)]})
    first = bills.load(page, "1.json")
    before = bills.content()
    assert bills.load(page, "again.json") == first
    assert bills.content() == before
    assert amounts(bills) == [1, 1], "two lines alike are two lines"


def test_one_report_does_not_touch_another(bills, openai, anthropic):
    bills.load(openai["page"]({0: [openai["cost"](1)]}), "1.json")
    bills.load(anthropic["page"]({0: [anthropic["cost"]("200")]}), "2.json")
    bills.load(openai["page"]({0: [openai["usage"](input_tokens=1)]}), "3.json")
    bills.load(openai["page"]({0: [openai["usage"]("embeddings", input_tokens=2)]}), "4.json")
    assert (sorted(amounts(bills)), len(bills.usage())) == ([1, 2], 2)


def test_results_of_another_endpoint_in_a_page_are_of_its_report(bills, openai):
    mixed = [openai["usage"](input_tokens=1), openai["usage"]("embeddings", input_tokens=2)]
    bills.load(openai["page"]({0: mixed, 1: [mixed[1]]}), "1.json")
    bills.load(openai["page"]({0: [openai["usage"]("embeddings", input_tokens=5)]}), "2.json")
    bills.load(openai["page"]({1: [openai["usage"](input_tokens=7)]}), "3.json")
    found = bills.usage("operation, coalesce(input_tokens, embedding_tokens) as n")
    assert [tuple(row.values()) for row in found] == [
        ("completions", 1), ("completions", 7), ("embeddings", 2), ("embeddings", 5),
    ]  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[3::8])
def test_any_order_of_loading_gives_the_same_tables(bills, again, openai, order):
    pages = [
        {0: [openai["cost"](1)], 1: [openai["cost"](2)]},
        {1: [openai["cost"](20)], 2: [openai["cost"](3)]},
        {0: [], 2: [openai["cost"](30), openai["cost"](31)]},
        {2: [openai["cost"](300)]},
    ]
    bills.ingest(*(bills.logs.file(f"{n}.json", json.dumps(openai["page"](page))) for n, page in enumerate(pages)))
    assert amounts(bills) == [20, 300]
    other = again(order)
    assert other.content() == bills.content()
    receipts = other.receipts()
    assert sum(r.accepted_count - r.replaced_count for r in receipts) == 2
    assert all(r.accepted_count + r.duplicate_count + r.quarantined_count == r.read_count for r in receipts)


def hours(openai, count):
    page = openai["page"]({0: []})
    start = page["data"][0]["start_time"]
    page["data"] = [
        {
            "object": "bucket",
            "start_time": start + 3600 * n,
            "end_time": start + 3600 * (n + 1),
            "results": [openai["usage"](output_tokens=1)],
        }
        for n in range(count)
    ]
    return page


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_day_and_its_hours_are_never_both_counted(bills, again, openai, order):
    bills.load(hours(openai, 24), "hours.json")
    day = bills.load(openai["page"]({0: [openai["usage"](output_tokens=24)], 1: []}), "day.json")
    assert (day.replaced_count, [row["output_tokens"] for row in bills.usage()]) == (24, [24])
    assert again(order).content() == bills.content()


def test_replaying_the_winner_brings_back_what_it_had_replaced(stored, openai, monkeypatch):
    stored.load(openai["page"]({0: [openai["cost"](1)]}), "1.json")
    second = stored.load(openai["page"]({0: [openai["cost"](2)]}), "2.json")
    before = stored.content()
    with monkeypatch.context() as patch:
        real = loading.bill_loading.items_sql

        def rejecting(records, bill):
            return f"select * replace (case when r.item.amount.value = '2' then 'broken' end as reject_reason) from ({real(records, bill)})"

        patch.setattr(loading.bill_loading, "items_sql", rejecting)
        loading.replay(stored.logs.settings, second.segment_id)
    assert amounts(stored) == [1]
    loading.replay(stored.logs.settings, loading.receipts(stored.logs.settings)[0].segment_id)
    assert amounts(stored) == [1], "the broken one still speaks for nothing"
    loading.replay(stored.logs.settings, second.segment_id)
    assert stored.content() == before


def test_a_load_cut_short_leaves_nothing_and_is_taken_up_again(stored, openai, monkeypatch):
    stored.load(openai["page"]({0: [openai["cost"](1)]}), "1.json")
    before = stored.content()
    with monkeypatch.context() as patch:

        def stop(*_):
            raise KeyboardInterrupt

        patch.setattr(receipts, "receive", stop)
        with pytest.raises(KeyboardInterrupt):
            stored.load(openai["page"]({0: [openai["cost"](2)]}), "2.json")
    assert stored.content() == before
    loading.load_pending(stored.logs.settings)
    assert amounts(stored) == [Decimal(2)]


def test_the_tables_are_there_with_nothing_landed(stored):
    loading.load_pending(stored.logs.settings)
    assert stored.content() == {"reported_scopes": [], "usage_reported": [], "cost_reported": []}
