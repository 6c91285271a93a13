"""What OpenAI's and Anthropic's APIs say, bucket by bucket."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import warehouse
from pipelines.errors import UnknownFormatError
from pipelines.logs.bills import plan
from pipelines.logs.bills.reading import exact, shifted
from pipelines.logs.sampling import look_at


def test_amounts_are_the_text_of_the_number(bills, openai):
    page = json.dumps(
        openai["page"]({0: [openai["cost"]("X"), openai["cost"]("Y", None), openai["cost"]("Z", "other")]})
    )
    for mark, number in (("X", "0.123456789012345678"), ("Y", "12345678901234567.10"), ("Z", "1e-7")):
        page = page.replace(f'"{mark}"', number)
    receipt = bills.load(page)
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("openai_costs", 3, 3)
    lines = {line["amount_reported"]: line["amount"] for line in bills.costs()}
    assert lines == {
        "0.123456789012345678": Decimal("0.123456789012345678"),
        "12345678901234567.10": Decimal("12345678901234567.10"),
        "1e-7": Decimal("0.0000001"),
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def _texts(value):
    """The document with every number as Python writes it, text."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return json.dumps(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def test_any_document_keeps_its_numbers_as_text(logs):
    with warehouse.engine(logs.settings) as connection:

        @given(_JSON, st.sampled_from([None, 1]))
        def holds(value, indent):
            text = json.dumps(value, indent=indent)
            (found,) = connection.execute(f"select {exact('$1::varchar')}::varchar", [text]).fetchone()
            assert json.loads(found) == _texts(value)

        holds()


def test_a_power_of_ten_is_exact(logs):
    cases = [("1234.5", -2, "12.345"), ("132.00000000000045", -2, "1.3200000000000045"), ("1e-3", -2, "0.00001"),
             ("-5E2", -2, "-5"), ("0.042", 6, "42000"), ("1234.567", 3, "1234567")]  # fmt: skip
    with warehouse.engine(logs.settings) as connection:
        for text, power, value in cases:
            sql = f"select ({shifted('t', str(power))})::decimal(38, 18) from (select '{text}' as t)"
            assert connection.execute(sql).fetchone()[0] == Decimal(value)


def test_line_items_and_what_is_not_known_of_them(bills, openai):
    words = ["gpt-5.6-sol, cached input", "a, b, Output", "Web search tool calls", "gpt-5, something new", None]
    bills.load(openai["page"]({0: [openai["cost"](n + 1, word) for n, word in enumerate(words)]}))
    lines = {line["line_item"]: (line["model"], line["meter"], line["amount"]) for line in bills.costs()}
    assert lines == {
        "gpt-5.6-sol, cached input": ("gpt-5.6-sol", "cache_read", 1),
        "a, b, Output": ("a, b", "output", 2),
        "Web search tool calls": (None, None, 3),
        "gpt-5, something new": (None, None, 4),
        None: (None, None, 5),
    }


def test_a_bucket_is_a_day_of_utc(bills, openai):
    bills.load(openai["page"]({0: [openai["cost"](1)]}))
    (line,) = bills.costs()
    assert line["bucket_start_at"] == datetime(2026, 9, 1, tzinfo=UTC)
    assert line["bucket_end_at"] == datetime(2026, 9, 2, tzinfo=UTC)
    assert (line["provider"], line["currency"], line["charge_class"]) == ("openai", "USD", "usage")


def test_completions_become_disjoint_meters(bills, openai):
    full = openai["usage"](
        input_tokens=1000, input_cached_tokens=400, input_cache_write_tokens=100, input_uncached_tokens=500,
        input_audio_tokens=50, input_image_tokens=50, output_tokens=500, output_audio_tokens=50,
        output_image_tokens=50, batch=True,
    )  # fmt: skip
    old = openai["usage"](
        input_tokens=100, input_cached_tokens=40, output_tokens=7, service_tier="default", model="old"
    )
    receipt = bills.load(openai["page"]({0: [full, old]}))
    assert (receipt.format, receipt.accepted_count) == ("openai_usage_completions", 2)
    rows = {row["model"]: row for row in bills.usage()}
    new = rows["gpt-5"]
    assert [new[f"{part}_tokens"] for part in ("input", "cache_read", "cache_write", "input_audio", "input_image")] == [
        400, 400, 100, 50, 50,
    ]  # fmt: skip
    assert (new["output_tokens"], new["output_audio_tokens"], new["output_image_tokens"]) == (400, 50, 50)
    assert (new["service_tier"], new["requests"]) == ("batch", 3)
    assert (rows["old"]["input_tokens"], rows["old"]["cache_write_tokens"]) == (60, None)
    assert rows["old"]["service_tier"] == "standard"


ENDPOINTS = {
    "embeddings": ({"input_tokens": 16}, "embedding_tokens"),
    "moderations": ({"input_tokens": 17}, "moderation_tokens"),
    "images": ({"images": 2}, "images"),
    "audio_speeches": ({"characters": 45}, "characters"),
    "audio_transcriptions": ({"seconds": 20}, "audio_seconds"),
    "code_interpreter_sessions": ({"num_sessions": 4}, "code_sessions"),
    "vector_stores": ({"usage_bytes": 1024}, "storage_bytes"),
    "file_searches": ({"num_requests": 5}, "file_search_calls"),
    "web_searches": ({"num_requests": 6}, "web_search_calls"),
}


def test_every_endpoint_has_its_meter(bills, openai):
    results = [openai["usage"](kind, **counts) for kind, (counts, _) in ENDPOINTS.items()]
    bills.load(openai["page"]({0: results}))
    rows = {row["operation"]: row for row in bills.usage()}
    for kind, (counts, meter) in ENDPOINTS.items():
        assert (rows[kind]["report"], [rows[kind][meter]]) == (f"openai_usage_{kind}", list(counts.values()))
        assert rows[kind]["input_tokens"] is None


def test_every_endpoint_is_recognised_by_its_results(logs, openai):
    for kind in ("completions", *ENDPOINTS):
        path = logs.file("page.json", json.dumps(openai["page"]({0: [], 1: [openai["usage"](kind)]})))
        assert plan(look_at(path), None)[0] == f"openai_usage_{kind}"


def test_an_endpoint_nobody_knows_keeps_its_own_name(bills, openai):
    assert bills.load(openai["page"]({0: [openai["usage"]("dreams")]})).format == "openai_usage"
    (row,) = bills.usage()
    assert (row["report"], row["requests"]) == ("openai_usage_dreams", 3)


def test_counts_that_cannot_be_are_quarantined(bills, openai):
    wrong = [
        ({"input_tokens": 10, "input_cached_tokens": 4, "input_uncached_tokens": 5}, "counts_do_not_add_up"),
        ({"input_tokens": 10, "input_cached_tokens": 11}, "counts_do_not_add_up"),
        ({"output_tokens": 10, "output_audio_tokens": 11}, "counts_do_not_add_up"),
        ({"input_tokens": "many"}, "bad_type: input_tokens"),
        ({"input_tokens": 1.5}, "bad_type: input_tokens"),
        ({"input_tokens": -1}, "out_of_range: input_tokens"),
    ]
    results = [openai["usage"](**counts) for counts, _ in wrong]
    receipt = bills.load(openai["page"]({0: [*results, openai["usage"](input_tokens=1)]}))
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (7, 1, 6)
    assert [kept["reason"] for kept in bills.quarantine()] == [reason for _, reason in wrong]


def test_cents_are_not_dollars(bills, anthropic):
    receipt = bills.load(anthropic["page"]({0: [anthropic["cost"]("123.45"), anthropic["cost"]("132.00000000000045")]}))
    assert receipt.format == "anthropic_costs"
    lines = bills.costs()
    assert [line["amount"] for line in lines] == [Decimal("1.2345"), Decimal("1.3200000000000045")]
    assert [line["amount_reported"] for line in lines] == ["123.45", "132.00000000000045"]
    assert {line["meter"] for line in lines} == {"output"}


def test_charges_without_a_model_and_of_new_kinds_stay(bills, anthropic):
    plain = dict.fromkeys(("token_type", "model", "service_tier", "context_window", "inference_geo"))
    bills.load(
        anthropic["page"](
            {
                0: [
                    anthropic["cost"]("100", cost_type="web_search", description="Web Search Usage", **plain),
                    anthropic["cost"]("200", cost_type="dreams", description="Dreams", **plain),
                    anthropic["cost"]("300", cost_type=None, description=None, workspace_id=None, **plain),
                    anthropic["cost"]("400", description="Claude Opus 5 Usage - Output Tokens (Fast)"),
                ]
            }
        )
    )
    lines = {line["amount"]: line for line in bills.costs()}
    assert (lines[1]["meter"], lines[1]["charge_type"]) == ("web_search", "web_search")
    assert (lines[2]["meter"], lines[2]["charge_type"], lines[2]["line_item"]) == (None, "dreams", "Dreams")
    assert (lines[3]["line_item"], lines[3]["charge_class"]) == (None, "usage")
    assert (lines[4]["service_tier"], lines[4]["speed"]) == ("fast", "fast")


def test_anthropic_usage_is_disjoint_as_it_comes(bills, anthropic):
    result = {
        "account_id": None,
        "service_account_id": "svac_1",
        "api_key_id": "apikey_1",
        "workspace_id": "wrkspc_a",
        "model": "claude-opus-5",
        "service_tier": "standard",
        "speed": "fast",
        "context_window": "200k-1M",
        "inference_geo": "not_available",
        "uncached_input_tokens": 1500,
        "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
        "cache_read_input_tokens": 200,
        "output_tokens": 700,
        "server_tool_use": {"web_search_requests": 10, "web_fetch_requests": 2},
    }
    assert bills.load(anthropic["page"]({0: [result]})).format == "anthropic_usage"
    (row,) = bills.usage()
    found = [row[f"{part}_tokens"] for part in ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")]
    assert found == [1500, 200, 500, 1000, 700]
    assert (row["web_search_calls"], row["web_fetch_calls"], row["requests"]) == (10, 2, None)
    assert (row["user_id"], row["service_tier"], row["region"]) == ("svac_1", "fast", None)


def test_what_is_missing_is_named(bills, anthropic, openai):
    lacking = anthropic["cost"]("1")
    del lacking["currency"]
    bills.load(anthropic["page"]({0: [anthropic["cost"]("1"), lacking, 7]}))
    no_time = openai["page"]({0: [openai["cost"](1)], 1: [openai["cost"](2)]})
    del no_time["data"][1]["end_time"]
    assert bills.load(no_time, "2.json").quarantined_count == 1
    assert sorted(kept["reason"] for kept in bills.quarantine()) == [
        "bad_type: time", "missing: amount", "missing: currency",
    ]  # fmt: skip


def test_fields_nobody_knows_are_ignored(bills, openai):
    bills.load(openai["page"]({0: [openai["cost"](1, invented={"deep": [1]})]}, invented=True))
    assert len(bills.costs()) == 1


def test_empty_buckets_alone_must_be_named(bills, openai):
    with pytest.raises(UnknownFormatError, match=r"empty buckets.*--format.*openai_usage_images"):
        bills.load(openai["page"]({0: [], 1: []}))
    receipt = bills.load(openai["page"]({0: [], 1: []}), format_name="openai_usage_images")
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (0, 0, 0)
    scopes = bills.query("select report, item_count, is_current from raw.reported_scopes")
    assert scopes == [{"report": "openai_usage_images", "item_count": 0, "is_current": True}] * 2


def test_pages_of_one_report(bills, openai):
    """As one file of lines, as an array, and as buckets alone."""
    pages = [openai["page"]({0: [openai["cost"](1)]}, has_more=True), openai["page"]({1: [openai["cost"](2)], 2: []})]
    forms = [
        "".join(json.dumps(page) + "\n" for page in pages),
        json.dumps(pages, indent=1),
        "".join(json.dumps(bucket) + "\n" for page in pages for bucket in page["data"]),
    ]
    for turn, form in enumerate(forms):
        receipt = bills.load(form, f"{turn}.json")
        assert (receipt.format, receipt.read_count, receipt.quarantined_count) == ("openai_costs", 2, 0)
        assert [line["amount"] for line in bills.costs()] == [1, 2]


def test_a_page_longer_than_the_first_look_is_recognised(bills, openai):
    results = [openai["cost"](n, f"gpt-{n}, input", filler="x" * 400) for n in range(1500)]
    for indent in (None, 1):
        receipt = bills.load(json.dumps(openai["page"]({0: results}), indent=indent), f"{indent}.json")
        assert (receipt.format, receipt.accepted_count) == ("openai_costs", 1500)


def test_damage_is_counted_and_the_rest_kept(bills, openai):
    good = json.dumps(openai["page"]({0: [openai["cost"](1)]}))
    receipt = bills.load(good + "\n\n" + good[:80] + "\n", "pages.jsonl")
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (2, 1, 1)
    (kept,) = bills.quarantine()
    assert (kept["reason"], kept["line_number"], kept["raw"]) == ("malformed_json", 3, good[:80])
