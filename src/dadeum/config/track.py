"""Section `track:`."""

from typing import Annotated

from dadeum.core.family import MemberOf
from dadeum.core.settings import MemberSettings

Sink = Annotated[MemberSettings, MemberOf("dadeum.track.sinks")]
