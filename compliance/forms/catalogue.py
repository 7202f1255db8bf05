"""Forms of the catalogue: a course with its topics and tests, a topic, what a lesson plan says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms

from compliance.forms.course_rules import reason_field
from compliance.forms.fields import StyledForm, check_past, day_field, percent_field
from compliance.forms.files import FilesForm, KeptFileField
from roster.file_types import LESSON_PLANS
from training.catalogue import FIELDS, AskedTest, Edit
from training.models import Course, CourseKind, CourseTest, LessonPlan, Mode, Topic
from training.titles import title_key

#: Empty lines for further tests.
MORE_TESTS = 2
MOST_TESTS = 20


def _hours(label: str, **kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal("0.01"),
        max_value=Decimal(9999),
        max_digits=6,
        decimal_places=2,
        error_messages={"invalid": f"{label}: write the hours as a number, such as 4.5."},
        **kwargs,
    )


def _shown(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


class CourseEditForm(StyledForm):
    """A course as people keep it. The code of one that exists stays: files and requirements name it."""

    code = forms.CharField(label="Code", max_length=80, help_text="As files and requirements name it; it stays.")
    title = forms.CharField(label="Title", max_length=300)
    kind = forms.ChoiceField(label="Kind", choices=CourseKind.choices)
    hours = _hours("Hours")
    mode = forms.ChoiceField(label="Delivery", choices=Mode.choices)
    provider = forms.CharField(
        label="Provider", max_length=200, required=False, help_text="Who gives it: the academy, a college, a vendor."
    )
    state_approval = forms.CharField(label="State approval number", max_length=80, required=False)
    min_score = percent_field("Pass mark, percent")
    min_attendance = percent_field("Minimum attendance, percent")
    prerequisites = forms.ModelMultipleChoiceField(
        Course.objects.none(),
        label="Prerequisites",
        required=False,
        help_text="A seat asks for a completion of each.",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, course: Course | None, topics: list[Topic], **kwargs: Any) -> None:
        self.course, self.topics = course, topics
        hours = {} if course is None else {row.topic_id: row.hours for row in course.topics.all()}
        initial: dict[str, Any] = {f"topic-{topic.pk}": _shown(hours.get(topic.pk)) for topic in topics}
        if course is not None:
            initial |= {name: getattr(course, name) for name in FIELDS}
            initial |= {name: _shown(getattr(course, name)) for name in ("hours", "min_score", "min_attendance")}
            initial["prerequisites"] = [one.pk for one in course.prerequisites.all()]
        super().__init__(*args, initial=initial, **kwargs)
        if course is not None:
            self.fields["code"].disabled = True
        others = Course.objects.filter(same_as=None, is_from_title=False).order_by("title")
        if course is not None:
            others = others.exclude(pk=course.pk)
        self.fields["prerequisites"].queryset = others  # type: ignore[attr-defined] # a ModelMultipleChoiceField
        for topic in topics:
            widget = forms.NumberInput(attrs={"class": "form-control", "step": "any"})
            self.fields[f"topic-{topic.pk}"] = _hours(topic.name, widget=widget)

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FIELDS]

    @property
    def topic_fields(self) -> list[forms.BoundField]:
        return [self[f"topic-{topic.pk}"] for topic in self.topics]

    def clean_code(self) -> str:
        code = " ".join(str(self.cleaned_data["code"]).split())
        if self.course is None and Course.objects.filter(code__iexact=code).exists():
            raise forms.ValidationError("There is a course with this code. Choose another.")
        return code

    def clean_title(self) -> str:
        title = " ".join(str(self.cleaned_data["title"]).split())
        if self.course is not None and title_key(title) == self.course.title_key:
            return title
        same = Course.objects.filter(title_key=title_key(title), is_from_title=False)
        if (other := same.first()) is not None:
            raise forms.ValidationError(f"Course {other.code} has this title: a title in a file could mean either.")
        return title

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        hours = values.get("hours")
        taught = sum((values.get(f"topic-{topic.pk}") or Decimal(0) for topic in self.topics), Decimal(0))
        if hours is not None and taught > hours:
            self.add_error("hours", f"The topics have {_shown(taught)} hours, more than the course.")
        return values


class TestForm(StyledForm):
    """A test of a course."""

    __test__ = False  # not for pytest

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label="Test", max_length=120, required=False)
    pass_mark = percent_field("Pass mark, percent")
    is_retired = forms.BooleanField(label="No longer given", required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("pass_mark") is not None and not values.get("name"):
            self.add_error("name", "Name the test that this pass mark is of.")
        return values


if TYPE_CHECKING:
    _FormSet = forms.BaseFormSet[TestForm]
else:
    _FormSet = forms.BaseFormSet


class _TestFormSet(_FormSet):
    def clean(self) -> None:
        seen: set[str] = set()
        for form in self.forms:
            name = title_key(str(form.cleaned_data.get("name") or "")) if form.is_valid() else ""
            if name and name in seen:
                form.add_error("name", "The course has a test of this name already.")
            seen.add(name)


def test_forms(data: Any, course: Course | None) -> forms.BaseFormSet[TestForm]:
    """The tests of a course and some empty lines, one form each."""
    tests = [] if course is None else list(course.tests.all())
    initial = [
        {"pk": test.pk, "name": test.name, "pass_mark": _shown(test.pass_mark), "is_retired": test.is_retired}
        for test in tests
    ]
    made = forms.formset_factory(
        TestForm, _TestFormSet, extra=MORE_TESTS, max_num=MOST_TESTS, absolute_max=MOST_TESTS, validate_max=True
    )
    return made(data, initial=initial, prefix="tests", form_kwargs={"label_suffix": ""})


test_forms.__test__ = False  # type: ignore[attr-defined] # not for pytest


class WhyForm(StyledForm):
    why = reason_field()


def edit_of(form: CourseEditForm, tests: forms.BaseFormSet[TestForm]) -> Edit:
    """What valid forms say of a course."""
    values = form.cleaned_data
    fields = {name: _plain(values[name]) for name in FIELDS}
    own = (
        set()
        if form.course is None
        else set(CourseTest.objects.filter(course=form.course).values_list("pk", flat=True))
    )
    said = [one.cleaned_data for one in tests.forms if one.cleaned_data.get("name")]
    return Edit(
        None if form.course is None else form.course.pk,
        fields,
        tuple(sorted(one.pk for one in values["prerequisites"])),
        {topic.pk: _shown(hours) for topic in form.topics if (hours := values[f"topic-{topic.pk}"])},
        tuple(
            AskedTest(
                one["pk"] if one["pk"] in own else None,
                " ".join(one["name"].split()),
                _shown(one["pass_mark"]),
                one["is_retired"],
            )
            for one in said
        ),
    )


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return _shown(value)
    return str(value or "").strip()


class TopicForm(StyledForm):
    code = forms.CharField(label="Code", max_length=40, help_text="Short: de-escalation.")
    name = forms.CharField(label="Name", max_length=120)
    order = forms.IntegerField(label="Place in lists", min_value=0, max_value=30_000, initial=100)

    def row(self, topic: Topic | None = None) -> Topic:
        topic = topic or Topic()
        topic.code, topic.name, topic.order = (self.cleaned_data[name] for name in ("code", "name", "order"))
        return topic


class LessonPlanTextForm(FilesForm):
    """What a lesson plan says, beside its days: nobody is judged by it."""

    objectives = forms.CharField(
        label="Objectives",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="One a line; the class file prints them.",
    )
    approved_by = forms.CharField(label="Approved by", max_length=200, required=False)
    approved_on = day_field("Approved on", required=False)
    file = KeptFileField(
        label="File",
        kinds=LESSON_PLANS,
        required=False,
        help_text="Another takes its place until a class taught from it is finished.",
    )

    def __init__(self, *args: Any, plan: LessonPlan, today: date, **kwargs: Any) -> None:
        names = ("objectives", "approved_by", "approved_on")
        super().__init__(*args, initial={name: getattr(plan, name) for name in names}, **kwargs)
        self.plan, self.today = plan, today

    def clean_approved_on(self) -> date | None:
        return check_past(self.cleaned_data["approved_on"], self.today, "The day of approval")

    def row(self) -> LessonPlan:
        values = self.cleaned_data
        self.plan.objectives = "\n".join(line.strip() for line in values["objectives"].splitlines() if line.strip())
        self.plan.approved_by, self.plan.approved_on = values["approved_by"].strip(), values["approved_on"]
        return self.plan
