"""A stand-in for omni.client: asks over HTTP whether an asset is there."""

import enum
import urllib.error
import urllib.request

__replica__ = True


class Result(enum.Enum):
    """What an inquiry came to."""

    OK = 1
    ERROR_NOT_FOUND = 2
    ERROR_CONNECTION = 3


def stat(url: str) -> tuple[Result, object]:
    """Whether an asset can be reached, and what is said of it."""
    try:
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Result.OK, dict(answer.headers)
    except urllib.error.HTTPError:
        return Result.ERROR_NOT_FOUND, None
    except (OSError, ValueError):
        return Result.ERROR_CONNECTION, None
