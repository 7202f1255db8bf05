"""The catalogue: courses with their topics, tests and prerequisites, as people keep them.

What a person says of a course is an `Edit`: plain values, so that it can wait for its preview. `save` is the one place
where a course is written by hand, and noted in the trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError

from roster.trail import What, note_saved, told, values_of
from training.course_imports import JUDGED, NOT_TOLD, link_title
from training.models import ClassState, Course, CourseTest, CourseTopic, LessonPlan, Topic
from training.titles import title_key

#: What of a course a person writes, besides its lists; numbers as text.
FIELDS = (
    "code",
    "title",
    "kind",
    "hours",
    "mode",
    "provider",
    "state_approval",
    "min_score",
    "min_attendance",
)
NUMBERS = frozenset({"hours", "min_score", "min_attendance"})

Plain: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AskedTest:
    """A test as a person writes it. `pk` None = new."""

    pk: int | None
    name: str
    pass_mark: str
    is_retired: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person says of a course. `pk` None = a new one; numbers are text, blank = none."""

    pk: int | None
    fields: Mapping[str, str]
    prerequisites: tuple[int, ...] = ()
    #: topic -> hours
    topics: Mapping[int, str] = field(default_factory=dict)
    tests: tuple[AskedTest, ...] = ()

    def plain(self) -> Plain:
        """The edit as JSON holds it."""
        return {
            "pk": self.pk,
            "fields": dict(self.fields),
            "prerequisites": list(self.prerequisites),
            "topics": [[key, hours] for key, hours in self.topics.items()],
            "tests": [[test.pk, test.name, test.pass_mark, test.is_retired] for test in self.tests],
        }

    @classmethod
    def of_plain(cls, plain: Plain) -> Edit:
        return cls(
            plain["pk"],
            plain["fields"],
            tuple(plain["prerequisites"]),
            dict(plain["topics"]),
            tuple(AskedTest(*test) for test in plain["tests"]),
        )


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def save(edit: Edit) -> set[int]:
    """Write a course, inside `changing_rules`; the ids of courses whose completions are judged anew because of it.

    `ValidationError` for prerequisites that ask for each other. A title that completions were recorded under before it
    had a course becomes this course.
    """
    course = Course() if edit.pk is None else Course.objects.get(pk=edit.pk)
    before = None if edit.pk is None else _told(course)
    judged_by = {name: getattr(course, name) for name in JUDGED}
    for name in FIELDS:
        text = edit.fields.get(name, "")
        if name not in NUMBERS:
            setattr(course, name, text)
        elif name == "hours":
            course.hours = _number(text)
        else:
            setattr(course, name, _number(text) or Decimal(0))
    course.title_key = title_key(course.title)
    course.is_from_title = False
    course.save()
    _refuse_circles(course, edit.prerequisites)
    course.prerequisites.set(edit.prerequisites)
    _save_topics(course, edit.topics)
    _save_tests(course, edit.tests)
    linked = link_title(course.title_key, course)
    note_saved(What.COURSE, f"{course.title} ({course.code})", before, _told(course), about=course.pk)
    if linked or (before is not None and any(getattr(course, name) != value for name, value in judged_by.items())):
        return {course.pk, *linked}
    return set()


def _refuse_circles(course: Course, prerequisites: tuple[int, ...]) -> None:
    """Nobody could ever take a course that asks, by whatever way round, for itself. One query."""
    asks: dict[int, set[int]] = {}
    for needs, asked in Course.prerequisites.through.objects.values_list("from_course_id", "to_course_id"):
        asks.setdefault(needs, set()).add(asked)
    asks[course.pk] = set(prerequisites)
    seen: set[int] = set()
    waiting = set(prerequisites)
    while waiting:
        one = waiting.pop()
        if one == course.pk:
            raise ValidationError("A prerequisite asks for this course itself: nobody could take either.")
        seen.add(one)
        waiting |= asks.get(one, set()) - seen


def _save_topics(course: Course, topics: Mapping[int, str]) -> None:
    course.topics.exclude(topic__in=topics).delete()
    for key, hours in topics.items():
        CourseTopic.objects.update_or_create(course=course, topic_id=key, defaults={"hours": Decimal(hours)})


def _save_tests(course: Course, tests: tuple[AskedTest, ...]) -> None:
    """Tests in the order given. One that people took is never taken away, only retired."""
    stored = {test.pk: test for test in course.tests.all()}
    for place, said in enumerate(tests, start=1):
        test = stored.pop(said.pk, None) if said.pk is not None else None
        test = test or CourseTest(course=course)
        test.name, test.pass_mark, test.order = said.name, Decimal(said.pass_mark or 0), place
        test.is_retired = said.is_retired
        test.save()
    for left in stored.values():
        if left.attempts.exists():
            left.is_retired = True
            left.save()
        else:
            left.delete()


def _told(course: Course) -> dict[str, str]:
    """A course with its lists as the trail tells it."""
    values = values_of(course, leave_out=NOT_TOLD)
    lists = {
        "prerequisites": sorted(course.prerequisites.values_list("code", flat=True)),
        "topics": [f"{row.topic.name} {told(row.hours)} h" for row in course.topics.select_related("topic")],
        "tests": [
            f"{test.name} {told(test.pass_mark)} %{' (retired)' if test.is_retired else ''}"
            for test in course.tests.all()
        ],
    }
    return values | {name: "; ".join(said) for name, said in lists.items() if said}


def save_topic(topic: Topic) -> None:
    """Save a topic, new or renamed, inside `changing_rules`; an IntegrityError where its code is taken."""
    before = None if topic.pk is None else values_of(Topic.objects.get(pk=topic.pk))
    topic.save()
    note_saved(What.TOPIC, topic.name, before, values_of(topic), about=topic.pk)


def refuse_to_rewrite(plan: LessonPlan, objectives: str, *, has_file: bool) -> None:
    """`ValidationError` where a finished class was taught from what these objectives or a file would replace.

    Its class file keeps what was taught (CALEA 33.1.7). What is missing may be added at any time. Two queries.
    """
    before = LessonPlan.objects.get(pk=plan.pk)
    faults = {}
    if before.objectives and objectives != before.objectives:
        faults["objectives"] = "these objectives"
    if before.file_id is not None and has_file:
        faults["file"] = "this file"
    if faults and plan.classes.filter(state=ClassState.FINISHED).exists():
        raise ValidationError(
            {
                name: f"Finished classes were taught from {what}, and their class files keep it. "
                "Add another version of the lesson plan for what changes."
                for name, what in faults.items()
            }
        )
