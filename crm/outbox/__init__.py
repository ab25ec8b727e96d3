"""Send mail that can not be lost: a verb writes a row in its own transaction, a worker sends it after commit, a sweep finds what was missed.

A mail is claimed by moving `try_at` on before it is sent, so two workers never send it together; a worker that dies in between leaves it to be
tried again after the claim has run out. What sending it makes true (the conversation, the message in its thread) is written before the server gets
it and committed after, so only a crash in that last moment can send a mail twice. That is *at least once*, the right side to err on for an answer
that somebody waits for; both copies carry one Message-ID, and one that was fetched from the folder of sent mail meanwhile ends the matter.

A mail with a moment after which it is worth nothing (`not_after`: a digest) is worth nothing twice either, so it errs on the other side and is sent
*at most once*: it is written down as dropped, and committed, before the server gets it, and as sent when the server has taken it. One that a server
certainly did not take waits again, for as long as it may be sent.
"""

from crm.outbox.deciding import cancel, release, try_again
from crm.outbox.sending import CLAIM, MOST_TRIES, send_due
from crm.outbox.writing import Draft, address_of, logged_as, put, put_each

__all__ = [
    "CLAIM",
    "MOST_TRIES",
    "Draft",
    "address_of",
    "cancel",
    "logged_as",
    "put",
    "put_each",
    "release",
    "send_due",
    "try_again",
]
