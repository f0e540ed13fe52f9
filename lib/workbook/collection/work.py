"""What the steps of one collection share: settings, store, the time of reading, and what was written so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tqdm.auto import tqdm

from workbook.data.privacy import Pseudonymiser
from workbook.data.settings import Settings
from workbook.data.store import Store


@dataclass
class Work:
    """What is shared while one collection runs."""

    settings: Settings
    store: Store
    arrived: datetime  # UTC
    pseudonymiser: Pseudonymiser
    bar: tqdm
    tables: frozenset[str] = frozenset()  # canonical tables that some source brings
    drafts: list[Path] = field(default_factory=list)  # written, not yet part of a table

    def new_part(self, name: str) -> Path:
        path = self.store.new_file(name)
        self.drafts.append(path)
        return path

    def forget_drafts(self) -> None:
        """Remove what was written and did not become part of a table."""
        names = {str(path.parent.relative_to(self.store.root / "tables")) for path in self.drafts}
        listed = {file for name in names if (entry := self.store.entry(name)) for file in entry.files}
        for path in self.drafts:
            if str(path.relative_to(self.store.root)) not in listed:
                path.unlink(missing_ok=True)
