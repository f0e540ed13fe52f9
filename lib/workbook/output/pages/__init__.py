"""What a rendered report shows: page one, a page a chapter, what lies behind the figures, and the list of all periods.

Made from what lies in a report's folder (executed notebooks, findings, run record), as often as one likes: a remark, an
approval or a new period writes pages anew, and runs nothing.
"""
