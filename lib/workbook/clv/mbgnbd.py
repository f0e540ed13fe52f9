"""MBG/NBD: BG/NBD in which a customer may leave after the first purchase already.

    Γ(r+x) α^r / Γ(r) · B(a, b+x+1) / B(a, b) · [ (α+T)^-(r+x)  +  a / (b+x) · (α+t_x)^-(r+x) ]

One-time buyers have a chance below 1 to be alive here. Computed by `bgnbd.Geometric`.

Source: E. P. Batislam, M. Denizel & A. Filiztekin, IJRM 24, 2007; D. Hoppe & U. Wagner, Customer base analysis: the
case for a central variant of the Betageometric/NBD model, Marketing ZFP 29, 2007.
"""

from __future__ import annotations

from workbook.clv.bgnbd import Geometric

MBG_NBD = Geometric("mbg_nbd", extra=1)
