"""A YAML document a person writes: its values as the text they wrote, and the line each stands on.

Belongs here: reading such a document, and turning a validation error into one with file, line and field.
Does not belong here: what the document means.

Every value stays text: YAML would make a float of 1.10 and a number of 20260101, and money and instants
are neither. Aliases and keys given twice are refused: nobody sees what they do to a price.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipelines.errors import BadPriceListError

_MAX_BYTES = 5_000_000
_MAX_DEPTH = 20


class Document:
    """One document; an empty file is an empty one. Raises BadPriceListError."""

    def __init__(self, path: Path, body: bytes) -> None:
        self.path = path
        if len(body) > _MAX_BYTES:
            raise BadPriceListError(f"{path}: is larger than {_MAX_BYTES:,} bytes")
        try:
            text = body.decode("utf-8")
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                if isinstance(event, yaml.AliasEvent):
                    raise BadPriceListError(f"{path} line {_line(event)}: an alias is not allowed")
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        except UnicodeDecodeError as error:
            line = body.count(b"\n", 0, error.start) + 1
            raise BadPriceListError(f"{path} line {line}: is not UTF-8 text") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise BadPriceListError(f"{path} line {line}: {error.problem}") from error
        except (yaml.YAMLError, RecursionError) as error:
            raise BadPriceListError(f"{path}: is not YAML ({error})") from error
        self.content: Any = {} if self._root is None else self._plain(self._root)

    def _plain(self, node: yaml.Node, depth: int = 0) -> Any:
        """Mappings, lists and text; what is left empty is not there."""
        if depth > _MAX_DEPTH:
            raise BadPriceListError(f"{self.path} line {_line(node)}: is nested too deeply")
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(one, depth + 1) for one in node.value]
        if isinstance(node, yaml.MappingNode):
            found: dict[str, Any] = {}
            for key, value in node.value:
                if key.value in found:
                    raise BadPriceListError(f"{self.path} line {_line(key)}: {key.value}: is given twice")
                found[str(key.value)] = self._plain(value, depth + 1)
            return {key: value for key, value in found.items() if value != ""}
        return node.value

    def line(self, location: tuple[int | str, ...]) -> int:
        """The line of the deepest part of the document the location leads to."""
        node: Any = self._root
        at = node
        for part in location:
            if isinstance(node, yaml.MappingNode):
                pair = next(((key, value) for key, value in node.value if key.value == part), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                pair = (node.value[part], node.value[part])
            else:
                pair = None
            if pair is None:
                break
            at, node = pair
        return _line(at) if at is not None else 1

    def error(self, error: ValidationError, below: tuple[int | str, ...] = ()) -> BadPriceListError:
        """The first thing wrong, with its line and field; `below` is where what was validated stands."""
        first = error.errors()[0]
        location = (*below, *first["loc"])
        field = ".".join(str(part) for part in location)
        words = first["msg"].removeprefix("Value error, ")
        return BadPriceListError(f"{self.path} line {self.line(location)}: {field or 'file'}: {words}")


def _line(part: yaml.Node | yaml.Event) -> int:
    return int(part.start_mark.line) + 1 if part.start_mark else 1
