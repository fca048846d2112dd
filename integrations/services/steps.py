"""The service steps by name."""

from integrations.services.parts import Services, Session, Sessions
from integrations.services.restart import RestartServices
from integrations.services.stop import StopServices

__all__ = ["RestartServices", "Services", "Session", "Sessions", "StopServices"]
