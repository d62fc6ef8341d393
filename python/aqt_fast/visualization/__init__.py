"""What people look at: HTML for notebooks, and pictures.

Everything here takes plain data and knows no job and no backend.

::

    html         building blocks of HTML: one stylesheet, escaped text
    quantities   times, durations and shares as people read them
    timeline     API jobs on a timeline
    outcomes     counts of a circuit, results of several
    job          all that is known of a job
"""
