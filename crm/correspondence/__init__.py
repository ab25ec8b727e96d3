"""Mail that was fetched or forwarded becomes conversations: each message once, with the people it matches, and nothing kept of any other."""

from crm.correspondence.absences import answer_absence, waiting_absence
from crm.correspondence.enquiring import enquiry
from crm.correspondence.exclusions import exclude, include
from crm.correspondence.taking_in import Place, drop, keep_failed, refuse, take_in, try_again

__all__ = [
    "Place",
    "answer_absence",
    "drop",
    "enquiry",
    "exclude",
    "include",
    "keep_failed",
    "refuse",
    "take_in",
    "try_again",
    "waiting_absence",
]
