"""The names of senders: what is shown of them, and which could be mistaken for the operator's.

Pure. It must not decide who may write.
"""

from __future__ import annotations

from unicodedata import category, normalize

from messages import BLANK, IGNORABLE

MAX_NAME = 100
OPERATOR = "Operator"
# Look-alikes of its letters: Cyrillic, Greek, Armenian, Latin small capitals, zero.
LOOKS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0433\u0442\u03b1\u03b5\u03bf\u03c1\u03c4\u0585"
    "\u1d00\u1d07\u1d0f\u1d18\u0280\u1d1b0",
    "aeoprtaeoptoaeoprto",
)
LETTERS_AND_DIGITS = ("Lu", "Ll", "Lt", "Lo", "Nd")


def clean_name(name: object) -> str:
    """Return a name on one line without invisible characters; "" without a letter or digit."""
    given = name[: 10 * MAX_NAME] if isinstance(name, str) else ""
    spaced = "".join(" " if char in BLANK or char.isspace() else char for char in given)
    seen = IGNORABLE.sub("", "".join(filter(str.isprintable, spaced)))
    line = " ".join(seen.split())[:MAX_NAME].strip()
    return line if any(map(str.isalnum, line)) else ""


def person_name(name: object) -> str:
    """Return a person's name; "" if it could be mistaken for the operator's."""
    clean = clean_name(name)
    return "" if skeleton(clean) == skeleton(OPERATOR) else clean


def skeleton(name: str) -> str:
    """Return a name's letters and digits, with look-alikes mapped to one letter."""
    plain = normalize("NFKD", normalize("NFKD", name).casefold())
    return "".join(char for char in plain if category(char) in LETTERS_AND_DIGITS).translate(LOOKS)
