"""There is always a place for a first deal, and it is made once."""

from __future__ import annotations

import pytest

from crm import pipelines
from crm.models import Pipeline, Stage

pytestmark = pytest.mark.django_db


def test_the_first_pipeline_is_made_with_four_stages_in_order():
    pipeline = pipelines.ensure_default()
    stages = list(pipeline.stages.all())
    assert len(stages) == 4
    assert [stage.probability for stage in stages] == sorted(stage.probability for stage in stages)
    assert pipelines.first_stage() == stages[0]


def test_it_is_made_once():
    first = pipelines.ensure_default()
    assert pipelines.ensure_default() == first
    assert (Pipeline.objects.count(), Stage.objects.count()) == (1, 4)


def test_a_pipeline_without_stages_gets_them():
    empty = Pipeline.objects.create(name="Second orders")
    assert pipelines.ensure_default() == empty
    assert empty.stages.count() == 4


def test_the_first_of_several_is_where_deals_start():
    Pipeline.objects.create(name="Later", position=9)
    first = Pipeline.objects.create(name="Sooner", position=1)
    stage = Stage.objects.create(pipeline=first, name="Only one")
    assert pipelines.first_stage() == stage


def test_asking_for_it_costs_nothing_once_it_is_there(django_assert_max_num_queries):
    pipelines.ensure_default()
    with django_assert_max_num_queries(4):  # two of them open and close the transaction
        pipelines.ensure_default()
