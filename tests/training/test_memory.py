import platform
import subprocess
import sys

from cheart.training.memory import keep_memory

REUSED = """
import numpy as np, resource
from cheart.training.memory import keep_memory
assert keep_memory()
def touch():
    block = np.empty(64 * 2**20, np.uint8); block[::4096] = 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
touch(); before = touch(); print(touch() - before)
"""


def test_memory_is_kept_where_the_allocator_is_glibcs() -> None:
    glibc = platform.libc_ver()[0] == "glibc"
    # in a process of its own: an allocator cannot be told to forget
    script = REUSED if glibc else "from cheart.training.memory import keep_memory; print(int(keep_memory()))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 1000  # a block of fresh pages would be 16384 faults


def test_asking_twice_does_no_harm() -> None:
    assert keep_memory() == keep_memory()
