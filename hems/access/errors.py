"""What can be wrong with an account, or with a way in; `str()` says it to people.

```
AccessError
├── AccountError          an account that cannot be so: its name, password, role or end
│   ├── LastOwnerError    the home would have no owner any more
│   └── FirstError        the first account has been made already
├── UnknownError          there is no such account, session, token, passkey or consent
├── WrongError            name and password, a code or a passkey do not fit
│   └── SecondError       the password is right, but a second proof is needed
└── TooOftenError         tried too often; says how long to wait
```
"""


class AccessError(Exception):
    """Base of all of them."""


class AccountError(AccessError):
    """An account cannot be so."""


class LastOwnerError(AccountError):
    """The home would be left without an owner."""


class FirstError(AccountError):
    """The first account has been made already."""


class UnknownError(AccessError):
    """There is no such account, session, token, passkey or consent."""


class WrongError(AccessError):
    """Name and password, a code or a passkey do not fit."""


class SecondError(WrongError):
    """The password is right, and not enough: a code is needed too, or a passkey instead."""


class TooOftenError(AccessError):
    """Tried too often.

    Args:
        sentence: What to tell people.
        wait_s: How long to wait, in s.
    """

    def __init__(self, sentence: str, wait_s: float) -> None:
        super().__init__(sentence)
        self.wait_s = wait_s
