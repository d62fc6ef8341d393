"""``python -m aqt_fast``: the command ``aqt-fast``."""

from aqt_fast.cli import main

main(prog_name="aqt-fast")
