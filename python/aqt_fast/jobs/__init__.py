"""Jobs on their way, whatever runs them.

::

    backend       what a job needs of its backend
    execution     what a job's handle needs of circuits on their way
    waiting       with a progress bar, with a callback, part by part
    coroutines    waiting in a coroutine
    remote        a batch in API jobs: what becomes of them adds up
    group         API jobs that share circuits, whose shots add up
    api_job       one API job, polled until it has ended
    submission    its submission: announced in the journal, sent once
    repeating     whether it may be asked for, or submitted, once more
    endpoint      what takes API jobs
    connection    what jobs share, and what becomes of them when it is closed
    dispatcher    steps of jobs on a few threads, each when it is due
    timing        where the time went
"""
