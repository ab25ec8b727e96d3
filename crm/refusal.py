"""The one way in which a verb says no: a sentence for the person who asked, which says what to do."""

from __future__ import annotations

from django.utils.functional import Promise


class Refused(Exception):
    """A verb refuses and has changed nothing. `message` is a translated sentence that may be shown as it is."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(str(message))
        self.message = message

    def __str__(self) -> str:
        return str(self.message)
