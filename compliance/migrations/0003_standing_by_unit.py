from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0002_known_answers"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(fields=["unit", "requirement"], name="compliance_standing_unit"),
        ),
    ]
