"""Find keys, tokens and e-mail addresses, which belong in neither the repository nor a log."""

import re

TOKENS = {
    "an AWS access key": r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.",
    "a Google access token": r"\bya29\.[A-Za-z0-9_-]{10,}",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{30,}",
    "a Google client secret": r"\bGOCSPX-[A-Za-z0-9_-]{10,}",
    "a GitHub token": r"\b(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})",
    "an npm token": r"\bnpm_[A-Za-z0-9]{30,}",
    "a PyPI token": r"\bpypi-[A-Za-z0-9_-]{30,}",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "an AWS secret key": r"(?i)aws_secret_access_key['\"]?\s*[:=]\s*['\"]?[A-Za-z0-9/+]{40}\b",
}
# from AWS's documentation; no account has them
EXAMPLES = {"AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"}
EMAIL = r"[\w.+-]+@[\w-]+\.[a-z]{2,}"


def secrets_in(text):
    """List everything in a text that looks like a secret."""
    return [
        f"{kind}: {match[0][:12]}..."
        for kind, pattern in TOKENS.items()
        for match in re.finditer(pattern, text)
        if match[0] not in EXAMPLES
    ]


def leaks(log, *private):
    """List the secrets and e-mail addresses in a log, and those of the given private texts."""
    return [
        *secrets_in(log),
        *(f"an e-mail address: {match[0]}" for match in re.finditer(EMAIL, log)),
        *(f"a private text: {text}" for text in private if text in log),
    ]
