"""Run the command ``aqt-fast`` as ``python -m aqt_fast``."""

from aqt_fast.cli.main import main

main(prog_name="aqt-fast")
