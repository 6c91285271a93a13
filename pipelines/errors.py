"""The named ways the pipeline can fail in front of a user.

Belongs here: errors whose message says what, where and what to do; the command line prints them
without a traceback. Does not belong here: failures of a price source (`scrapers.errors`).
"""

from __future__ import annotations

from typing import ClassVar


class RatehouseError(Exception):
    """Anything a user can act on. `name` is stable and machine-readable."""

    name: ClassVar[str] = "ratehouse_error"


class WarehouseBusyError(RatehouseError):
    """Another process is writing to the warehouse."""

    name = "warehouse_busy"


class WarehouseMissingError(RatehouseError):
    """There is no warehouse yet, or it lacks the table asked for."""

    name = "warehouse_missing"


class WarehouseUnreadableError(RatehouseError):
    """The warehouse file is damaged or was written by a newer engine."""

    name = "warehouse_unreadable"


class BadInputError(RatehouseError):
    """An input file cannot be taken at all: missing, a directory, empty, binary, unreadable."""

    name = "bad_input"


class UnknownFormatError(RatehouseError):
    """No importer recognises the file, or the format named does not exist."""

    name = "unknown_format"


class BadMappingError(RatehouseError):
    """A mapping file is not valid, or does not fit the file it is used on."""

    name = "bad_mapping"


class MissingColumnError(BadInputError):
    """A provider's report lacks a column it cannot be read without; the message names it."""

    name = "missing_column"


class CountsDoNotBalanceError(RatehouseError):
    """Accepted, duplicate and quarantined records are not the records read; nothing was loaded."""

    name = "counts_do_not_balance"


class BadPriceListError(RatehouseError):
    """A price list, override or decision file is not valid."""

    name = "bad_price_list"


class UnknownModelError(RatehouseError):
    """The price book has no price of the provider or model asked for."""

    name = "unknown_model"


class BuildFailedError(RatehouseError):
    """A step of the graph failed; the message names the step and its first error."""

    name = "build_failed"


class BadSettingsError(RatehouseError):
    """A setting in the environment is not valid."""

    name = "bad_settings"
