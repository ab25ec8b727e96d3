"""Tell a colleague that something waits for them, in the page and by mail as they like it, with a link to it."""

from crm.notices.telling import DEFAULTS, Ways, leading, tell, tell_those_who_lead

__all__ = ["DEFAULTS", "Ways", "leading", "tell", "tell_those_who_lead"]
