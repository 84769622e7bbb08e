"""Words: the portal's texts. Chinese is written in templates and code; English stands in texts/en.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
ENGLISH = Path(__file__).parent / "texts" / "en.yaml"


@cache
def english() -> dict[str, str]:
    """English by Chinese text."""
    found: dict[str, str] = yaml.safe_load(ENGLISH.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Words:
    """Says a Chinese text in the reader's language, `{name}` replaced; one without English stays Chinese."""

    language: Language = "zh"

    def __call__(self, text: str, /, **values: Any) -> str:
        if self.language == "en":
            text = english().get(text, text)
        return text.format(**values) if values else text


def later(text: str) -> str:
    """Marks a text that a template says later, so that the test of texts finds it."""
    return text
