"""Mail domains that anybody can have: they say nothing about a person's company, so they never identify an organisation."""

from __future__ import annotations

FREE_MAIL_DOMAINS = frozenset(
    """
    gmail.com googlemail.com outlook.com outlook.be outlook.nl hotmail.com hotmail.be hotmail.nl hotmail.fr
    hotmail.co.uk live.com live.be live.nl msn.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de ymail.com icloud.com
    me.com mac.com aol.com proton.me protonmail.com pm.me tutanota.com tuta.io gmx.com gmx.net gmx.de web.de
    t-online.de mail.com mail.ru yandex.ru yandex.com zoho.com fastmail.com hey.com telenet.be skynet.be
    proximus.be scarlet.be pandora.be belgacom.net ziggo.nl kpnmail.nl kpnplanet.nl planet.nl home.nl hetnet.nl
    xs4all.nl quicknet.nl upcmail.nl casema.nl chello.nl tele2.nl zonnet.nl orange.fr wanadoo.fr free.fr
    laposte.net sfr.fr bluewin.ch uol.com.br bol.com.br terra.com.br ig.com.br qq.com 163.com 126.com
    """.split()  # noqa: SIM905 - a page of words reads better than a page of quotes
)


def company_domain(address: str) -> str:
    """The lower-case domain of an e-mail address when it can stand for a company, else an empty string."""
    domain = address.rpartition("@")[2].strip().lower().removeprefix("www.")
    return "" if "." not in domain or domain in FREE_MAIL_DOMAINS else domain
