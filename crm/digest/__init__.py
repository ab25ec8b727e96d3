"""The digest: one calm mail on each working morning, at the hour that its reader likes, of what the day holds; nothing when it holds nothing.

A digest is worth nothing twice, and nothing the next day. Its row is the claim: whoever makes it writes the mail in the same transaction, the
database lets it be made once for each colleague and day, and a worker that dies before the end leaves neither. The mail itself goes at most once,
within three hours of its hour (`OutgoingMail.not_after`): a morning that was stopped is not made up for in the afternoon.
"""

from crm.digest.letter import Letter, write
from crm.digest.sending import LATEST, due, send_due

__all__ = ["LATEST", "Letter", "due", "send_due", "write"]
