"""The canonical call: what every log format becomes.

Belongs here: the columns of `raw.calls`, their types and their meaning; the error classes. Does not
belong here: how a format is read (`formats/`), or how a file lands (`landing.py`, `loading.py`).

One row per attempt (what the provider saw and bills). Counts are disjoint meters: no token is in two
of them, whatever the source counted. Null is unknown and never zero.
"""

from __future__ import annotations

from typing import Final

CALL_COLUMNS: Final[dict[str, str]] = {
    # identity
    "event_id": "UUID",  # stable hash of source kind, native id and attempt; never the native id alone
    "request_id": "VARCHAR",  # the logical request this attempt belongs to
    "attempt": "INTEGER",  # 1 is the first
    "source": "VARCHAR",  # the format's name
    "occurred_at": "TIMESTAMPTZ",
    # who
    "tenant": "VARCHAR",
    "project": "VARCHAR",
    "team": "VARCHAR",
    "user_id": "VARCHAR",
    "api_key_id": "VARCHAR",  # a key's id or hash, never the key
    "session_id": "VARCHAR",
    "environment": "VARCHAR",
    "tags": "VARCHAR[]",
    # what
    "provider": "VARCHAR",  # canonical, or null where the source's word is not registered
    "provider_reported": "VARCHAR",  # the source's own word
    "region": "VARCHAR",
    "model_requested": "VARCHAR",
    "model_served": "VARCHAR",
    "operation": "VARCHAR",  # chat, embedding, image, ...
    "service_tier": "VARCHAR",  # standard unless the source says otherwise
    "is_stream": "BOOLEAN",
    # how it went
    "http_status": "SMALLINT",
    "status": "VARCHAR",  # ok, error, cancelled, stream_broken
    "error_class": "VARCHAR",  # one of ERROR_CLASSES, null when ok
    "error_code": "VARCHAR",  # the source's own code
    "retry_count": "INTEGER",
    "is_cache_hit": "BOOLEAN",  # answered by a gateway's cache: the provider charged nothing
    "latency_ms": "DOUBLE",
    "ttft_ms": "DOUBLE",
    # disjoint meters
    "input_tokens": "BIGINT",
    "cache_read_tokens": "BIGINT",
    "cache_write_5m_tokens": "BIGINT",
    "cache_write_1h_tokens": "BIGINT",
    "input_audio_tokens": "BIGINT",
    "input_image_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "reasoning_tokens": "BIGINT",
    "output_audio_tokens": "BIGINT",
    "output_image_tokens": "BIGINT",
    "embedding_tokens": "BIGINT",
    "web_search_calls": "BIGINT",
    "usage_status": "VARCHAR",  # final, estimated, unsupported, missing
    # what the source said it cost
    "cost_reported": "DECIMAL(38, 18)",
    "cost_reported_currency": "VARCHAR",
    # the raw record
    "source_version": "TIMESTAMPTZ",  # when the source last changed the record; null where it keeps no versions
    "occurrence": "INTEGER",  # which of several identical records without an id, from 1; null where there is an id
    "segment_id": "VARCHAR",  # sha256 of the landed file
}

# What two copies of one call may differ in: where it was read, not what it says.
LINK_COLUMNS: Final = ("segment_id",)

# column of raw.calls -> meter of the price book
METER_COLUMNS: Final[dict[str, str]] = {
    "input_tokens": "input",
    "cache_read_tokens": "cache_read",
    "cache_write_5m_tokens": "cache_write_5m",
    "cache_write_1h_tokens": "cache_write_1h",
    "input_audio_tokens": "input_audio",
    "input_image_tokens": "input_image",
    "output_tokens": "output",
    "reasoning_tokens": "reasoning",
    "output_audio_tokens": "output_audio",
    "output_image_tokens": "output_image",
    "embedding_tokens": "embedding",
    "web_search_calls": "web_search",
}

# class -> (ai-protocol code, retryable, fallbackable, whose fault)
ERROR_CLASSES: Final[dict[str, tuple[str | None, bool, bool, str]]] = {
    "invalid_request": ("E1001", False, False, "client"),
    "authentication": ("E1002", False, True, "client"),
    "permission": ("E1003", False, False, "client"),
    "not_found": ("E1004", False, False, "client"),
    "too_large": ("E1005", False, False, "client"),
    "rate_limited": ("E2001", True, True, "client"),
    "quota_exhausted": ("E2002", False, True, "client"),
    "server_error": ("E3001", True, True, "provider"),
    "overloaded": ("E3002", True, True, "provider"),
    "timeout": ("E3003", True, True, "provider"),
    "conflict": ("E4001", True, False, "client"),
    "cancelled": ("E4002", False, False, "client"),
    "unknown": ("E9999", False, False, "provider"),
    "content_filter": (None, False, False, "client"),
    "context_length": (None, False, True, "client"),
    "network": (None, True, True, "network"),
}

# Other words for the classes, lower case, letters and digits only: provider codes, ai-lib's variants and
# severities, LiteLLM's and the SDKs' exception names.
ERROR_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "invalid_request": ("badrequest", "badrequesterror", "invalidrequesterror", "unprocessableentity",
                        "unprocessableentityerror", "unsupportedfeature", "unsupportedparamserror",
                        "jsonschemavalidationerror", "validationexception", "invalidargument"),
    "authentication": ("authfailed", "authenticationerror", "invalidapikey", "unauthorized", "unauthenticated"),
    "permission": ("permissiondenied", "permissiondeniederror", "permissionerror", "forbidden", "accessdenied",
                   "accessdeniedexception"),
    "not_found": ("modelnotfound", "notfounderror", "resourcenotfoundexception", "modelnotsupported", "invalidmodel",
                  "modeldecommissioned"),
    "too_large": ("requesttoolarge", "requesttoolargeerror", "payloadtoolarge"),
    "rate_limited": ("ratelimit", "ratelimiterror", "ratelimitexceeded", "ratelimitreached", "toomanyrequests",
                     "throttlingexception", "routerratelimiterror"),
    "quota_exhausted": ("insufficientquota", "quotaexceeded", "budgetexceeded", "budgetexceedederror",
                        "insufficientbalance", "billingerror", "servicequotaexceededexception"),
    "server_error": ("internalservererror", "internalerror", "apierror", "servererror", "providererror",
                     "badgatewayerror", "badgateway", "modelerrorexception", "modelstreamerrorexception",
                     "internalserverexception"),
    "overloaded": ("overloadederror", "serviceunavailable", "serviceunavailableerror", "unavailable",
                   "serviceunavailableexception", "modelnotreadyexception"),
    "timeout": ("timeouterror", "apitimeouterror", "requesttimeout", "gatewaytimeout", "deadlineexceeded",
                "modeltimeoutexception"),
    "conflict": ("conflicterror", "aborted"),
    "cancelled": ("canceled", "cancellederror", "clientdisconnected", "clientclosedrequest"),
    "unknown": ("unknownerror",),
    "content_filter": ("contentpolicyviolation", "contentpolicyviolationerror", "contentfiltererror", "contentfiltered",
                       "safety", "blocked", "responsibleaipolicyviolation"),
    "context_length": ("contextlengthexceeded", "contextwindowexceeded", "contextwindowexceedederror",
                       "contexttoolong", "stringabovemaxlength"),
    "network": ("networkerror", "transporterror", "apiconnectionerror", "connectionerror", "connecterror", "dnserror"),
}  # fmt: skip

# HTTP status -> class; any other 4xx is invalid_request, any other 5xx server_error.
HTTP_ERROR_CLASSES: Final[dict[int, str]] = {
    401: "authentication",
    402: "quota_exhausted",
    403: "permission",
    404: "not_found",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    429: "rate_limited",
    499: "cancelled",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

STATUSES: Final = ("ok", "error", "cancelled", "stream_broken")
USAGE_STATUSES: Final = ("final", "estimated", "unsupported", "missing")
