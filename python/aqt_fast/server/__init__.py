"""A local server of AQT's interfaces, for tests, demonstrations and benchmarks (extra ``server``).

:class:`aqt_fast.testing.ArnicaServer` starts it from Python, ``aqt-fast serve`` from the shell.

From the inside out: ``portal`` has the state and the machines, ``sampling`` turns request bodies
into outcomes, ``app`` and ``direct`` are the two interfaces, ``oidc`` and ``access`` the login,
``faults`` spoils answers, ``serving`` owns the socket, ``arnica`` puts them together.
"""
