"""Parts of the provider.

::

    settings            the variables ``AQT_…``: of the environment, then of a ``.env`` file
    access              the access token, and the portal it is for
    connections         the connections that backends share
    parts               backends by where circuits run: cloud by workspace, machines, this process
    offline_simulators  the simulators that run in this process
    discovery           which backends are available, and which of them match
    restoring           from a stored job to its handle; ``jobs.api_job`` resumes its API jobs
    fetching            a job by its id alone, also from the portal
    criteria            what users select backends and jobs by
    table               what tables share
    fitting             tables and times as text for the terminal
    backends_table      columns and rows of backends
    jobs_table          columns and rows of stored jobs
"""
