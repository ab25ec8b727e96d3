"""Write to somebody, or to several people one by one: choose a text, see what they will see, send it now or later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from crm import letters, outbox, pacing, search, unsubscribing, wording
from crm.permission import TooEarly
from crm.refusal import Refused
from crm.web import access, nudge, query
from crm.web.mail_form import BLANK, MailForm, fingerprint, ready_texts
from crm.web.page import Request, page_of, redirect_or_part, render_page
from crm.web.recipients import MOST, Recipient, Recipients

CHOICES = 30
PREVIEWS = 5
"""So many of the mails to several are shown in full; the others say the same with another name."""


@dataclass(frozen=True)
class Shown:
    """A mail as its reader will see it."""

    recipient: Recipient
    to: str
    subject: str
    text: str
    foot: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    at = timezone.now()
    recipients = Recipients(request, at)
    if not recipients or "choose" in request.GET:
        return _choose(request, recipients)
    if recipients.is_to_several:
        sound = bool(recipients.reached)
        addresses = []
    else:
        addresses = recipients.addresses(request, at)
        sound = not recipients.only.left_out and bool(addresses)
    context: dict[str, Any] = {"recipients": recipients, "most": MOST, "nav": "people", "back": _back(recipients)}
    if not sound:
        return render_page(request, "crm/mail_new.html", context | {"refused": _refused(recipients)})
    answer = pacing.Allowed() if recipients.is_to_several else recipients.only.answer
    templates = list(access.mail_templates(request.user).filter(is_active=True))
    form_of: dict[str, Any] = {
        "recipients": recipients,
        "addresses": addresses,
        "mailboxes": list(access.sending_mailboxes(request.user)),
        "templates": templates,
        "user": request.user,
        "is_reason_asked": isinstance(answer, pacing.TooSoon),
    }
    if request.method != "POST":
        template = next((row for row in templates if str(row.pk) == request.GET.get("template")), None)
        values, notes = ready_texts(recipients, template, request.user)
        values |= _booking(request, recipients)
        values |= {"template": str(template.pk) if template else BLANK}
        values |= {"is_information": template.is_information if template else False}  # type: ignore[dict-item]
        return _page(request, MailForm(initial=values, **form_of), context | {"notes": notes})
    form = MailForm(request.POST, **form_of)
    if "suggest" in request.POST:
        return _suggest(request, form, form_of, context)
    if form.is_valid():
        if "preview" in request.POST:
            return _page(request, form, context | {"shown": _shown(form, request)})
        done = _sent(request, form, at)
        if done is not None:
            return done
    return _page(request, form, context)


def _booking(request: Request, recipients: Recipients) -> dict[str, str]:
    """The ready text of a link to book an appointment, when the address names one (`?link=`) and it is meant for who gets the mail."""
    key = query.number(request.GET.get("link"))
    if key is None or recipients.is_to_several:
        return {}
    link = access.booking_link(request, key)
    if link.person_id != recipients.only.person.pk:
        return {}
    (language,) = recipients.languages
    url = settings.SITE_URL + reverse("crm:book", args=[link.token])
    subject = letters.booking_subject(language)
    text = letters.booking(
        to=link.person, sender=request.user, host=link.user, minutes=link.minutes, url=url, language=language
    )
    return {f"subject_{language}": subject, f"text_{language}": text, "offered": fingerprint([subject, text])}


@require_POST
def several(request: Request) -> HttpResponse:
    """The people who were ticked in a list, in the composer. Nothing is done by it."""
    keys = list(dict.fromkeys(filter(None, (query.number(text) for text in request.POST.getlist("row")))))
    if not keys:
        messages.error(request, _("Tick the people to whom you would like to write."))
        return redirect("crm:people")
    if len(keys) > MOST:
        messages.error(request, _("Write to at most %(most)d people at once.") % {"most": MOST})
        return redirect("crm:people")
    return redirect(f"{reverse('crm:mail-new')}?{'&'.join(f'person={key}' for key in keys)}")


def _suggest(request: Request, form: MailForm, form_of: dict[str, Any], context: dict[str, Any]) -> HttpResponse:
    """Nothing is sent: the form comes back with the text of the chosen template, unless somebody wrote something of their own into it."""
    typed = {name: request.POST.get(name, "") for name in form.fields}
    if not form.is_untouched() and request.POST["suggest"] != "replace":
        return _page(request, MailForm(initial=typed, **form_of), context | {"is_own_text": True})
    values, notes = ready_texts(form.recipients, form.chosen, request.user)
    values |= {"is_information": form.chosen.is_information if form.chosen else False}  # type: ignore[dict-item]
    return _page(request, MailForm(initial=typed | values, **form_of), context | {"notes": notes})


def _sent(request: Request, form: MailForm, at: Any) -> HttpResponse | None:
    """Where to go when the mail is on its way; nothing when it was refused, with the reason on the form."""
    said = form.cleaned_data
    recipients = form.recipients
    about: dict[str, Any] = {
        "mailbox": form.mailbox,
        "template": form.chosen,
        "is_information": said["is_information"],
        "moment": said["moment"],
        "by": request.user,
        "at": at,
    }
    if recipients.is_to_several:
        drafts = [
            outbox.Draft(shown.recipient.person, shown.to, shown.subject, shown.text) for shown in _all(form, request)
        ]
        try:
            mails, left_out = outbox.put_each(drafts=drafts, **about)
        except Refused as refusal:
            form.refuse(refusal)
            return None
        nudge.mail()
        words = ngettext("%(number)d mail is on its way.", "%(number)d mails are on their way.", len(mails))
        messages.success(request, words % {"number": len(mails)})
        for person, why in left_out:
            messages.warning(request, _("%(name)s was left out: %(why)s") % {"name": person, "why": why})
        return redirect_or_part(request, "crm:outgoing", "crm/mail_new.html", dict, parts=())
    (language,) = recipients.languages
    try:
        outbox.put(
            to=said["to"],
            subject=said[f"subject_{language}"],
            body=said[f"text_{language}"],
            person=recipients.only.person,
            lead=recipients.lead,
            deal=recipients.deal,
            answers=recipients.answers,
            override=said["override"],
            **about,
        )
    except TooEarly as refusal:
        form.ask_reason()
        form.add_error("override", _("%(why)s Give your reason, or send it later.") % {"why": refusal})
        return None
    except Refused as refusal:
        form.refuse(refusal)
        return None
    nudge.mail()
    if said["moment"]:
        when = date_format(timezone.localtime(said["moment"]), "DATETIME_FORMAT")
        messages.success(request, _("Your mail goes out on %(when)s.") % {"when": when})
    else:
        messages.success(request, _("Your mail is on its way."))
    return redirect_or_part(request, _back(recipients), "crm/mail_new.html", dict, parts=())


def _page(request: Request, form: MailForm, context: dict[str, Any]) -> HttpResponse:
    context |= {"form": form, "placeholders": wording.PLACEHOLDERS}
    return render_page(request, "crm/mail_new.html", context, parts=("letter", "preview"))


def _shown(form: MailForm, request: Request) -> list[Shown]:
    if form.recipients.is_to_several:
        return _all(form, request)[:PREVIEWS]
    only = form.recipients.only
    said = form.cleaned_data
    return [Shown(only, said["to"], said[f"subject_{only.language}"], said[f"text_{only.language}"])]


def _all(form: MailForm, request: Request) -> list[Shown]:
    """The mail of each of them, in their own language."""
    workplaces = access.workplaces([recipient.person for recipient in form.recipients.reached])
    found = []
    for recipient in form.recipients.reached:
        language = recipient.language
        values = wording.words(
            person=recipient.person,
            sender=request.user,
            language=language,
            deal=form.recipients.deal,
            organisation=workplaces.get(recipient.person.pk, ""),
        )
        found.append(
            Shown(
                recipient,
                recipient.address,
                wording.fill(form.cleaned_data[f"subject_{language}"], values),
                wording.fill(form.cleaned_data[f"text_{language}"], values),
                unsubscribing.foot(recipient.person, language),
            )
        )
    return found


def _choose(request: Request, recipients: Recipients) -> HttpResponse:
    """To whom? Those of this name; without one, the people of ours with whom we were in touch last. Whoever is chosen already stays so."""
    named = search.clean(request.GET.get("named", ""))
    rows = access.people().for_list()
    chosen = [recipient.person for recipient in recipients.all]
    if named:
        found = list(search.people_named(rows, named)[:CHOICES])
    else:
        mine = rows.filter(owner=request.user, last_contact_at__isnull=False)
        found = list(mine.order_by("-last_contact_at", "-id")[:8])
    context = {
        "found": [person for person in found if person not in chosen],
        "chosen": chosen,
        "named": named,
        "template": query.number(request.GET.get("template")),
        "nav": "people",
    }
    return render_page(request, "crm/mail_choose.html", context, parts=("choices",))


def _refused(recipients: Recipients) -> str:
    """Why nobody can be written to."""
    if recipients.is_to_several:
        return _("None of them can be written to now.")
    if recipients.only.left_out:
        return recipients.only.left_out
    return _("They asked us not to write to any address that we have of them.")


def _back(recipients: Recipients) -> str:
    """Where the composer was opened from, as far as we know."""
    answered = recipients.answers.conversation if recipients.answers else None
    person = None if recipients.is_to_several else recipients.only.person
    return page_of(recipients.deal, recipients.lead, answered, person)
