"""Whom somebody could approach in the half hour, in which way, and why: a set that fits the minutes, with variety. Reads only.

`candidates` finds people for each way, one statement each; `choosing` leaves out whom we may never contact or not yet, and makes the set; `words`
say it. Given the same data and day the set is the same.
"""

from crm.proposals.choosing import Proposal, answers, choose
from crm.proposals.words import channel, sentence, title

__all__ = ["Proposal", "answers", "channel", "choose", "sentence", "title"]
