from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"

    def ready(self) -> None:
        from compliance import standings  # noqa: PLC0415 - models are loaded only now
        from roster import facts  # noqa: PLC0415 - the same

        facts.follow_with(standings.rebuild)
