"""Hand a qualified lead to an account manager, who answers within a few of their own working hours: they accept it (then it is a deal), reject it
(then it is the SDR's again), or ask back, and meanwhile the clock stands still. What nobody answers in time comes before those who lead."""

from crm.handoffs.answering import accept, reject
from crm.handoffs.asking import ask, tell
from crm.handoffs.escalating import escalate_overdue
from crm.handoffs.offering import redirect, submit

__all__ = ["accept", "ask", "escalate_overdue", "redirect", "reject", "submit", "tell"]
