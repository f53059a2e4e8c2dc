"""What a refusal of storage means: its words become whose move it is, and what to do.

The codes are AWS's, which other servers copy. An answer may quote the request, so it is read and never shown.
"""

from __future__ import annotations

from engine.errors import AccessDenied, ConfigError, InfrastructureError, NightmillError

KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
REFUSED = f"storage refused the credentials: {KEYS}, to those of who may do this"
NO_ANSWER = "storage did not answer as it should, after retries"

_MEANINGS: tuple[tuple[tuple[str, ...], type[NightmillError], str], ...] = (
    (
        ("RequestTimeTooSkewed", "RequestExpired"),
        AccessDenied,
        "this machine's clock differs too much from the server's: set it right",
    ),
    (
        ("ExpiredToken", "TokenRefreshRequired"),
        AccessDenied,
        "the credentials have expired: renew them, and the same command goes on",
    ),
    (
        ("InvalidToken",),
        AccessDenied,
        "storage refused the session token: AWS_SESSION_TOKEN is not of these keys",
    ),
    (
        ("AuthorizationHeaderMalformed", "IllegalLocationConstraint", "incorrectly configured region"),
        ConfigError,
        "the bucket is in another region: name it by --region, AWS_REGION or storage: region",
    ),
    (("NoSuchBucket", "Not Found"), ConfigError, "no such bucket"),
    (("Permission denied", "Read-only file system"), AccessDenied, "this user may not do that here"),
    (("No space left",), InfrastructureError, "no space left on the disk: make room"),
    # The address of a cloud machine's own role, which the client asks last of all.
    (("169.254.169.254", "AWS profile"), AccessDenied, f"found no credentials: {KEYS}"),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "privileges", "credential"),
        AccessDenied,
        REFUSED,
    ),
)


def meaning(text: str) -> tuple[type[NightmillError], str] | None:
    """Whose move it is, and a sentence that says what to do; None where the text names nothing that is known."""
    for signs, kind, why in _MEANINGS:
        if any(sign in text for sign in signs):
            return kind, why
    return None
