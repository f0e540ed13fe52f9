"""Kernels that begin with everything imported: forked from one process, the nursery, instead of started anew.

A room of its own, light to enter: a command opens the nursery first, and imports what it needs itself meanwhile.
"""

from workbook.output.kernels.forked import (
    ForkedProvisioner,
    Nursery,
    environment,
    give_up_forking,
    imports,
    measured,
    warm_kernels,
)

__all__ = [
    "ForkedProvisioner", "Nursery", "environment", "give_up_forking", "imports", "measured", "warm_kernels"]
