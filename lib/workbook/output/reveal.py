"""`--reveal`: the names and numbers of exactly the people of a list, for who may see them, and a line that says so.

Right first (settings, account), then the key, then the line in the audit log, and only then the sources. The file lies
outside the workspace's reports and store, and belongs to its owner alone; originals are stored nowhere else.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from workbook import decisions
from workbook.collection import revealing
from workbook.data.errors import WorkbookError
from workbook.data.privacy import Pseudonymiser
from workbook.data.run import Run
from workbook.data.settings import Settings
from workbook.data.store import Store
from workbook.decisions import TREATED, Decision, audit
from workbook.output import export


class Done(NamedTuple):
    """What was revealed."""

    path: Path
    asked: int  # customers
    found: int  # of them, whom the sources still know


def refuse(settings: Settings, *, by: str, decision_id: str, to: str, crm_name: str) -> None:
    """Stop whoever has no right, and whoever would write names where reports lie.

    Raises:
        WorkbookError: no name, no right, no place for the file.
    """
    columns = list(export.crm(crm_name).revealed.values())
    if not by or not to:
        raise WorkbookError("Names and numbers go to somebody and to a file.", way_out="Write --by NAME --to FILE")
    audit.refuse_without_right(settings, by=by, decision_id=decision_id, columns=columns)
    path = Path(to).expanduser().resolve()
    inside = [folder for folder in (settings.reports_folder, settings.store_folder)
              if path.is_relative_to(folder.resolve())]
    if inside:
        raise WorkbookError(f"{path} lies inside {inside[0]}.", why="Reports and store hold pseudonyms only.",
                            way_out="Name a file elsewhere, on an encrypted disk.")
    if path.exists() or not path.parent.is_dir():
        raise WorkbookError(f"{path} is there already." if path.exists() else f"There is no folder {path.parent}.",
                            way_out="Name a file that is not there yet, in a folder that is.")


def reveal(settings: Settings, decision_id: str, *, by: str, to: Path, crm_name: str, campaign: str = "") -> Done:
    """Write the treated people of a decision with names, mails and phones.

    Raises:
        WorkbookError: see `refuse`; or the key is not set, or not the one of the list.
    """
    refuse(settings, by=by, decision_id=decision_id, to=str(to), crm_name=crm_name)
    decision = decisions.find(settings, decision_id)
    columns = list(export.crm(crm_name).revealed.values())
    people = decisions.members(settings, decision_id)
    treated = list(people.loc[people["arm"] == TREATED, "customer_id"])
    noted = {"by": by, "decision_id": decision_id, "columns": columns}
    audit.note(settings, "asked", **noted, customers=len(treated))
    try:
        found = _read_again(settings, decision, treated)
        export.write_revealed(to, decision, crm_name, found, ids=treated, campaign=campaign)
    except BaseException:
        audit.note(settings, "failed", **noted, customers=0)
        raise
    audit.note(settings, "revealed", **noted, customers=len(found))
    return Done(to, len(treated), len(found))


def _read_again(settings: Settings, decision: Decision, treated: list[str]) -> dict[str, dict[str, str]]:
    _refuse_wrong_key(settings, decision)
    store = Store(settings.store_folder)
    run = Run("decisions", settings, store, as_of=decision.as_of.isoformat(), lang="en")
    ids = _accounts(run, set(treated))
    found = revealing.reveal(settings, store, ids)
    revealing.refuse_other_key(found.hashes, _stored_hashes(run, set(treated)))
    return found.people


def _refuse_wrong_key(settings: Settings, decision: Decision) -> None:
    """The key must be there, and be the one of the list."""
    pseudonymiser = Pseudonymiser.of(settings)
    at_hand = pseudonymiser.fingerprint  # raises where no key is set
    if decision.key[2] and at_hand != decision.key[2]:
        raise revealing.other_key()


def _accounts(run: Run, treated: set[str]) -> dict[str, str]:
    """Every id under which the sources know one of the people → the person."""
    ids = {name: name for name in treated}
    if run.has("clean/identities"):
        known = run.frame(run.table("clean/identities").select("raw_customer_id", "customer_id"))
        known = known[known["customer_id"].isin(treated)]
        ids |= dict(zip(known["raw_customer_id"], known["customer_id"], strict=True))
    return ids


def _stored_hashes(run: Run, treated: set[str]) -> set[str]:
    """What the store holds of their mails and phones."""
    if not run.has("clean/customers"):
        return set()
    table = run.table("clean/customers")
    columns = [name for name in revealing.HASHES.values() if name in table.columns]
    rows = run.frame(table.select("customer_id", *columns))
    mine = rows[rows["customer_id"].isin(treated)]
    return {value for name in columns for value in mine[name].dropna()}
