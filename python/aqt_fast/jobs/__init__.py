"""Jobs in progress: everything between the job's handle and the backends.

::

    backend       what a job needs of its backend
    execution     the background run of a batch, as the handle sees it
    saving        what persist() writes
    metrics       figures of a job, as Qiskit's tools read them
    error_text    why a job failed, read and called
    progress_bar  circuits done, where the job is, for how long
    waiting       wait with a progress bar, with a callback, part by part
    interrupts    what a user hears who does not wait any more
    coroutines    await blocking functions
    remote        a batch as API jobs: combines their states, keeps a journal
    group         API jobs of the same circuits, whose shots add up
    api_job       one API job: sent once, polled until it has ended
    known_ids     identifiers that must not be another API job's
    foreign       jobs that no store here has, such as an API job of another program
    repeating     whether an API job may be polled or submitted again
    endpoint      where API jobs run: the interface of a portal or a machine
    connection    what jobs share, and how it ends them when it is closed
    dispatcher    steps of jobs on a few threads, each at its due time
    pickled       a job in a pickle: its results, or what continues it elsewhere
    timing        when a job has changed its state, how long its stages took
    summary       what is known of a job, for people
"""
