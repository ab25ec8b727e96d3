"""Mailboxes: connect one, read it again and again, and the address of one's own to which mail can be sent on."""

from crm.mailboxes.connecting import (
    NotConnected,
    account,
    change,
    choose_folders,
    connect,
    disconnect,
    folders,
    pause,
    resume,
)
from crm.mailboxes.forwarding import forwarding_address, renew_forwarding, user_at
from crm.mailboxes.lead_making import make_leads
from crm.mailboxes.polling import Polled, due, look_now, poll, watchable

__all__ = [
    "NotConnected",
    "Polled",
    "account",
    "change",
    "choose_folders",
    "connect",
    "disconnect",
    "due",
    "folders",
    "forwarding_address",
    "look_now",
    "make_leads",
    "pause",
    "poll",
    "renew_forwarding",
    "resume",
    "user_at",
    "watchable",
]
