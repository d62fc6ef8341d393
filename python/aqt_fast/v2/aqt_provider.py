"""The provider of the 2.x face."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from aqt_fast._lazy import lazy_names
from aqt_fast._pickles import Single
from aqt_fast.jobs.connection import closing_together
from aqt_fast.v2.cloud import CloudProvider
from aqt_fast.v2.direct import DirectAccessProvider
from aqt_fast.v2.offline import OfflineSimulatorProvider
from aqt_fast.v2.resources import CloudResource, DirectAccessResource, OfflineSimulatorResource

if TYPE_CHECKING:
    from aqt_connector import ArnicaConfig
    from typing_extensions import Self

__all__ = ["AQTProvider", "AnyAQTResource", "ArnicaConfig"]

AnyAQTResource: TypeAlias = CloudResource | DirectAccessResource | OfflineSimulatorResource
"""Any backend of the 2.x face."""


class AQTProvider(Single):
    """Leads to AQT's backends: in the cloud, in the same network, and in this process.

    Also a context manager: the end of a ``with`` block closes all connections.
    """

    def __init__(self) -> None:
        """Open no connection, and need no token."""
        self.name = "aqt_provider"
        """Name of the provider."""
        self.offline = OfflineSimulatorProvider()
        """The simulators in this process."""
        self._clouds: list[tuple[ArnicaConfig | None, CloudProvider]] = []
        self._direct_access: DirectAccessProvider | None = None

    def __getstate__(self) -> dict[str, Any]:
        # A configuration may have a secret.
        return {**vars(self), "_clouds": [(None, cloud) for _, cloud in self._clouds]}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.name!r})>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def cloud(self, config: ArnicaConfig | None = None) -> CloudProvider:
        """Return AQT's cloud; the same object in each call.

        Args:
            config: how to log in, and where the portal is. None stands for that of the first call,
                or for environment and ``~/.aqt/config``. Another configuration is another cloud.
        """
        for known, cloud in self._clouds:
            if config is None or config is known:
                return cloud
        cloud = CloudProvider(config)
        self._clouds.append((config, cloud))
        return cloud

    def direct_access(self) -> DirectAccessProvider:
        """Return what connects to machines in the same network; the same object in each call."""
        if self._direct_access is None:
            self._direct_access = DirectAccessProvider()
        return self._direct_access

    def close(self) -> None:
        """Close all connections. Jobs that have not ended stay with the portal."""
        clouds, self._clouds = self._clouds, []
        machines, self._direct_access = self._direct_access, None
        with closing_together():
            for _, cloud in clouds:
                cloud.close()
            if machines is not None:
                machines.close()


def _config() -> ModuleType:
    from aqt_fast.login import config  # requires the extra `login`

    return config


__getattr__ = lazy_names(__name__, {"ArnicaConfig": _config})
