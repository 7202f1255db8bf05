from django.db import migrations

#: The areas that crisis intervention teaching is reckoned by; an agency adds its own.
TOPICS = (
    ("mental-health", "Mental health"),
    ("de-escalation", "De-escalation"),
    ("crisis-communication", "Crisis communication"),
    ("scenarios", "Scenarios"),
    ("partnerships", "Partnerships"),
)


def add_topics(apps, schema_editor):
    topic = apps.get_model("training", "Topic")
    for place, (code, name) in enumerate(TOPICS, start=1):
        topic.objects.get_or_create(code=code, defaults={"name": name, "order": place * 10})


class Migration(migrations.Migration):
    dependencies = [("training", "0004_blocks_change_places")]

    operations = [migrations.RunPython(add_topics, migrations.RunPython.noop)]
