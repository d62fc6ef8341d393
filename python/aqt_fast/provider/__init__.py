"""What the provider is made of.

::

    connections   credentials, and the connections that backends share
    discovery     which backends there are, and which of them fit
    restoring     a job of another process, back as a handle
    tables        backends and jobs as tables
"""
