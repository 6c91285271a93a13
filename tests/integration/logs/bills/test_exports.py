"""Files of rows: the console's CSV, OpenRouter's activity, AWS's and Google's invoices."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipelines import warehouse
from pipelines.errors import BadInputError, MissingColumnError
from pipelines.logs import inbox

CONSOLE_USAGE = """usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,\
usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,\
web_search_count,inference_geo,speed
2026-09-01,claude-sonnet-5,key,Default,standard,≤ 200k,100,5,6,7,50,1,not_available,
2026-09-01,claude-sonnet-5,key,Default,batch,> 200k,200,0,0,0,60,0,us,
"""
CONSOLE_COST = """usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,\
cost_type,inference_geo,speed
2026-09-01,Claude Opus 5,Default,key,message,≤ 200k,input_cache_read,0.10,1.00,token,global,
2026-09-01,Claude Opus 5,Default,key,message,≤ 200k,dreams,0.25,0.25,token,global,
"""


def table(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_console_usage_by_column_name(bills):
    assert bills.load(CONSOLE_USAGE, "usage.csv").format == "anthropic_console_usage"
    small, large = bills.usage()
    if small["service_tier"] == "batch":
        small, large = large, small
    parts = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    assert [small[f"{part}_tokens"] for part in parts] == [100, 5, 6, 7, 50]
    assert (small["context_window"], large["context_window"]) == ("0-200k", "200k-1M")
    assert (small["region"], large["region"], large["service_tier"]) == (None, "us", "batch")
    assert (small["bucket_start_at"], small["api_key_name"]) == (datetime(2026, 9, 1, tzinfo=UTC), "key")


def test_columns_may_come_move_and_stay_away(bills):
    grown = table([
        {"speed": "fast", "usage_output_tokens": 9, "new_column": "x", "usage_input_tokens_no_cache": 3,
         "model_version": "claude-opus-5", "usage_date_utc": "2026-09-01", "api_key_id": "apikey_1"}
    ])  # fmt: skip
    assert bills.load(grown, "usage.csv").quarantined_count == 0
    (row,) = bills.usage()
    assert (row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]) == (3, 9, None)
    assert (row["service_tier"], row["api_key_id"]) == ("fast", "apikey_1")


@pytest.mark.parametrize(
    ("text", "name"),
    [(CONSOLE_USAGE, "usage_input_tokens_no_cache"), (CONSOLE_COST, "token_type")],
)
def test_a_missing_column_is_named_and_nothing_is_taken(bills, logs, text, name):
    lacking = text.replace(name, "renamed", 1)
    with pytest.raises(MissingColumnError, match=f"no column '{name}'.*Export it again"):
        bills.load(lacking, "report.csv")
    logs.settings.create_home()
    (logs.settings.inbox / "report.csv").write_text(lacking)
    assert [file for file, why in inbox.empty(logs.settings).set_aside if name in why] == ["report.csv"]


def test_console_costs_are_dollars_and_new_words_stay(bills):
    assert bills.load(CONSOLE_COST, "cost.csv").format == "anthropic_console_costs"
    lines = {line["meter"]: line for line in bills.costs()}
    assert (lines["cache_read"]["amount"], lines["cache_read"]["list_amount"]) == (Decimal("0.10"), Decimal("1.00"))
    assert (lines[None]["line_item"], lines[None]["amount"]) == ("Claude Opus 5, dreams", Decimal("0.25"))
    assert {line["model_label"] for line in lines.values()} == {"Claude Opus 5"}


def test_a_console_export_of_one_workspace_leaves_the_others(bills):
    bills.load(CONSOLE_COST, "1.csv")
    bills.load(CONSOLE_COST.replace("Default", "Other"), "2.csv")
    receipt = bills.load(CONSOLE_COST.replace("Default", "Other").replace("0.25", "0.35"), "3.csv")
    assert receipt.replaced_count == 2
    assert sorted(line["amount"] for line in bills.costs()) == [Decimal(n) for n in ("0.10", "0.10", "0.25", "0.35")]


ACTIVITY = {
    "date": "2026-09-01",
    "model": "openai/gpt-5",
    "model_permaslug": "openai/gpt-5-2026-01-01",
    "endpoint_id": "e-1",
    "provider_name": "OpenAI",
    "usage": 0.015,
    "byok_usage_inference": 0.012,
    "requests": 5,
    "prompt_tokens": 50,
    "completion_tokens": 125,
    "reasoning_tokens": 25,
}


def test_openrouter_charges_its_fee_and_keeps_the_other_bill_apart(bills):
    text = json.dumps({"data": [ACTIVITY]}).replace("0.015", "0.015000000000000001")
    assert bills.load(text).format == "openrouter_activity"
    (line,), (row,) = bills.costs(), bills.usage()
    assert (line["amount"], line["currency"]) == (Decimal("0.015000000000000001"), "USD")
    assert json.loads(line["details"])["byok_usage_inference"] == "0.012"
    assert (row["input_tokens"], row["output_tokens"], row["reasoning_tokens"]) == (50, 100, 25)
    assert (row["requests"], row["model"]) == (5, "openai/gpt-5")


def test_openrouter_csv_and_json_are_one_report(bills):
    bills.load({"data": [ACTIVITY]}, "1.json")
    page = table([
        {"Date": "2026-09-01 00:00:00", "Slug": "openai/gpt-5-2026-01-01", "Usage": "0.5", "BYOK Usage": "0",
         "Requests": "6", "Prompt Tokens": "1", "Completion Tokens": "2", "Reasoning Tokens": "3"},
        {"Date": "2026-09-02 00:00:00", "Slug": "openai/gpt-5-2026-01-01", "Usage": "0.7", "BYOK Usage": "0",
         "Requests": "6", "Prompt Tokens": "1", "Completion Tokens": "2", "Reasoning Tokens": "1"},
        {"Date": "2026-09-01 00:00:00", "Slug": "openai/gpt-5-2026-01-01", "Usage": "0.6", "BYOK Usage": "0",
         "Requests": "6", "Prompt Tokens": "1", "Completion Tokens": "2", "Reasoning Tokens": "0"},
    ])  # fmt: skip
    receipt = bills.load(page, "activity.csv")
    assert (receipt.accepted_count, receipt.quarantined_count, receipt.replaced_count) == (2, 1, 1)
    assert [kept["reason"] for kept in bills.quarantine()] == ["counts_do_not_add_up"]
    assert [line["amount"] for line in bills.costs()] == [Decimal("0.6"), Decimal("0.7")]


def cur(**changes):
    return {
        "identity_line_item_id": "li-1",
        "bill_billing_period_start_date": "2026-09-01T00:00:00Z",
        "bill_payer_account_id": "999900000000",
        "line_item_usage_start_date": "2026-09-01T09:00:00Z",
        "line_item_usage_end_date": "2026-09-01T10:00:00Z",
        "line_item_usage_account_id": "111122223333",
        "line_item_line_item_type": "Usage",
        "line_item_product_code": "AmazonBedrockFoundationModels",
        "line_item_usage_type": "USE1-MP:USE1_InputTokenCount-Units",
        "line_item_operation": "InvokeModel",
        "line_item_line_item_description": "Claude Opus 5 (Amazon Bedrock Edition) input tokens",
        "line_item_usage_amount": "1234.567",
        "pricing_unit": "1K tokens",
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": "6.790118500",
        "line_item_net_unblended_cost": "6.111106650",
        "line_item_iam_principal": "arn:aws:sts::111122223333:assumed-role/App/ann@example.com",
        **changes,
    }


def test_three_units_of_tokens_are_one(bills):
    bills.load(
        table([
            cur(line_item_usage_amount="1234.567", pricing_unit="1K tokens"),
            cur(line_item_usage_amount="0.098765", pricing_unit="1M tokens"),
            cur(line_item_usage_amount="0.042", pricing_unit="Units"),
            cur(line_item_usage_amount="4.2e-2", pricing_unit="Units"),
            cur(line_item_usage_amount="24", pricing_unit="Hrs", line_item_product_code="AmazonEC2",
                line_item_usage_type="USE1-BoxUsage:m7i.large", line_item_operation="RunInstances"),
        ]),
        "cur.csv",
    )  # fmt: skip
    lines = bills.costs("quantity, unit, quantity_reported, unit_reported, provider, meter")
    found = {
        (line["quantity_reported"], line["unit_reported"]): (
            line["quantity"],
            line["unit"],
            line["provider"],
            line["meter"],
        )
        for line in lines
    }
    assert found == {
        ("1234.567", "1K tokens"): (1_234_567, "token", "bedrock", "input"),
        ("0.098765", "1M tokens"): (98_765, "token", "bedrock", "input"),
        ("0.042", "Units"): (42_000, "token", "bedrock", "input"),
        ("4.2e-2", "Units"): (42_000, "token", "bedrock", "input"),
        ("24", "Hrs"): (24, "Hrs", None, None),
    }


def test_every_line_of_the_invoice_is_kept_with_its_class(bills):
    types = {
        "Usage": "usage", "SavingsPlanCoveredUsage": "usage", "Credit": "credit", "EdpDiscount": "credit", "Tax": "tax",
        "Fee": "fee", "RIFee": "fee", "Refund": "adjustment", "Novelty": None,
    }  # fmt: skip
    receipt = bills.load(table([cur(line_item_line_item_type=word) for word in types]), "cur.csv")
    assert (receipt.read_count, receipt.accepted_count) == (len(types), len(types))
    assert {line["charge_type"]: line["charge_class"] for line in bills.costs()} == types


def test_a_line_of_the_invoice(bills):
    bills.load(table([cur()]), "cur.csv")
    (line,) = bills.costs()
    assert (line["amount"], line["list_amount"]) == (Decimal("6.111106650"), Decimal("6.790118500"))
    assert (line["account"], line["project"], line["line_id"]) == ("999900000000", "111122223333", "li-1")
    assert line["user_id"] == "arn:aws:sts::111122223333:assumed-role/App/email:71d4f55f72fa128d"
    assert (line["model_label"], line["bucket_start_at"]) == ("Claude Opus 5", datetime(2026, 9, 1, 9, tzinfo=UTC))


def test_the_usage_types_of_both_spellings(bills):
    words = {
        "USE1-MP:USE1_CacheReadInputTokenCount_Global-Units": ("cache_read", "global", None),
        "USE1-MP:USE1_CacheWriteInputTokenCount-Units": ("cache_write", None, None),
        "USW2-MP:USW2_output_tokens_global_standard-Units": ("output", "global", None),
        "USE1-NovaLite-input-tokens-batch": ("input", None, "batch"),
        "USE1-anthropic.claude-opus-5-output-tokens": ("output", None, None),
        "USE1-Guardrail-ContentPolicyUnitsConsumed": (None, None, None),
    }
    bills.load(table([cur(line_item_usage_type=word, line_item_line_item_description="") for word in words]), "cur.csv")
    lines = bills.costs()
    assert {line["line_item"]: (line["meter"], line["region"], line["service_tier"]) for line in lines} == words
    assert {line["model"] for line in lines} == {None, "anthropic.claude-opus-5"}


def test_a_billing_period_is_replaced_as_a_whole(bills):
    bills.load(
        table([cur(line_item_unblended_cost="1", line_item_net_unblended_cost=""), cur(identity_line_item_id="li-2")]),
        "1.csv",
    )
    october = {"bill_billing_period_start_date": "2026-10-01T00:00:00Z", "line_item_usage_start_date": "2026-10-02T00:00:00Z",
               "line_item_usage_end_date": "2026-10-02T01:00:00Z"}  # fmt: skip
    bills.load(table([cur(line_item_net_unblended_cost="7", **october)]), "2.csv")
    receipt = bills.load(table([cur(line_item_net_unblended_cost="3")]), "3.csv")
    assert receipt.replaced_count == 2
    assert [line["amount"] for line in bills.costs()] == [3, 7]


def test_the_numbered_files_of_one_delivery_stand_side_by_side(bills, again):
    for turn, (name, amount) in enumerate(
        [
            ("cur-00001.csv", 1),
            ("cur-00002.csv", 2),
            ("cur-00001.csv", 10),
            ("whole.csv", 50),
            ("cur-00002.csv", 20),
            ("cur-00001.csv", 11),
        ]
    ):
        bills.load(table([cur(line_item_net_unblended_cost=amount, identity_line_item_id=f"li-{turn}")]), name)
        found = sorted(line["amount"] for line in bills.costs())
        assert found == [[1], [1, 2], [2, 10], [50], [20], [11, 20]][turn]
    assert again([5, 3, 4, 0, 2, 1]).content() == bills.content()


def test_parquet_is_read_like_csv(bills, new_logs):
    rows = [cur(), cur(identity_line_item_id="li-2", line_item_usage_amount="0.042", pricing_unit="Units")]
    bills.load(table(rows), "cur.csv")
    other = new_logs()
    source = other.file("cur.csv", table(rows))
    with warehouse.engine(other.settings) as connection:
        connection.execute(
            f"""copy (select * replace (line_item_unblended_cost::double as line_item_unblended_cost,
              line_item_usage_start_date::timestamp as line_item_usage_start_date, line_item_usage_amount::double as
              line_item_usage_amount, bill_billing_period_start_date::timestamptz as bill_billing_period_start_date),
              map {{'region': 'us-east-1'}} as product
            from read_csv('{source}', all_varchar = true)) to '{other.folder / "cur.parquet"}' (format parquet)"""
        )
    (receipt,) = other.ingest(other.folder / "cur.parquet")
    assert (receipt.format, receipt.accepted_count, receipt.quarantined_count) == ("aws_cur", 2, 0)
    columns = "* exclude (segment_id, loaded_at, quantity_reported)"
    assert other.query(f"select {columns} from raw.cost_reported order by line_id") == bills.query(
        f"select {columns} from raw.cost_reported order by line_id"
    )


def gcp(**changes):
    return {
        "billing_account_id": "0X-1",
        "service": {"id": "C7", "description": "Vertex AI"},
        "sku": {"id": "A1", "description": "Claude Opus 5 Input Tokens"},
        "usage_start_time": "2026-09-01 00:00:00 UTC",
        "usage_end_time": "2026-09-01 01:00:00 UTC",
        "project": {"id": "acme", "name": "ann@example.com"},
        "location": {"location": "global", "region": "global"},
        "cost": 10.5,
        "currency": "USD",
        "usage": {"amount": 2000000, "unit": "tokens"},
        "credits": [],
        "cost_type": "regular",
        **changes,
    }


def lines_of(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_credits_are_lines_of_their_own(bills):
    granted = [
        {"name": "Committed use", "amount": -0.5, "type": "DISCOUNT"},
        {"name": "Trial", "amount": -1, "type": "PROMOTION"},
    ]
    text = lines_of(gcp(credits=granted), gcp(cost=0.77, cost_type="tax"), gcp(cost=1, cost_type="novel"))
    receipt = bills.load(text.replace("10.5", "10.500000000000000001"), "gcp.jsonl")
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("gcp_billing", 3, 3)
    lines = bills.costs()
    assert sum(line["amount"] for line in lines) == Decimal("10.770000000000000001")
    assert {(line["charge_type"], line["charge_class"], line["amount"]) for line in lines} == {
        ("regular", "usage", Decimal("10.500000000000000001")), ("DISCOUNT", "credit", Decimal("-0.5")),
        ("PROMOTION", "credit", Decimal(-1)), ("tax", "tax", Decimal("0.77")), ("novel", None, Decimal(1)),
    }  # fmt: skip
    usage = next(line for line in lines if line["charge_class"] == "usage")
    assert (usage["meter"], usage["quantity"], usage["unit"], usage["provider"]) == (
        "input",
        2000000,
        "token",
        "vertex",
    )


def test_naive_times_are_utc(bills):
    bills.load(
        lines_of(gcp(usage_start_time="2026-09-01 00:30:00", usage_end_time="2026-09-01T02:30:00+02:00")), "gcp.jsonl"
    )
    (line,) = bills.costs()
    assert line["bucket_start_at"] == line["bucket_end_at"] == datetime(2026, 9, 1, 0, 30, tzinfo=UTC)


def test_a_day_is_replaced_as_a_whole_by_the_later_made_export(bills, again):
    """The export says when it was made: an older one landed later is not newer."""
    tomorrow = {"usage_start_time": "2026-09-02 00:00:00 UTC", "usage_end_time": "2026-09-02 01:00:00 UTC"}
    newer = gcp(cost=3, export_time="2026-09-03 05:00:00 UTC")
    older = [
        gcp(cost=1, export_time="2026-09-02 05:00:00 UTC"),
        gcp(cost=2, export_time="2026-09-02 05:00:00 UTC", **tomorrow),
    ]
    bills.load(lines_of(newer), "newer.jsonl")
    receipt = bills.load(lines_of(*older), "older.jsonl")
    assert (receipt.accepted_count, receipt.duplicate_count) == (1, 1)
    assert [line["amount"] for line in bills.costs()] == [3, 2]
    assert again([1, 0]).content() == bills.content()


def test_part_of_an_export_is_not_taken_for_the_whole(bills):
    assert bills.load(lines_of(gcp()), "export-000000000000.json").accepted_count == 1
    with pytest.raises(BadInputError, match="put the parts together"):
        bills.load(lines_of(gcp(cost=1)), "export-000000000001.json")
    assert len(bills.costs()) == 1


def test_bad_rows_are_quarantined_without_addresses(bills):
    rows = [gcp(cost=None), gcp(cost="much"), gcp(credits=[{"amount": "x"}]), gcp(usage_start_time="soon"), gcp()]
    receipt = bills.load(lines_of(*rows), "gcp.jsonl")
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (5, 1, 4)
    kept = bills.quarantine()
    assert [row["reason"] for row in kept] == [
        "missing: cost",
        "bad_type: cost",
        "bad_type: credits.amount",
        "bad_type: time",
    ]
    assert [row["line_number"] for row in kept] == [1, 2, 3, 4]
    assert all("ann@" not in row["raw"] for row in kept)


def test_a_damaged_csv_line_is_counted(bills):
    text = table([cur(), cur(identity_line_item_id="li-2")]) + "only,two\r\n"
    receipt = bills.load(text, "cur.csv")
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (3, 2, 1)
    assert [row["reason"] for row in bills.quarantine()] == ["malformed_csv"]
