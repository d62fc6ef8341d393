"""Machines in the same network, which run one circuit at a time.

::

    backend       AQTDirectAccessResource
    connection    the machine's client, and the single thread that jobs share
    execution     circuits one after the other
    endpoint      the machine, as API jobs see it
"""
