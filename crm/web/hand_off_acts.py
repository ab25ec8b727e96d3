"""What can be done with a hand-off: accept it, give it back with a reason, ask back, answer what is asked, and give it to somebody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm import fitting, handoffs
from crm.models import HandOff, HandOffState, Role
from crm.refusal import Refused
from crm.web import access, fits, nudge
from crm.web.forms import KringForm
from crm.web.hand_off import PARTS, AcceptForm, AskForm, RejectForm, TellForm, context_of
from crm.web.page import Request, redirect_or_part, render_page

answering = access.roles(
    Role.ACCOUNT_MANAGER,
    Role.MANAGER,
    Role.ADMIN,
    refusal=gettext_lazy("A hand-off is answered by an account manager or a manager."),
)


class RedirectForm(KringForm):
    to = forms.TypedChoiceField(label=gettext_lazy("Who takes it on"), coerce=int, widget=forms.RadioSelect)


@require_POST
@answering
def accept(request: Request, pk: int) -> HttpResponse:
    row = access.hand_off(request, pk, write=True)
    form = AcceptForm(request.POST, prefix="accept")

    def do() -> str:
        deal = handoffs.accept(hand_off=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, _("Accepted. It is your deal now."))
        return reverse("crm:deal", args=[deal.pk])

    return _act(request, row, "accept", form, do)


@require_POST
@answering
def reject(request: Request, pk: int) -> HttpResponse:
    row = access.hand_off(request, pk, write=True)
    form = RejectForm(request.POST, prefix="reject")

    def do() -> str:
        handoffs.reject(hand_off=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, _("%(name)s takes it up again and reads why.") % {"name": row.from_user})
        return reverse("crm:hand-offs")

    return _act(request, row, "reject", form, do)


@require_POST
@answering
def ask(request: Request, pk: int) -> HttpResponse:
    row = access.hand_off(request, pk, write=True)
    form = AskForm(request.POST, prefix="ask")

    def do() -> str:
        handoffs.ask(hand_off=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(
            request, _("%(name)s is asked. The clock stands still until the answer is here.") % {"name": row.from_user}
        )
        return reverse("crm:hand-off", args=[pk])

    return _act(request, row, "ask", form, do)


@require_POST
def tell(request: Request, pk: int) -> HttpResponse:
    """The open question is answered by whoever gave the lead, their team or those who lead."""
    row = access.given_hand_off(request, pk)
    form = TellForm(request.POST, prefix="tell")
    question = row.questions.open().first()
    if question is None:
        messages.error(request, _("No question is open about this hand-off."))
        return _go(request, reverse("crm:hand-off", args=[pk]))

    def do() -> str:
        handoffs.tell(question=question, by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, _("%(name)s reads your answer, and the clock goes on.") % {"name": row.to_user})
        return reverse("crm:hand-off", args=[pk])

    return _act(request, row, "tell", form, do)


@require_http_methods(["GET", "HEAD", "POST"])
@access.leading_only
def redirect(request: Request, pk: int) -> HttpResponse:
    """For those who lead: it waits for somebody else, or for themselves."""
    row = access.hand_off(request, pk, write=True)
    now = timezone.now()
    lines = [line for line in fits.of(row.lead, now) if line.fit.user.pk != row.to_user_id]
    people = {line.fit.user.pk: line.fit.user for line in lines}
    if request.user.role == Role.MANAGER and request.user.pk != row.to_user_id:
        people[request.user.pk] = request.user
    best = fitting.suggested([line.fit for line in lines])
    form = RedirectForm(
        request.POST if request.method == "POST" else None, initial={"to": best.user.pk if best else None}
    )
    form.fields["to"].choices = [(user.pk, str(user)) for user in people.values()]  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        to = people[form.cleaned_data["to"]]
        try:
            new = handoffs.redirect(hand_off=row, to=to, by=request.user, at=now)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("It waits for %(name)s now.") % {"name": to})
            nudge.mail()
            to_page = reverse("crm:hand-off", args=[new.pk])
            return redirect_or_part(request, to_page, "crm/hand_off_redirect.html", dict, parts=())
    context = {
        "hand_off": row,
        "form": form,
        "fits": lines,
        "myself": request.user if request.user.pk in people and request.user.role == Role.MANAGER else None,
        "chosen": str(form["to"].value() or ""),
        "nav": "leads",
    }
    return render_page(request, "crm/hand_off_redirect.html", context)


def _act(request: Request, row: HandOff, name: str, form: KringForm, do: Callable[[], str]) -> HttpResponse:
    """Do what the form says: `do` calls the verb and returns where to go on. What is refused stands on the page, with what was typed."""
    if form.is_valid():
        try:
            to = do()
        except Refused as refusal:
            if access.hand_off(request, row.pk).state != HandOffState.SUBMITTED:
                # Somebody was first: the page says who and when, under the sentence that refused.
                messages.error(request, str(refusal))
                return _go(request, reverse("crm:hand-off", args=[row.pk]))
            form.refuse(refusal)
        else:
            nudge.mail()
            return _go(request, to)
    context: dict[str, Any] = context_of(request, row, **{name: form})
    return render_page(request, "crm/hand_off.html", context, parts=PARTS)


def _go(request: Request, to: str) -> HttpResponse:
    return redirect_or_part(request, to, "crm/hand_off.html", dict, parts=())
