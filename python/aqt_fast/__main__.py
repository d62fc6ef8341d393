"""``python -m aqt_fast``: the command ``aqt-fast``."""

from aqt_fast.cli.main import main

main(prog_name="aqt-fast")
