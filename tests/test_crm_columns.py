"""The columns of each CRM: where they are from, when that was read, and files that a spreadsheet opens unharmed."""

from __future__ import annotations

import codecs
import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbook.output import export

CRMS = [name for name in export.crms() if name != "plain"]
HOSTS = {"salesforce": "salesforce.com", "hubspot": "hubspot.com", "zoho": "zoho.com"}  # Fxiaoke's pages were not found


def declared(repository: Path, crm: str) -> dict[str, Any]:
    return yaml.safe_load((repository / f"lib/workbook/output/crm/{crm}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("crm", CRMS)
def test_each_crm_names_pages_the_day_they_were_read_and_how_to_map_what_finds_no_field(
    crm: str, repository: Path,
) -> None:
    told = declared(repository, crm)
    assert isinstance(told["read_on"], date)
    vendors = [page for page in told["from"] if HOSTS.get(crm, "-") in page]
    assert vendors or (crm not in HOSTS and "template" in " ".join(told["not_verified"]))
    mapping = next(remark for remark in told["remarks"] if any(word in remark for word in ("Map", "map", "copy")))
    assert any(heading in mapping for heading in told["columns"]) or "these columns" in mapping


@pytest.mark.parametrize("crm", export.crms())
def test_a_list_is_utf_8_with_its_mark_and_no_cell_of_it_runs(crm: str, tmp_path: Path) -> None:
    odd = ("=1+1", "@x", "-2+3", "+1+1", "＝1", "\t=1", "客户 001")
    chosen = export.crm(crm)
    fields = {*chosen.columns.values(), *chosen.revealed.values()}
    export.write_list(tmp_path / "list.csv", chosen, [dict.fromkeys(fields, cell) for cell in odd], revealed=True)
    written = (tmp_path / "list.csv").read_bytes()
    assert written.startswith(codecs.BOM_UTF8) and written.count(codecs.BOM_UTF8) == 1
    head, *rows = csv.reader(written.decode("utf-8-sig").splitlines())
    assert head == chosen.headings(revealed=True) and len(rows) == len(odd)
    for cell, row in zip(odd, rows, strict=True):
        own = [one for one, field in zip(row, [*chosen.columns.values(), *chosen.revealed.values()], strict=True)
               if not field.startswith("=")]
        assert set(own) == {cell if cell.startswith("客") else f"'{cell}"}
