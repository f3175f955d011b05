"""The code that a phone shows: this file alone is the reference for who makes an app. Pure.

Eighteen digits, `87 HHHHHHHH TTTTTTT C`:

* `87` is ours. Not 10-15 (WeChat), 25-30 (Alipay), 62 (UnionPay), 3 to 6 (bank cards), 88 (our own cards), 81 and 91
  (UnionPay, QQ), and nothing that an identity number begins with.
* H, the handle of the device, as it was given with its secret: who pays.
* T, seven digits that only the secret gives, of this half minute: RFC 6238 with HMAC-SHA-256, 7 digits and a step of
  30 seconds, which any library for one-time passwords makes from the secret.
* C, a check digit after Damm: it tells every wrong digit, and every two neighbours that changed places.

A code counts once, from the beginning of its step until 60 seconds later; the phone's clock may be 30 seconds off,
either way. To be shown again within one step, a phone that knows its code was used takes the next step.

    code(secret, "12345678", int(time.time()))
"""

import hmac

PREFIX = "87"
HANDLE_DIGITS = 8
TIME_DIGITS = 7
LENGTH = len(PREFIX) + HANDLE_DIGITS + TIME_DIGITS + 1
STEP_SECONDS = 30
SECRET_BYTES = 32

_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
"""Damm's quasigroup of order ten (2004)."""


def code(secret: bytes, handle: str, now_seconds: int) -> str:
    """What a device shows at `now_seconds` (since 1970, UTC). It needs no network."""
    body = PREFIX + handle + time_digits(secret, now_seconds // STEP_SECONDS)
    return body + check_digit(body)


def time_digits(secret: bytes, step: int) -> str:
    """The digits of one step: RFC 6238, that is RFC 4226 with the number of the step as counter."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha256")
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**TIME_DIGITS:0{TIME_DIGITS}d}"


def check_digit(body: str) -> str:
    """The last digit, of all digits before it."""
    interim = 0
    for digit in body:
        interim = int(_DAMM[interim][int(digit)])
    return str(interim)
