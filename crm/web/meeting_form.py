"""What is asked about a meeting that is being arranged: with whom of us, how, how long, where; for an appointment and for a link alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm import appointments
from crm.models import AppointmentKind, Deal, Lead, Person, Role, User
from crm.web import access, query
from crm.web.forms import KringForm
from crm.web.page import Request, page_of

LENGTHS = (15, 30, 45, 60, 90, 120)
"""What people agree on. Another length comes of moving an appointment."""
USUAL = {AppointmentKind.PHONE: 30, AppointmentKind.VIDEO: 30, AppointmentKind.VISIT: 60}
MOST_KM = 2000


@dataclass(frozen=True)
class About:
    """Whom and what the meeting is about, as the address says: `?lead=`, `?deal=` or `?person=`; to be written by the user."""

    person: Person
    lead: Lead | None = None
    deal: Deal | None = None

    @classmethod
    def of(cls, request: Request) -> About:
        keys = {name: query.number(request.GET.get(name)) for name in ("lead", "deal", "person")}
        deal = access.deal(request, keys["deal"], write=True) if keys["deal"] is not None else None
        lead = access.lead(request, keys["lead"], write=True) if keys["lead"] is not None else None
        source = deal or lead
        person = source.person if source else None
        if keys["person"] is not None:
            person = access.person(request, keys["person"])
            if not access.is_around(person, source):
                access.must_write(request.user, person.owner)
        if person is None:
            raise Http404(_("Say with whom: begin from a lead, a deal or a person."))
        return cls(person, lead, deal)

    @property
    def page(self) -> str:
        return page_of(self.lead, self.deal, self.person)

    @property
    def query(self) -> str:
        """What an address needs to be about the same."""
        named = (("lead", self.lead), ("deal", self.deal), ("person", self.person))
        return "&".join(f"{name}={row.pk}" for name, row in named if row is not None)

    def host(self, user: User) -> User:
        """Whom they most likely meet: whoever has the deal, else to whom the lead is offered, else the account manager who knows them, else who is
        asking."""
        if self.deal is not None and self.deal.owner is not None and self.deal.owner.is_active:
            return self.deal.owner
        offered = self.lead.hand_offs.select_related("to_user").order_by("-submitted_at").first() if self.lead else None
        if offered is not None and offered.to_user.is_active:
            return offered.to_user
        owner = self.person.owner
        if owner is not None and owner.is_active and owner.role == Role.ACCOUNT_MANAGER:
            return owner
        return user

    def start(self, request: Request) -> dict[str, Any]:
        """What the form says at first; the address may name whom they meet and how."""
        kind = request.GET.get("kind", "")
        kind = kind if kind in AppointmentKind.values else AppointmentKind.VIDEO
        pk = query.number(request.GET.get("user"))
        host = access.hosts().filter(pk=pk).first() if pk is not None else None
        distance = self.lead.distance_km if self.lead else None
        return {
            "user": (host or self.host(request.user)).pk,
            "kind": kind,
            "minutes": USUAL[AppointmentKind(kind)],
            "subject": self.deal.name if self.deal else _("Getting acquainted"),
            "distance_km": distance,
            "travel_minutes": distance,
        }

    def needs_reason(self, kind: str) -> bool:
        """Whether a visit asks for a reason first."""
        return kind == AppointmentKind.VISIT and not appointments.may_visit(
            person=self.person, lead=self.lead, deal=self.deal
        )


class MeetingForm(KringForm):
    user: forms.ModelChoiceField[User] = forms.ModelChoiceField(
        label=gettext_lazy("With whom of us"), queryset=None, empty_label=None
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("How do you meet?"), choices=AppointmentKind.choices, widget=forms.RadioSelect
    )
    minutes = forms.TypedChoiceField(label=gettext_lazy("How long"), coerce=int)
    subject = forms.CharField(label=gettext_lazy("What is it about?"), max_length=200)
    place = forms.CharField(
        label=gettext_lazy("Where"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("An address, a link, or the number to call. They read it in the invitation."),
    )
    distance_km = forms.IntegerField(
        label=gettext_lazy("Kilometres there"), required=False, min_value=0, max_value=MOST_KM
    )
    travel_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes of travel, one way"),
        required=False,
        min_value=0,
        max_value=720,
        help_text=gettext_lazy("Kept free before and after a visit. Empty: a minute for each kilometre."),
    )
    override = forms.CharField(
        label=gettext_lazy("Why visit before both sides have said yes?"),
        required=False,
        max_length=300,
        error_messages={"required": gettext_lazy("Say why you go on before both sides have said yes.")},
        help_text=gettext_lazy(
            "A visit comes after both yeses; a call or a video is always fine. Your reason is kept."
        ),
    )

    def __init__(self, *args: Any, about: About, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.about = about
        self.fields["user"].queryset = access.hosts()  # type: ignore[attr-defined]
        self.fields["minutes"].choices = [  # type: ignore[attr-defined]
            (number, ngettext("%(number)d minute", "%(number)d minutes", number) % {"number": number})
            for number in LENGTHS
        ]
        if about.needs_reason(self.chosen("kind")):
            self.fields["override"].required = True
        elif not self.chosen("override"):
            del self.fields["override"]
        if self.chosen("kind") != AppointmentKind.VISIT:
            del self.fields["distance_km"], self.fields["travel_minutes"]

    def chosen(self, name: str) -> str:
        """What stands in a field now, right or wrong."""
        filled = self.data if self.is_bound else self.initial
        return str(filled.get(name) or "")

    @property
    def host(self) -> User | None:
        pk = query.number(self.chosen("user"))
        return access.hosts().filter(pk=pk).first() if pk is not None else None

    @property
    def length(self) -> int:
        number = query.number(self.chosen("minutes"))
        return number if number in LENGTHS else LENGTHS[1]

    @property
    def travel(self) -> int:
        """Minutes that a visit needs, one way."""
        if self.chosen("kind") != AppointmentKind.VISIT:
            return 0
        number = query.number(self.chosen("travel_minutes"))
        if number is None:
            number = self.distance
        return min(number or 0, 720)

    @property
    def distance(self) -> int | None:
        """Kilometres there; those noted on the lead when the page did not ask, since somebody chose a visit a moment ago."""
        if self.is_bound and "distance_km" not in self.data:
            return self.about.lead.distance_km if self.about.lead else None
        number = query.number(self.chosen("distance_km"))
        return None if number is None else min(number, MOST_KM)

    def said(self) -> dict[str, Any]:
        """The values that the verbs take, without the time."""
        cleaned = self.cleaned_data
        values = {name: cleaned[name] for name in ("user", "kind", "minutes", "subject", "place")}
        return values | {
            "person": self.about.person,
            "lead": self.about.lead,
            "deal": self.about.deal,
            "travel_minutes": self.travel,
            "override": cleaned.get("override", ""),
        }
