"""The sentences: what a model refused, without a word of the library that refused it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from nakctl.text.meant import did_you_mean, nearest

__all__ = ["Model", "did_you_mean", "missing", "nearest", "no_kind", "unknown", "words_of", "wrong_value"]

Model = type[BaseModel]
_BEGIN_ANEW = "a step is one of them; begin a new step with `- `"


def words_of(model: Model) -> list[str]:
    """The words that a model takes, as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def missing(words: Sequence[str], model: Model, called: str) -> str:
    """Words that must be there. Entries of lists have no name and no description."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    if not all(word in fields for word in words):
        return "a value is missing"
    told = [f"{word} ({fields[word].description})" if fields[word].description else word for word in words]
    listed = " and ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else told[0]
    return f"{called} needs the {'words' if len(told) > 1 else 'word'} {listed}"


def unknown(word: str, model: Model, called: str, tags: Mapping[str, Model]) -> str:
    """A word that may not be there."""
    if word in tags and model in tags.values():
        return f"{called} and {word} are both kinds of step: {_BEGIN_ANEW}"
    words = words_of(model)
    hint = did_you_mean(word, words) or ";"
    return f"{word} is no word of {called}{hint} its words are: {', '.join(words)}"


def no_kind(step: Any, tags: Mapping[str, Model]) -> tuple[tuple[str, ...], str]:
    """Which word of a step is to blame, and why it is no step, or more than one."""
    kinds = f"kinds are: {', '.join(tags)}"
    if not isinstance(step, dict):
        return (), f"a step is words with values, one of them its kind; {kinds}"
    given = [word for word in step if word in tags]
    if given:
        return (given[1],), f"{' and '.join(given)} are kinds of step: {_BEGIN_ANEW}"
    known = {word for model in tags.values() for word in words_of(model)}
    stranger = next((word for word in step if word not in known), None)
    if stranger is None:
        return (), f"this step has no kind; {kinds}"
    hint = did_you_mean(stranger, tags) or ";"
    return (stranger,), f"{stranger} is no step{hint} steps are: {', '.join(tags)}"


_SENTENCES = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "a name begins with a letter and has only letters, digits and _",
    "greater_than_equal": "is smaller than {ge}",
    "greater_than": "is not greater than {gt}",
    "less_than": "is not less than {lt}",
    "less_than_equal": "is greater than {le}",
    "finite_number": "is not a finite number",
    "model_type": "must be words with values",
    "dict_type": "must be words with values",
    "list_type": "must be a list, each item after `- ` on its own line or in [ ]",
    "tuple_type": "must be two values in [ ]",
    "too_short": "needs at least {min_length}, has {actual_length}",
    "too_long": "takes at most {max_length}, has {actual_length}",
}


def wrong_value(details: ErrorDetails) -> str:
    """A value that a word does not take. Sentences with "must be" say that its form is wrong altogether."""
    context = details.get("ctx", {})
    if details["type"] == "quantity":
        return str(context["why"])
    if details["type"] == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]]
        return f"must be {' or '.join(allowed)}{did_you_mean(str(details['input']), allowed)}"
    return _SENTENCES.get(details["type"], "cannot stand here").format(**context)
