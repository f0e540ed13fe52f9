"""The report in other forms: one PDF and one Excel workbook a language, made from what lies in a report's folder.

Nothing is run again: pages, findings and tables of the folder are all that a form is made of.
"""

from workbook.output.forms.made import FORMS, NAMES, Attempt, add, files, find_report, renew, there

__all__ = ["FORMS", "NAMES", "Attempt", "add", "files", "find_report", "renew", "there"]
