"""Text as a search compares it."""

from __future__ import annotations

from django.db.models import Func, TextField


class Plain(Func):
    """Capitals without accents: what *Zoë* and *zoe* have in common. The function stands in the database, so that an index can hold its values."""

    function = "kring_plain"
    arity = 1
    output_field = TextField()
