"""Read one e-mail: bytes in, plain values out. Every message gives a `ReadMail`, or `Unreadable` with the reason in words."""

from crm.channels.email.mail import Address, Bounce, File, Forwarded, ReadMail, Unreadable
from crm.channels.email.reading import read

__all__ = ["Address", "Bounce", "File", "Forwarded", "ReadMail", "Unreadable", "read"]
