"""Parts of the provider.

::

    connections   credentials, and the connections that backends share
    discovery     which backends are available, and which of them match
    restoring     from a stored job to its handle
    tables        backends and jobs as tables
"""
