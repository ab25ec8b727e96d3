"""Many rows. Every colleague reads, so most begin with all of them; a screen narrows them with the words of the QuerySet."""

from __future__ import annotations

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from crm import events
from crm.models import (
    Acquaintance,
    Alternative,
    BulkAct,
    CaptureForm,
    Content,
    Deal,
    DeclineReason,
    DoNotContact,
    Event,
    Finding,
    FollowUp,
    FormSubmission,
    HandOff,
    HandOffQuestion,
    HealthReading,
    HookDelivery,
    ImportRun,
    InboundHook,
    Lead,
    Merge,
    Mergeable,
    Organisation,
    Override,
    PastAssessment,
    Person,
    PhoneNumber,
    Pipeline,
    Position,
    PossibleDuplicate,
    Promise,
    Referral,
    Register,
    RegisterEntry,
    Role,
    RuleRun,
    RuleSetting,
    SavedView,
    Stage,
    Team,
    Touch,
    User,
)
from crm.models.advocacy import ReferralQuerySet
from crm.models.conversations import PromiseQuerySet
from crm.models.deals import DealQuerySet
from crm.models.do_not_contact import DoNotContactQuerySet
from crm.models.events import EventQuerySet
from crm.models.follow_ups import FollowUpQuerySet
from crm.models.forms import SubmissionQuerySet
from crm.models.hand_offs import HandOffQuerySet
from crm.models.health import FindingQuerySet
from crm.models.leads import LeadQuerySet
from crm.models.merges import PossibleDuplicateQuerySet
from crm.models.organisations import OrganisationQuerySet
from crm.models.people import PersonQuerySet, PositionQuerySet
from crm.web.page import Request
from qualification.models import Assessment, Criterion, Scorecard


def history(row: Model) -> EventQuerySet:
    """What happened to this row itself, newest first."""
    return Event.objects.filter(subject_kind=events.SUBJECTS[type(row)], subject_id=row.pk).for_timeline()


def leads() -> LeadQuerySet:
    return Lead.objects.all()


def hand_offs() -> HandOffQuerySet:
    return HandOff.objects.all()


def open_question(lead: Lead) -> HandOffQuestion | None:
    """What an account manager asks back about the hand-off of this lead, while it waits for the answer."""
    waiting = HandOffQuestion.objects.open().filter(hand_off__lead=lead, hand_off__in=HandOff.objects.waiting())
    return waiting.select_related("by").first()


def deals() -> DealQuerySet:
    return Deal.objects.all()


def people() -> PersonQuerySet:
    return Person.objects.all()


def positions() -> PositionQuerySet:
    return Position.objects.all()


def organisations() -> OrganisationQuerySet:
    return Organisation.objects.all()


def promises() -> PromiseQuerySet:
    return Promise.objects.all()


def follow_ups() -> FollowUpQuerySet:
    return FollowUp.objects.all()


def referrals() -> ReferralQuerySet:
    return Referral.objects.all()


def findings() -> FindingQuerySet:
    return Finding.objects.all()


def readings() -> QuerySet[HealthReading]:
    return HealthReading.objects.all()


def imports() -> QuerySet[ImportRun]:
    return ImportRun.objects.defer("content").select_related("by")


def saved_views(request: Request) -> QuerySet[SavedView]:
    """Their own, and what others share."""
    return SavedView.objects.filter(Q(owner=request.user) | Q(is_shared=True)).select_related("owner")


def bulk_acts(request: Request) -> QuerySet[BulkAct]:
    """What they did themselves; everybody's for those who lead."""
    rows = BulkAct.objects.select_related("by").defer("changes")
    return rows if request.user.is_leading else rows.filter(by=request.user)


def scorecard_versions() -> QuerySet[Scorecard]:
    """Every version, the newest of each first, with its number of `questions` and of `uses`."""
    asked = Criterion.objects.filter(scorecard=OuterRef("pk")).values("scorecard").annotate(number=Count("pk"))
    used = Assessment.objects.filter(scorecard=OuterRef("pk")).values("scorecard").annotate(number=Count("pk"))
    return Scorecard.objects.annotate(
        questions=Coalesce(Subquery(asked.values("number")), 0), uses=Coalesce(Subquery(used.values("number")), 0)
    ).order_by("name", "-version")


def scorecards() -> QuerySet[Scorecard]:
    """The newest version of each that is in use."""
    return Scorecard.objects.current()


def contents() -> QuerySet[Content]:
    return Content.objects.all()


def touches() -> QuerySet[Touch]:
    return Touch.objects.all()


def hooks() -> QuerySet[InboundHook]:
    return InboundHook.objects.select_related("owner", "team")


def deliveries(hook: InboundHook) -> QuerySet[HookDelivery]:
    return HookDelivery.objects.filter(hook=hook).select_related("lead__person", "lead__organisation")


def decline_reasons() -> QuerySet[DeclineReason]:
    """In the order of the list, those that are closed too."""
    return DeclineReason.objects.all()


def alternatives() -> QuerySet[Alternative]:
    return Alternative.objects.select_related("content")


def past_assessments(lead: Lead) -> QuerySet[PastAssessment]:
    """How it was judged before, with what was answered then."""
    rows = lead.past_assessments.select_related("assessment__scorecard", "verdict_by", "replaced_by")
    return rows.prefetch_related("assessment__answers__criterion")


def overrides() -> QuerySet[Override]:
    """With what came of them."""
    return Override.objects.select_related(
        "by",
        "lead__person",
        "lead__organisation",
        "lead__deal",
        "deal",
        "appointment__person",
        "appointment__lead__person",
        "appointment__lead__organisation",
    )


def pipelines() -> QuerySet[Pipeline]:
    return Pipeline.objects.all()


def stages() -> QuerySet[Stage]:
    return Stage.objects.select_related("pipeline")


def rule_settings() -> QuerySet[RuleSetting]:
    return RuleSetting.objects.select_related("team").order_by("rule", "team__name")


def rule_runs() -> QuerySet[RuleRun]:
    return RuleRun.objects.order_by("rule")


def teams() -> QuerySet[Team]:
    return Team.objects.all()


def users() -> QuerySet[User]:
    return User.objects.active().select_related("team").order_by("name", "id")


def everyone() -> QuerySet[User]:
    """Those who have left or cannot log in included: their names stand on what they did."""
    return User.objects.select_related("team").order_by("name", "id")


def sellers() -> QuerySet[User]:
    """Those who may own a deal."""
    return users().filter(role__in=(Role.ACCOUNT_MANAGER, Role.MANAGER))


def deal_owners(deal: Deal) -> QuerySet[User]:
    """Those who may be chosen as its owner: the sellers, and the present one whatever they are."""
    sells = Q(is_active=True, role__in=(Role.ACCOUNT_MANAGER, Role.MANAGER))
    return everyone().filter(sells | Q(pk=deal.owner_id))


def phone_numbers() -> QuerySet[PhoneNumber]:
    return PhoneNumber.objects.all()


def capture_forms() -> QuerySet[CaptureForm]:
    return CaptureForm.objects.select_related("owner", "team", "content")


def submissions() -> SubmissionQuerySet:
    return FormSubmission.objects.select_related("form")


def possible_duplicates(user: User | None = None) -> PossibleDuplicateQuerySet:
    """Those that wait; with a user those of which this user owns at least one."""
    rows = PossibleDuplicate.objects.waiting()
    if user is None:
        return rows
    people, organisations = (
        Person.objects.filter(owner=user).values("pk"),
        Organisation.objects.filter(owner=user).values("pk"),
    )
    return rows.filter(
        Q(kind=Mergeable.PERSON) & (Q(first_id__in=people) | Q(second_id__in=people))
        | Q(kind=Mergeable.ORGANISATION) & (Q(first_id__in=organisations) | Q(second_id__in=organisations))
    )


def merges() -> QuerySet[Merge]:
    return Merge.objects.select_related("by", "undone_by").defer("gone", "moved", "dropped", "changed")


def acquaintances(person: Person) -> QuerySet[Acquaintance]:
    """Those whom this person is noted to know, from either side. Changed by who may write the person on whose page it is done."""
    known = Acquaintance.objects.filter(Q(person=person) | Q(other=person))
    return known.select_related("person", "other").order_by("at", "id")


def people_at(organisation: Organisation | None) -> PersonQuerySet:
    """Those who hold a position there now, by name."""
    jobs = Position.objects.current().filter(organisation=organisation).order_by()
    return Person.objects.filter(pk__in=jobs.values("person")).order_by("family_name", "given_name", "id")


def people_around(person: Person | None, organisation: Organisation | None) -> PersonQuerySet:
    """This person, and those who hold a position at the organisation now, by name."""
    rows = Person.objects.filter(pk=person.pk) if person else Person.objects.none()
    if organisation is not None:
        rows = rows | Person.objects.filter(pk__in=people_at(organisation).order_by().values("pk"))
    return rows.order_by("family_name", "given_name", "id")


def is_around(person: Person, source: Lead | Deal | None) -> bool:
    """Whether this person belongs to the lead or deal: it is about them, or they work at its organisation."""
    return source is not None and people_around(source.person, source.organisation).filter(pk=person.pk).exists()


def account_managers() -> QuerySet[User]:
    return User.objects.account_managers().select_related("team")


def workplaces(people: list[Person]) -> dict[int, str]:
    """Where each of them works now, by their keys."""
    jobs = Position.objects.current().filter(person__in=people).select_related("organisation")
    return {job.person_id: str(job.organisation) for job in reversed(jobs)}


def wishes() -> DoNotContactQuerySet:
    return DoNotContact.objects.all()


def registers() -> QuerySet[Register]:
    return Register.objects.select_related("by")


def register_entries() -> QuerySet[RegisterEntry]:
    return RegisterEntry.objects.all()
