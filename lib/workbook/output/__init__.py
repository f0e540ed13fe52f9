"""The top floor: what people see. It formats and draws finished values and computes nothing.

`i18n` speaks the reader's language, `page` shows things in a notebook, `charts` draws, `words` makes sentences
of values, `explore` holds the interactive views, `report` renders notebooks into `reports/<period>/`, and
`messages` finds what is not translated yet.
"""
