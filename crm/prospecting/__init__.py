"""The half hour: a small plan for each day that fits it, the minutes really spent on it, and what was done. Nothing of it is carried over silently.

`plan_of` and `change_plan` say when and how somebody likes to prospect; `propose` makes the block of a day with a few things in it
(`crm.proposals` chooses them); the timer is `start`, `beat`, `pause` and `end`; each thing is `done` or left out. A block is its user's alone.
"""

from crm.prospecting.doing import done, leave_out, undo
from crm.prospecting.planning import change_plan, plan_of
from crm.prospecting.proposing import left_over, propose, propose_due, propose_more, take_along
from crm.prospecting.timing import BEAT, LONGEST_GAP, beat, close_silent, correct, end, pause, start

__all__ = [
    "BEAT",
    "LONGEST_GAP",
    "beat",
    "change_plan",
    "close_silent",
    "correct",
    "done",
    "end",
    "leave_out",
    "left_over",
    "pause",
    "plan_of",
    "propose",
    "propose_due",
    "propose_more",
    "start",
    "take_along",
    "undo",
]
