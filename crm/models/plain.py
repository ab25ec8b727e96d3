"""Text as a search compares it."""

from __future__ import annotations

from django.db.models import Func, GeneratedField, TextField
from django.db.models.expressions import Expression


class Plain(Func):
    """Capitals without accents: what *Zoë* and *zoe* have in common. The function stands in the database (it needs PostgreSQL's dictionary)."""

    function = "kring_plain"
    arity = 1
    output_field = TextField()


def plain_column(expression: Expression | str) -> GeneratedField:
    """A column that the database keeps as the plain text of `expression`. Computing it for each row that a search looks at would cost more than
    the search."""
    return GeneratedField(expression=Plain(expression), output_field=TextField(), db_persist=True)
