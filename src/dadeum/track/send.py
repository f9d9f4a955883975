"""`dadeum track send`: what trackers lack of a run is sent now, however long they take to answer."""

from pathlib import Path

from dadeum.core.language import say
from dadeum.core.lock import held
from dadeum.core.progress import Reporter
from dadeum.track.position import positions
from dadeum.track.senders import Senders, lack, ready
from dadeum.track.sinks import SINKS


def send_run(evidence: Path, reporter: Reporter) -> int:
    """How many trackers still lack something afterwards. Raises what `ready` raises."""
    if held(evidence):
        reporter.note(
            say(
                f"{evidence.name}: is being made, and sent meanwhile",
                f"{evidence.name}: 아직 실행 중이며, 보내는 중입니다",
            )
        )
        return 0
    behind = [position for position in positions(evidence) if lack(evidence, position.type) is not None]
    if not behind:
        reporter.note(say(f"{evidence.name}: everything is sent", f"{evidence.name}: 모두 보냈습니다"))
        return 0
    ready([SINKS.validate(position.settings) for position in behind])
    senders = Senders(evidence, [position.type for position in behind])
    reporter.start(f"{evidence.name}: " + say("sending to ", "보내는 중: ") + ", ".join(senders.kinds))
    try:
        senders.start()
        senders.end()
        senders.wait(None)
    finally:
        senders.stop()
    left = senders.lacking()
    for one in left:
        reporter.warn(f"{evidence.name}: {one}")
    if not left:
        reporter.note(say(f"{evidence.name}: everything is sent", f"{evidence.name}: 모두 보냈습니다"))
    return len(left)
