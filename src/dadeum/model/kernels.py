"""Keeps compiled code of the Hub out: whatever finds the package `kernels` downloads some and runs it."""

import logging
import sys


def keep_out() -> None:
    """Hide `kernels` from this process. bitsandbytes looks for it as it is imported, and PEFT imports bitsandbytes."""
    sys.modules.setdefault("kernels", None)  # type: ignore[arg-type]
    # What bitsandbytes then says of its absence is no advice for anybody.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
