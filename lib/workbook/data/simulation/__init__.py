"""The parts of the simulated shop; `workbook.data.simulate` is the way in."""
