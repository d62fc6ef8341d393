"""The command ``aqt-fast``.

::

    main            the command
    access          log in and out, and tell whose token it is
    backends        the list of backends; device: one of them
    run             circuits from files, to a backend and back as counts
    jobs            the list of stored jobs
    job_details     one stored job
    job_result      the result of a job, in one of the result_formats, to a result_output
    job_actions     wait for jobs, cancel, resubmit and adopt them
    job_removal     remove stored jobs
    stored          what the commands on stored jobs share
    estimate        what a job will take
    serve           the local server
    request_lines   its lines about requests
    demo            algorithm circuits on a local server
    circuit_files   circuits from files in OpenQASM; job_options: where and how they run
    completion      what the shell completes; backend_names: from the portal
    colours         colours of states
    terminal        messages, errors, Ctrl-C, patterns
"""
