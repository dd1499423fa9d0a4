"""Memory that a training frees stays with the process, for the next step to use."""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_memory() -> bool:
    """Tell glibc's allocator to keep what is freed; elsewhere nothing happens.

    glibc asks the kernel for every large array anew and hands it back when it is freed, so that each step of training
    pays for gigabytes of pages that the kernel clears and maps: a third of its time on a CPU. What is kept is what the
    largest step needed.

    Returns:
        Whether there was such an allocator.
    """
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018  (other C libraries have mallopt too, with other numbers)
        return bool(libc.mallopt(_M_MMAP_MAX, 0)) and bool(libc.mallopt(_M_TRIM_THRESHOLD, -1))
    except (OSError, TypeError, AttributeError):
        return False
