"""The store of jobs on this computer: public names of ``aqt_fast.store``."""

from aqt_fast.exceptions import JobNotFoundError
from aqt_fast.store.job_store import JobStore, get_store_path

__all__ = ["JobNotFoundError", "JobStore", "get_store_path"]
