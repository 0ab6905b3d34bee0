"""O: what other tools say of an archive that these rules accept, where the operator asks for it.

They have no check: `extractor_sandbox.opinions` asks the tools, each in a process of its own.
"""

from extractor_sandbox.finding import Rule

BANDIT = Rule[None](
    "O01",
    "bandit's opinion of the code; only a warning. It rejects where bandit was asked for and came to no end, "
    "or could not read a file: code that was not looked at is not code without findings.",
    "Look up bandit's test by its id, and decide whether the line can do without it.",
)
DETECT_SECRETS = Rule[None](
    "O02",
    "detect-secrets' opinion of code and text; only a warning, which never shows the secret. It rejects "
    "where detect-secrets was asked for and came to no end.",
    "If it is a secret, take it out, revoke it, and ask for it at run time: "
    "`await container.secrets.get(name)`.",
)
ADVISORIES = Rule[None](
    "O03",
    "The manifest asks for a distribution of which a published advisory knows a weakness, in the newest "
    "version that the requirement allows; only a warning. It rejects where advisories were asked for and not "
    "read.",
    "Allow a version in which it is mended.",
)

RULES = (BANDIT, DETECT_SECRETS, ADVISORIES)
