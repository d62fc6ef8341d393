"""The error of a request: also the errors that backends and jobs of the 2.x face raise."""

from aqt_fast.exceptions import APIError

__all__ = ["APIError"]
