"""Every address but signing in and out."""

import re

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from compliance.views import (
    attendance,
    calendars,
    catalogue,
    certificates,
    class_papers,
    class_tests,
    classes,
    completions,
    course_rules,
    coverage,
    files,
    finish,
    goals,
    grants,
    home,
    imports,
    jobs,
    mass,
    merging,
    officers,
    records,
    reports,
    rule_changes,
    rules,
    settings,
    teaching,
    trail,
    units,
    users,
)

#: Words of addresses that stand where a code can: a code that is one of them is written with `~`, too.
WORDS = frozenset({"add", "hire", "load", "plan"})


class CodeConverter(StringConverter):
    """A code as agencies write them: what an address cannot hold is written `~` and two digits, `A/B` as `A~2FB`."""

    def to_python(self, value: str) -> str:
        return re.sub("~([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), value)

    def to_url(self, value: str) -> str:
        reserved = "/~." if value in (".", "..") else f"/~{value[0]}" if value in WORDS else "/~"
        return "".join(f"~{ord(letter):02X}" if letter in reserved else letter for letter in value)


register_converter(CodeConverter, "code")

urlpatterns = [
    # What people read.
    path("", home.home, name="home"),
    path("my/", home.my, name="my"),
    path("coverage/", coverage.coverage_page, name="coverage"),
    path("deadlines/", coverage.deadline_list, name="deadline-list"),
    path("goals/", goals.goal_list, name="goal-list"),
    path("units/<code:code>/", units.unit_detail, name="unit-detail"),
    path("officers/", officers.officer_list, name="officer-list"),
    path("requirements/", rules.requirement_list, name="requirement-list"),
    path("requirements/requirements.toml", rules.requirement_file, name="requirement-files"),
    path("requirements/add/", rule_changes.requirement_add, name="requirement-add"),
    path("requirements/load/", rule_changes.requirement_load, name="requirement-load"),
    path("requirements/previews/<uuid:key>/", rule_changes.requirement_preview, name="requirement-preview"),
    path("requirements/<code:code>/", rules.requirement_detail, name="requirement-detail"),
    path("requirements/<code:code>/requirement.toml", rules.requirement_file, name="requirement-file"),
    path("requirements/<code:code>/editions/add/", rule_changes.edition_add, name="edition-add"),
    path("requirements/<code:code>/editions/<str:start>/", rule_changes.edition_change, name="edition-change"),
    path(
        "requirements/<code:code>/editions/<str:start>/withdraw/",
        rule_changes.edition_withdraw,
        name="edition-withdraw",
    ),
    path("courses/", rules.course_list, name="course-list"),
    path("courses/add/", catalogue.course_add, name="course-add"),
    path("courses/<code:code>/", catalogue.course_detail, name="course-detail"),
    path("courses/<code:code>/change/", catalogue.course_change, name="course-change"),
    path("topics/", catalogue.topic_list, name="topic-list"),
    path("topics/<int:pk>/", catalogue.topic_change, name="topic-change"),
    # Classes. Fixed words come before those that hold a number.
    path("classes/", classes.class_list, name="class-list"),
    path("classes/plan/", classes.class_plan, name="class-plan"),
    path("classes/<code:number>/", classes.class_detail, name="class-detail"),
    path("classes/<code:number>/blocks/", classes.class_blocks, name="class-blocks"),
    path("classes/<code:number>/change/", classes.class_change, name="class-change"),
    path("classes/<code:number>/move/", classes.class_move, name="class-move"),
    path("classes/<code:number>/times/", classes.class_times, name="class-times"),
    path("classes/<code:number>/cancel/", classes.class_cancel, name="class-cancel"),
    path("classes/<code:number>/attendance/", attendance.class_attendance, name="class-attendance"),
    path("classes/<code:number>/tests/", class_tests.class_tests, name="class-tests"),
    path("classes/<code:number>/finish/", finish.class_finish, name="class-finish"),
    path("classes/<code:number>/reopen/", finish.class_reopen, name="class-reopen"),
    path("calendar/", calendars.calendar_page, name="calendar"),
    path("calendar/feed/", calendars.calendar_feed, name="calendar-feed"),
    path("calendar/<str:token>.ics", calendars.calendar_file, name="calendar-file"),
    path("instructors/", teaching.instructor_list, name="instructor-list"),
    path("instructors/add/", teaching.instructor_add, name="instructor-add"),
    path("instructors/<int:pk>/", teaching.instructor_detail, name="instructor-detail"),
    path("places/", teaching.place_list, name="place-list"),
    path("places/add/", teaching.place_add, name="place-add"),
    path("places/<int:pk>/", teaching.place_change, name="place-change"),
    # Its papers.
    path("classes/<code:number>/papers/", class_papers.class_papers, name="class-papers"),
    path("classes/<code:number>/papers/<int:pk>/withdraw/", class_papers.class_paper_withdraw, name="class-withdraw"),
    path("classes/<code:number>/papers/<uuid:key>/", class_papers.class_paper_made, name="class-paper-made"),
    path("classes/<code:number>/certificates/", class_papers.class_certificates_issue, name="class-certify"),
    path("classes/<code:number>/sign-in.pdf", class_papers.class_sign_in, name="class-sign-in"),
    path("classes/<code:number>/roster.pdf", class_papers.class_roster, name="class-roster"),
    path("classes/<code:number>/certificates.pdf", class_papers.class_certificates, name="class-certificates"),
    path("classes/<code:number>/class-file.pdf", class_papers.class_file, name="class-file"),
    path("classes/<code:number>/class-file.zip", class_papers.class_archive, name="class-archive"),
    path("certificates/<code:number>.pdf", certificates.certificate_file, name="certificate-file"),
    # Public: without signing in.
    path("verify/", certificates.certificate_check, name="certificate-check"),
    path("verify/<str:token>/", certificates.certificate_verify, name="certificate-verify"),
    # What people record. Fixed words come before those that hold an id.
    path("completions/", completions.completion_list, name="completion-list"),
    path("completions/log/", completions.completion_log, name="completion-log"),
    path("completions/<int:pk>/", completions.completion_detail, name="completion-detail"),
    path("completions/<int:pk>/evidence/", completions.completion_evidence, name="completion-evidence"),
    path("completions/<int:pk>/certificate/", certificates.completion_certificate, name="completion-certify"),
    path("completions/<int:pk>/void/", completions.completion_void, name="completion-void"),
    path("completions/<int:pk>/correct/", completions.completion_correct, name="completion-correct"),
    path("officers/hire/", records.officer_hire, name="officer-hire"),
    path("officers/<code:employee_id>/", officers.officer_detail, name="officer-detail"),
    path("officers/<code:employee_id>/transfer/", records.officer_transfer, name="officer-transfer"),
    path("officers/<code:employee_id>/leave/", records.officer_leave, name="officer-leave"),
    path("officers/<code:employee_id>/history/", officers.officer_history, name="officer-history"),
    path("officers/<code:employee_id>/merge/", merging.officer_merge, name="officer-merge"),
    path("merges/", merging.merge_list, name="merge-list"),
    path("merges/<int:pk>/undo/", merging.merge_undo, name="merge-undo"),
    path("officers/<code:employee_id>/separate/", records.officer_separate, name="officer-separate"),
    # What is granted.
    path("officers/<code:employee_id>/waive/", grants.officer_waive, name="officer-waive"),
    path("officers/<code:employee_id>/extend/", grants.officer_extend, name="officer-extend"),
    path("officers/<code:employee_id>/designations/", grants.officer_designate, name="officer-designate"),
    path("officers/<code:employee_id>/explain/", grants.officer_explain, name="officer-explain"),
    path("waivers/", grants.waiver_list, name="waiver-list"),
    path("waivers/<int:pk>/void/", grants.waiver_void, name="waiver-void"),
    path("extensions/", grants.extension_list, name="extension-list"),
    path("extensions/<int:pk>/void/", grants.extension_void, name="extension-void"),
    path("mass/", mass.mass_list, name="mass-list"),
    path("mass/new/", mass.mass_new, name="mass-new"),
    path("mass/<int:pk>/", mass.mass_detail, name="mass-detail"),
    path("mass/<int:pk>/record/", mass.mass_record, name="mass-record"),
    path("mass/<int:pk>/again/", mass.mass_again, name="mass-again"),
    path("mass/<int:pk>/discard/", mass.mass_discard, name="mass-discard"),
    path("mass/<int:pk>/end/", mass.mass_end, name="mass-end"),
    path("equivalencies/", course_rules.equivalency_list, name="equivalency-list"),
    path("equivalencies/add/", course_rules.equivalency_add, name="equivalency-add"),
    path("equivalencies/<int:pk>/end/", course_rules.equivalency_end, name="equivalency-end"),
    path("lesson-plans/", course_rules.lesson_plan_list, name="lesson-plan-list"),
    path("lesson-plans/add/", course_rules.lesson_plan_add, name="lesson-plan-add"),
    path("lesson-plans/<int:pk>/", catalogue.lesson_plan_detail, name="lesson-plan-detail"),
    path("lesson-plans/<int:pk>/end/", course_rules.lesson_plan_end, name="lesson-plan-end"),
    path("course-rules/<uuid:key>/", course_rules.course_rule, name="course-rule"),
    path("trail/", trail.trail_list, name="trail-list"),
    path("import/", imports.import_list, name="import-list"),
    path("import/<int:pk>/", imports.import_detail, name="import-detail"),
    path("import/<int:pk>/columns/", imports.import_columns, name="import-columns"),
    path("import/<int:pk>/plan/", imports.import_plan, name="import-plan"),
    path("import/<int:pk>/titles/", imports.import_titles, name="import-titles"),
    path("import/<int:pk>/record/", imports.import_record, name="import-record"),
    path("import/<int:pk>/discard/", imports.import_discard, name="import-discard"),
    path("import/<int:pk>/rejected.csv", imports.import_errors, name="import-errors"),
    path("jobs/<uuid:key>/", jobs.job_detail, name="job-detail"),
    path("settings/", settings.settings_page, name="settings"),
    path("files/<uuid:key>/", files.file_download, name="file"),
    path("users/", users.user_list, name="user-list"),
    path("users/<int:pk>/", users.user_detail, name="user-detail"),
    path("users/<int:pk>/roles/", users.user_grant, name="user-grant"),
    path("users/<int:pk>/roles/<int:access>/", users.user_revoke, name="user-revoke"),
    path("users/<int:pk>/active/", users.user_active, name="user-active"),
    path("users/<int:pk>/password/", users.user_password, name="user-password"),
    path("password/", users.password, name="password"),
    # What is handed over.
    path("reports/", reports.report_list, name="report-list"),
    path("reports/<slug:number>/", reports.report_detail, name="report-detail"),
    path("reports/<slug:number>/<str:name>", reports.report_file, name="report-file"),
]
