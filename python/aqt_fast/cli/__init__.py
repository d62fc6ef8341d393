"""The command ``aqt-fast``.

::

    main            the command, backends, log-in
    device          one backend: status, limits, characterisation
    jobs            list, show, fetch and remove stored jobs
    estimate        what a job will take
    serve           the local server
    request_lines   its lines about requests
    demo            algorithm circuits on a local server
    circuit_files   circuits from files in OpenQASM
    terminal        messages, errors, Ctrl-C, patterns
"""
