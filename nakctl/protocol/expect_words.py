"""The figures among the words of `expect`: as pydantic reads them, and as the schema offers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nakctl.text.units import UnitError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from nakctl.protocol.expect import Expected


class FigureWords:
    """The words of `expect` that are figures: the annotation of a mapping of them."""

    def __call__(self, given: dict[str, object]) -> dict[str, Expected]:
        """ValidationError with every slip."""
        from pydantic import ValidationError
        from pydantic_core import InitErrorDetails, PydanticCustomError

        from nakctl.protocol.expect import Expected, read
        from nakctl.protocol.model import EXPECT
        from nakctl.protocol.result_names import figures_of, unknown

        found: dict[str, Expected] = {}
        wrong: list[InitErrorDetails] = []
        for word, value in given.items():
            if isinstance(value, Expected):
                found[word] = value
                continue
            try:
                if not figures_of(word):
                    raise LookupError(unknown(word, EXPECT))
                found[word] = read(word, value)
            except (UnitError, LookupError) as error:
                at = (word, "[key]") if isinstance(error, LookupError) else (word,)
                why = PydanticCustomError("quantity", "{why}", {"why": str(error.args[0])})
                wrong.append(InitErrorDetails(type=why, loc=at, input=value))
        if wrong:
            raise ValidationError.from_exception_data("expect", wrong)
        return found

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "object"}  # see `offered`


_NUMBER = {"type": ["number", "string"]}  # with a unit it is text
_PARAMETER = {"$ref": "#/$defs/Parameter"}


def forms() -> dict[str, Any]:
    """What may be said of a figure, for the schema: by kind."""
    number, count = _ends_of(_NUMBER), _ends_of({"type": "number"})
    return {
        "ExpectedNumber": {"anyOf": [*number, _PARAMETER]},
        "ExpectedCount": {"anyOf": [{"type": "integer"}, *count, _PARAMETER]},
        "ExpectedTruth": {"anyOf": [{"type": "boolean"}, _PARAMETER]},
        "ExpectedText": {"type": "string"},
    }


def _ends_of(bound: dict[str, Any]) -> list[dict[str, Any]]:
    sides = {"above": bound, "below": bound}
    return [
        {"type": "array", "items": bound, "minItems": 2, "maxItems": 2},
        {"type": "object", "properties": sides, "additionalProperties": False, "minProperties": 1},
    ]


def offered() -> tuple[dict[str, Any], dict[str, Any]]:
    """Every figure for the schema: by word, and numbered ones by pattern."""
    from nakctl.protocol.result_names import figures

    said = {word: " / ".join(dict.fromkeys(one.text for one in those)) for word, those in figures().items()}
    form = {word: f"#/$defs/Expected{those[0].kind.capitalize()}" for word, those in figures().items()}
    parts = {word: {"$ref": form[word], "description": text} for word, text in said.items()}
    numbered = [word for word in parts if "_N" in word]
    patterns = {f"^{word.replace('_N', '_[0-9]+')}$": parts.pop(word) for word in numbered}
    return parts, patterns
