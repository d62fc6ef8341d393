"""Jobs on the disk: one directory each, for a journal in use or a job saved by ``persist()``.

::

    job_store           the directory of all jobs: find, save, remove
    job_directory       the files of one job
    description         what a job is: the content of ``job.json``
    location            where a job runs: portal, machine, simulator
    loading             a stored job, with everything needed to continue it
    journal             the record that a process writes while it works on a job
    event_log           the journal's file: append, flush, lock
    event_lines         its lines: what is there, and what is missing
    events              its events, and the state they describe
    accepted_ids        identifiers of API jobs, and whose they are: finds answers of strangers
    api_job_fate        the state of an API job, from its journal; `ApiJob.resume_from` acts on it
    states, listing     summaries of stored jobs
    checksummed_json    JSON with a version and a checksum
    headers             headers of results, as JSON
    named_files         compressed files that name the job and the file that they are
    locks               locks that other processes can query, as the system has them:
    byte_locks          bytes of a file
    database_locks      transactions of SQLite
    lock_errors         what all of them raise
"""
