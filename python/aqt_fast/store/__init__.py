"""Jobs on the disk: one directory each, whether its journal runs on or ``persist()`` saved it.

::

    job_store           the directory of all jobs: find, save, remove
    job_directory       the files of one job
    description         what a job is, as ``job.json`` says it
    location            where a job lives: portal, machine, simulator
    journal             what a process writes while it works on a job
    event_log           the journal's file: append, flush, lock
    events              its lines, and the facts that they add up to
    fate                what became of an API job
    states, listing     what the store tells of its jobs
    checksummed_json    JSON that tells whether it is whole
    locks               locks that others can look at
"""
