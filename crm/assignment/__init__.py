"""Whose a lead is. A new one goes to somebody who is there and has room for it; one that nobody touches goes back to everybody.

A lead that belongs to nobody is in the *pool*: whoever wants it takes it. `choose` decides, `give` makes it so and tells them, `return_untouched`
takes back, and the rules that `choose` follows are edited here, too.
"""

from crm.assignment.choosing import GIVEN_WITHIN, Asked, Candidate, Choice, candidates, choose, daily_share, fits
from crm.assignment.editing import Preview, move_rule, preview, remove_rule, save_rule, set_share
from crm.assignment.giving import give, return_untouched

__all__ = [
    "GIVEN_WITHIN",
    "Asked",
    "Candidate",
    "Choice",
    "Preview",
    "candidates",
    "choose",
    "daily_share",
    "fits",
    "give",
    "move_rule",
    "preview",
    "remove_rule",
    "return_untouched",
    "save_rule",
    "set_share",
]
