"""The sentences that a report generates: functions of finished values, one file a chapter (`words/rfm.py` for 04_rfm).

Each file has `summary(found, before)`: one sentence for the index page, made of the chapter's findings (`found`) and
those of the period before (`before`, empty when there was none), both dicts of name → Finding.
"""
