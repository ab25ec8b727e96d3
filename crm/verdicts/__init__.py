"""Judge a lead: qualified, nurture, declined, or a question first; and judge it anew. A person gives a verdict, never a formula alone.

Whoever introduced them hears how it went, so a no settles the referral that brought the lead, and taking it up again opens that once more.
"""

from crm.verdicts.again import evaluate_no, judge_anew, reopen
from crm.verdicts.giving import AgainstAdvice, ask_first, decline, nurture, qualify, question_answered
from crm.verdicts.missing import missing

__all__ = [
    "AgainstAdvice",
    "ask_first",
    "decline",
    "evaluate_no",
    "judge_anew",
    "missing",
    "nurture",
    "qualify",
    "question_answered",
    "reopen",
]
