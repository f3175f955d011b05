"""Sabotages of keys and of what takes two persons."""

from mutants.sabotages import sabotage

IDENTITY = "tests/flows/test_identity.py::test_"

IDENTITY_SABOTAGES = (
    sabotage(
        "let who requested decide",
        IDENTITY + "who_requested_does_not_decide",
        ("approvals/rules.py", "if same_person(caller.person, wanted_by.person):", "if False:"),
    ),
    sabotage(
        "count the secret of a key as content",
        IDENTITY + "a_retry_never_replaces_the_secret",
        (
            "identity/model.py",
            'return _without_secret(self, ("prefix", "digest"))',
            "return _without_secret(self, ())",
        ),
    ),
    sabotage(
        "take an old secret for ever",
        IDENTITY + "a_rotation_changes_the_secret_and_keeps_the_handle",
        ("identity/rules.py", "if current or row.old_until_us is None", "if True"),
    ),
)
