"""The command ``aqt-fast``.

::

    main        the command, backends, log-in
    jobs        list, show, fetch and remove what the store knows of jobs
    serve       the local server
    demo        the main job on a local server
    terminal    messages, errors, patterns, tables that fit the terminal
"""
