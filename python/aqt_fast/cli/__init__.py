"""The command ``aqt-fast``.

::

    main        the command, backends, log-in
    device      one backend: status, limits, characterisation
    jobs        list, show, fetch and remove stored jobs
    serve       the local server
    demo        algorithm circuits on a local server
    terminal    messages, errors, Ctrl-C, patterns
"""
