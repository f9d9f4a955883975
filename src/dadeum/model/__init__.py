"""Models loaded, adapted, run packed, merged. Knows no data files."""

import logging
import sys

# Whatever finds the package `kernels` downloads compiled code from the Hub and runs it. bitsandbytes does so as it is
# imported, and PEFT imports bitsandbytes. Here it is not to be found; what is then said of it is no advice for anybody.
sys.modules.setdefault("kernels", None)  # type: ignore[arg-type]
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
