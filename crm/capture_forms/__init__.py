"""Make and change the public forms through which leads arrive: what they ask, in which words, and who gets what comes in.

A form always asks for a name and an e-mail address, has a text in its own language, and is never thrown away: it is closed, so that what was sent
by it keeps its place.
"""

from crm.capture_forms.asking import add_field, change_field, move_field, remove_field
from crm.capture_forms.checking import MOST_SECONDS, MOST_WORDS, Terms, Words, site_of, terms_of
from crm.capture_forms.making import ALWAYS, USUAL, change, close, make, remove_words, reopen, set_words
from crm.capture_forms.showing import LABELS, asked, questions

__all__ = [
    "ALWAYS",
    "LABELS",
    "MOST_SECONDS",
    "MOST_WORDS",
    "USUAL",
    "Terms",
    "Words",
    "add_field",
    "asked",
    "change",
    "change_field",
    "close",
    "make",
    "move_field",
    "questions",
    "remove_field",
    "remove_words",
    "reopen",
    "set_words",
    "site_of",
    "terms_of",
]
