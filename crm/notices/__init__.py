"""Tell a colleague that something waits for them, in the page and by mail as they like it, with a link to it."""

from crm.notices.held import tell_of_held_mail
from crm.notices.reading import KEPT, choose, chosen, forget_old, read, read_all
from crm.notices.telling import DEFAULTS, Ways, leading, tell, tell_those_who_lead

__all__ = [
    "DEFAULTS",
    "KEPT",
    "Ways",
    "choose",
    "chosen",
    "forget_old",
    "leading",
    "read",
    "read_all",
    "tell",
    "tell_of_held_mail",
    "tell_those_who_lead",
]
