"""Resources of AQT's portal.

::

    backend       CloudResource
    connection    the portal's client, and the threads that jobs share
    fetched       an API job known by the portal's identifier alone
    execution     a batch as one API job or several
    endpoint      the portal, as API jobs see it
    poller        which API job to poll when
"""
