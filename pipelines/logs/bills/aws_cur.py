"""AWS Cost and Usage Report 2.0 (Data Exports), CSV or Parquet: an invoice's lines, hour by hour.

Belongs here: its columns, its units and its types of line. Does not belong here: Bedrock's invocation log.

A refresh delivers the billing period again, as one or several numbered files (`<name>-00001.csv.gz`); the
manifest lists them, and line ids are unique within a delivery only. So a billing period is replaced as a
whole: a file by the later file of its number, and a file without a number (several put together) stands for
all of them. A manifest itself is not read; a number that a later delivery no longer has stays until a file
without a number, or that number, comes again. Within a period the number of files only grows.

Tokens come in thousands, in millions, and in `Units` (the marketplace's name for millions, in usage types that
end in `-Units`). Every line of the invoice is kept; those that are not of Bedrock have no provider. `amount` is
the net cost where the report has one, after discounts that are not lines of their own.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.bills import Bill, Lines
from pipelines.logs.bills.reading import details, mapped, shifted
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import given, instant

_COLUMNS: Final = (
    "bill_billing_period_start_date", "line_item_usage_start_date", "line_item_usage_end_date",
    "line_item_usage_account_id", "line_item_line_item_type", "line_item_product_code", "line_item_usage_type",
    "line_item_usage_amount", "line_item_currency_code", "line_item_unblended_cost",
)  # fmt: skip
_FURTHER: Final = (
    "identity_line_item_id", "bill_billing_period_end_date", "bill_payer_account_id", "bill_invoice_id",
    "line_item_operation", "line_item_line_item_description", "pricing_unit", "line_item_net_unblended_cost",
    "line_item_iam_principal", "line_item_resource_id", "product_region_code",
)  # fmt: skip

_CLASSES: Final = {
    "usage": "usage",
    "discountedusage": "usage",
    "savingsplancoveredusage": "usage",
    "credit": "credit",
    "bundleddiscount": "credit",
    "discount": "credit",
    "edpdiscount": "credit",
    "privateratediscount": "credit",
    "rivolumediscount": "credit",
    "tax": "tax",
    "fee": "fee",
    "rifee": "fee",
    "savingsplanupfrontfee": "fee",
    "savingsplanrecurringfee": "fee",
    "refund": "adjustment",
    "savingsplannegation": "adjustment",
}

_IS_BEDROCK: Final = """(contains(lower(r.line_item_product_code), 'bedrock')
    or starts_with(coalesce(r.line_item_operation, ''), 'InvokeModel'))"""
# `InputTokenCount`, `input_tokens_standard`, `input-tokens`: letters only.
_WORD: Final = "regexp_replace(lower(r.line_item_usage_type), '[^a-z0-9]', '', 'g')"
_IS_TOKENS: Final = f"({_IS_BEDROCK} and contains({_WORD}, 'token'))"
_CLASS: Final = mapped("r.line_item_line_item_type", _CLASSES)
_METER: Final = f"""case when not coalesce({_IS_TOKENS} and {_CLASS} = 'usage', false) then null
    when contains({_WORD}, 'cacheread') then 'cache_read'
    when contains({_WORD}, 'cachewrite') and contains({_WORD}, '1h') then 'cache_write_1h'
    when contains({_WORD}, 'cachewrite') then 'cache_write'
    when contains({_WORD}, 'output') then 'output' when contains({_WORD}, 'input') then 'input' end"""
_SCALE: Final = f"""case when not coalesce({_IS_TOKENS}, false) then null
    when lower(r.pricing_unit) in ('1k tokens', '1k token') then 3
    when lower(r.pricing_unit) in ('1m tokens', '1m token') then 6
    when lower(r.pricing_unit) in ('tokens', 'token') then 0
    when lower(r.pricing_unit) = 'units' and ends_with(r.line_item_usage_type, '-Units') then 6 end"""
_COST: Final = f"coalesce({given('r.line_item_net_unblended_cost')}, r.line_item_unblended_cost)"
_PERIOD: Final = instant("r.bill_billing_period_start_date")


def _detect(sample: Sample) -> str | None:
    if {"line_item_line_item_type", "line_item_product_code"} <= set(sample.columns):
        return "columns line_item_line_item_type, line_item_product_code: AWS Cost and Usage Report 2.0"
    return None


BILLS: Final = (
    Bill(
        name="aws_cur",
        detect=_detect,
        columns=_COLUMNS,
        structure=dict.fromkeys((*_COLUMNS, *_FURTHER), "VARCHAR"),
        start=instant("r.line_item_usage_start_date"),
        end=f"coalesce({instant(given('r.line_item_usage_end_date'))}, {instant('r.line_item_usage_start_date')})",
        scope_start=_PERIOD,
        scope_end=f"{_PERIOD} + interval 1 month",
        account="r.bill_payer_account_id",
        part=r"-(\d{5})\.",
        required={name: f"r.{name}" for name in ("line_item_unblended_cost", "line_item_currency_code")},
        amounts={
            name: f"r.{name}"
            for name in ("line_item_unblended_cost", "line_item_net_unblended_cost", "line_item_usage_amount")
        },
        costs=(
            Lines({
                "provider": f"case when {_IS_BEDROCK} then 'bedrock' end",
                "project": "r.line_item_usage_account_id",
                "user_id": "r.line_item_iam_principal",
                "service": "r.line_item_product_code",
                "line_item": "concat_ws(', ', nullif(r.line_item_usage_type, ''), "
                "nullif(r.line_item_line_item_description, ''))",
                "model": """regexp_extract(r.line_item_usage_type,
                    '^[A-Z0-9]+-([a-z0-9]+\\.[a-z0-9.-]+?)-(?:input|output|cache)', 1)""",
                "model_label": """regexp_extract(r.line_item_line_item_description,
                    '^(.+) \\(Amazon Bedrock Edition\\)', 1)""",
                "meter": _METER,
                "service_tier": f"""case when contains({_WORD}, 'batch') then 'batch'
                    when contains({_WORD}, 'flex') then 'flex'
                    when contains({_WORD}, 'priority') then 'priority' end""",
                "region": f"case when {_IS_BEDROCK} and contains({_WORD}, 'global') then 'global' "
                "else r.product_region_code end",
                "details": details(operation="r.line_item_operation", invoice="r.bill_invoice_id"),
                "quantity": f"""case when {_SCALE} is not null then {shifted("r.line_item_usage_amount", _SCALE)}
                    else r.line_item_usage_amount end""",
                "unit": f"case when {_SCALE} is not null then 'token' else r.pricing_unit end",
                "quantity_reported": "r.line_item_usage_amount",
                "unit_reported": "r.pricing_unit",
                "amount": _COST,
                "list_amount": "r.line_item_unblended_cost",
                "amount_reported": _COST,
                "currency": "upper(r.line_item_currency_code)",
                "charge_class": _CLASS,
                "charge_type": "r.line_item_line_item_type",
                "line_id": "r.identity_line_item_id",
            }),
        ),
    ),
)  # fmt: skip
