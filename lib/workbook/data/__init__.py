"""The ground floor: what arrives, and where it lies. It gives codes and values, never prose, and imports nothing above.

`settings` is what the user declares, `schema` the canonical tables, `sources` reads what is declared, `engine` and
`store` hold the tables of a run, `run` is the one thing that a notebook opens.
"""
